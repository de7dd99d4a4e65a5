"""The books: signed entries that are only ever added, and one balance row per team.

Amounts are millionths of a credit. accounts.ledger is the only writer.
"""

import uuid
from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Kind(models.TextChoices):
    """What an entry records. A settle or a release ends the hold of the same reference."""

    GRANT = "grant", "Grant"
    PURCHASE = "purchase", "Purchase"
    HOLD = "hold", "Hold"
    RELEASE = "release", "Release"
    SETTLE = "settle", "Settle"
    ADJUST = "adjust", "Adjustment"


class AppendOnly(TypeError):
    """An entry was to be changed or deleted; a correction is a new entry."""


def _refuse() -> NoReturn:
    raise AppendOnly("entry: ledger entries are never changed or deleted; book a correction as a new entry")


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads and adds; the database's triggers (migration 0002) refuse the rest from any other client."""

    def update(self, **_fields: Any) -> NoReturn:
        _refuse()

    def bulk_update(self, *_args: Any, **_options: Any) -> NoReturn:
        _refuse()

    def delete(self) -> NoReturn:
        _refuse()


class Balance(models.Model):
    """`posted` is what the team owns, `held` what its open holds set aside; the rest is available."""

    team = models.OneToOneField("accounts.Team", primary_key=True, on_delete=models.PROTECT, related_name="balance")
    posted = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(held__gte=0), name="held_not_negative"),
            models.CheckConstraint(condition=Q(posted__gte=F("held")), name="held_within_posted"),
        ]


class Entry(models.Model):
    """One booking: `posted` and `held` are what it adds to the balance. `user_id` is whoever caused it, as a
    plain number: the books outlive people."""

    id = models.BigAutoField(primary_key=True)
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reference = models.UUIDField(default=uuid.uuid4)
    model = models.CharField(max_length=40, blank=True)
    posted = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    user_id = models.BigIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    periods = models.JSONField(null=True, blank=True, help_text="ids of the budget periods that a hold counted in")

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "id"], name="entry_statement"),
            models.Index(
                fields=["team", "kind", "id"],
                name="entry_of_rare_kind",
                condition=Q(kind__in=("grant", "purchase", "release", "adjust")),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reference", "kind"], name="one_entry_per_kind"),
            models.UniqueConstraint(
                fields=["reference"], name="one_end_per_hold", condition=Q(kind__in=("settle", "release"))
            ),
            models.CheckConstraint(
                name="entry_signs",
                condition=Q(kind__in=("grant", "purchase"), posted__gt=0, held=0)
                | Q(kind="hold", posted=0, held__gte=0)
                | Q(kind="release", posted=0, held__lte=0)
                | Q(kind="settle", posted__lte=0, posted__gte=F("held"))
                | Q(kind="adjust", held=0),
            ),
        ]

    def save(self, *args: Any, **options: Any) -> None:
        """Add the entry; raise AppendOnly where it is there already."""
        if not self._state.adding:
            _refuse()
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *_args: Any, **_options: Any) -> NoReturn:
        _refuse()
