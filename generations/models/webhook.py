"""Who is told what happens to a team's runs, and each time that somebody was told."""

import uuid
from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Event(models.TextChoices):
    """What is told of a generation, in the order in which it happens; `test` is what a person sends to try it out."""

    START = "start", "Start"
    OUTPUT = "output", "Output"
    LOGS = "logs", "Logs"
    COMPLETED = "completed", "Completed"
    TEST = "test", "Test"

    @property
    def bit(self) -> int:
        """What stands for it in a sum of events."""
        return 1 << list(Event).index(self)


EVENTS = (Event.START, Event.OUTPUT, Event.LOGS, Event.COMPLETED)
"""Those that can be subscribed to."""


def bits(events: Iterable[str]) -> int:
    """Return the sum that stands for some events."""
    return sum({Event(event).bit for event in events})


class Webhook(models.Model):
    """An address that is told of one generation (given with the request) or of all of a team's (registered).

    `disabled` says why nothing is sent to it any more, "" while it is. The secret is the team's
    (generations.webhooks.signing).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    generation = models.ForeignKey(
        "generations.Generation", null=True, on_delete=models.CASCADE, related_name="webhooks", db_index=False
    )
    url = models.CharField(max_length=2000)
    events = models.JSONField(help_text="names of Event")
    description = models.CharField(max_length=120, blank=True)
    disabled = models.CharField(max_length=20, blank=True, choices=[("person", "By a person"), ("gone", "Gone")])
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["team", "id"], name="webhook_registered", condition=Q(generation__isnull=True))]
        constraints = [models.UniqueConstraint(fields=["generation"], name="one_webhook_per_generation")]

    @property
    def is_enabled(self) -> bool:
        return not self.disabled


class SigningSecret(models.Model):
    """Which of a team's secrets signs: they are derived, not kept (generations.webhooks.signing). No row: the first."""

    team = models.OneToOneField("accounts.Team", primary_key=True, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField(default=0)
    rotated_at = models.DateTimeField()


class Delivery(models.Model):
    """One event for one address, until it was taken or given up. Its `key` is the same in every attempt.

    `body` is what was to be told then; None where it is told as it is at each attempt: of a generation that has ended.
    Whoever holds `lease` sends. `tries` counts the attempts of the schedule, `attempts` all there were.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    generation = models.ForeignKey(
        "generations.Generation", null=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    event = models.CharField(max_length=10, choices=Event.choices)
    url = models.CharField(max_length=2000)
    body = models.JSONField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now, help_text="when it is sent, while it is pending")
    published_at = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["team", "id"], name="delivery_newest"),
            models.Index(fields=["team", "state", "id"], name="delivery_by_state"),
            models.Index(fields=["ended_at"], name="delivery_ended", condition=Q(ended_at__isnull=False)),
            models.Index(fields=["next_at"], name="delivery_pending", condition=Q(state="pending")),
            models.Index(fields=["team"], name="delivery_in_flight", condition=Q(lease__isnull=False)),
        ]

    @property
    def message_id(self) -> str:
        """The webhook-id: receivers tell a repetition by it."""
        return f"msg_{self.key.hex}"

    @property
    def is_due(self) -> bool:
        """Whether it is being sent, or about to be."""
        return self.state == self.State.PENDING and self.next_at <= timezone.now()


class DeliveryAttempt(models.Model):
    """One time that it was sent. Without `ended_at` the worker died, and nobody knows whether it arrived."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True, help_text="what was sent")
    answer = models.TextField(blank=True, help_text="the beginning of what came back")
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempts_are_numbered")]
