"""One engine's try at a generation."""

from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    QUEUED = "queued", "Queued"
    SUBMITTING = "submitting", "Submitting"
    SUBMITTED = "submitted", "Submitted"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"
    UNKNOWN = "unknown", "Outcome unknown"


LIVE = (State.QUEUED, State.SUBMITTING, State.SUBMITTED)


class Attempt(models.Model):
    """`number` counts from 1. While it runs, whoever holds `lease` renews `lease_until`; a lease that ran out
    says that the worker died. `not_before` delays a queued attempt (rate limits)."""

    generation = models.ForeignKey(
        "generations.Generation", on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    engine = models.CharField(max_length=40)
    queue = models.CharField(max_length=10)
    paid = models.BooleanField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    upstream_id = models.CharField(max_length=100, blank=True)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    published_at = models.DateTimeField()
    publishes = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    cost = models.BigIntegerField(null=True, help_text="what the house paid for it; not known where empty")
    error = models.TextField(blank=True)
    lost = models.BooleanField(default=False, help_text="its worker died; the engine may be tried again")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "number"], name="attempts_are_numbered")]
        indexes = [
            models.Index(
                fields=["state", "published_at"],
                name="attempt_live",
                condition=Q(state__in=("queued", "submitting", "submitted")),
            ),
            models.Index(fields=["ended_at"], name="attempt_ended", condition=Q(ended_at__isnull=False)),
            models.Index(fields=["ended_at"], name="attempt_unknown", condition=Q(state="unknown")),
        ]

    @property
    def elapsed(self) -> float | None:
        """Seconds of work: what the engine says, else from start to end; None where it has not ended."""
        if self.seconds is not None or self.started_at is None or self.ended_at is None:
            return self.seconds
        return (self.ended_at - self.started_at).total_seconds()
