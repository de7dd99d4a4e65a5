"""Budgets: how many credits a team, member, key or image model may take in a day, week or month."""

from django.db import models
from django.db.models import Q


class Subject(models.TextChoices):
    """What a budget is for."""

    TEAM = "team", "Team"
    MEMBER = "member", "Member"
    KEY = "key", "API key"
    MODEL = "model", "Image model"


class Span(models.TextChoices):
    """How long a budget lasts until it begins anew: at midnight, on Mondays, on the first, all of UTC."""

    DAY = "day", "Daily"
    WEEK = "week", "Weekly"
    MONTH = "month", "Monthly"


class Budget(models.Model):
    """`amount` (millionths of a credit) for each span. A hard one refuses what is above it, any other only counts.

    `subject` is a member's or key's id or an image model's slug, "" for the team: plain text, since accounts know
    nothing of images. accounts.budgets is the only writer.
    """

    id = models.BigAutoField(primary_key=True)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="budgets", db_index=False)
    kind = models.CharField(max_length=6, choices=Subject.choices)
    subject = models.CharField(max_length=40, blank=True)
    span = models.CharField(max_length=5, choices=Span.choices)
    amount = models.BigIntegerField()
    is_hard = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "kind", "subject", "span"], name="one_budget_per_span"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_above_nothing"),
        ]


class BudgetPeriod(models.Model):
    """What one day, week or month of a budget has counted: what its ended holds cost, and what its open ones hold.

    `opening` is the part that was used before the budget was set. Which periods a hold counted in, its entry says.
    """

    id = models.BigAutoField(primary_key=True)
    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods", db_index=False)
    start = models.DateField(help_text="its first day, UTC")
    opening = models.BigIntegerField(default=0)
    counted = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "start"], name="one_period_per_start"),
            models.CheckConstraint(condition=Q(counted__gte=0), name="counted_not_negative"),
        ]
