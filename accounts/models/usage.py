"""What was used, by day."""

from django.db import models


class UsageDay(models.Model):
    """Successful runs and their cost (millionths of a credit) of one team, day, image model, member and key.

    `member` is a user's id and `key` an API key's, 0 for none: plain numbers, since usage outlives both.
    """

    id = models.BigAutoField(primary_key=True)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(help_text="UTC")
    model = models.CharField(max_length=40)
    member = models.BigIntegerField(default=0)
    key = models.BigIntegerField(default=0)
    runs = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "day", "model", "member", "key"], name="one_row_per_usage_day")
        ]
