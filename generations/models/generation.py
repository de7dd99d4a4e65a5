"""One request by one team member or key."""

import uuid

from django.db import models
from django.db.models import Q


class Door(models.TextChoices):
    """Where a request came in."""

    WEB = "web", "Studio"
    SEGMIND = "segmind", "Segmind API"
    JOBS = "jobs", "Jobs API"
    OPENAI = "openai", "OpenAI API"
    COMMAND = "command", "Command line"


class Status(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


ACTIVE = (Status.QUEUED, Status.RUNNING)
FINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)


class Fault(models.TextChoices):
    """Whose fault a failure is; doors translate it (a rejected picture is the caller's, a lost worker ours)."""

    NONE = "", "None"
    REJECTED = "rejected", "The request was rejected"
    ENGINE = "engine", "The engine failed"
    DEADLINE = "deadline", "Out of time"
    INTERNAL = "internal", "Internal error"


KEPT = Q(removed_at__isnull=True)
"""Those that were not removed: whatever shows or lists generations says so."""


class Generation(models.Model):
    """A validated request, where it stands, what it cost, and what came out.

    `inputs` maps a parameter's name to an asset's id. `params` holds every other parameter, complete; in it
    `seed` is what was asked for (-1: any), while the column `seed` is the one used. Amounts are millionths of a credit.
    Triggers write and delete its row for the gallery's search (models.prompt).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    api_key = models.ForeignKey(
        "accounts.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    door = models.CharField(max_length=12, choices=Door.choices)
    model = models.CharField(max_length=40)
    params = models.JSONField()
    inputs = models.JSONField(default=dict)
    seed = models.BigIntegerField()
    lock = models.BooleanField(default=False, help_text="paste the subject's pixels back from the input")
    route = models.JSONField(default=list, help_text="the engines that may serve it, in order")
    hooked = models.PositiveSmallIntegerField(
        default=0, help_text="events that somebody is to be told (Event.bit, added); 0 once its end is written down"
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    progress = models.FloatField(default=0.0, help_text="share done, 0 to 1")
    stage = models.CharField(max_length=80, blank=True)
    fault = models.CharField(max_length=10, choices=Fault.choices, blank=True, default=Fault.NONE)
    error = models.TextField(blank=True)

    estimate = models.BigIntegerField()
    quote = models.BigIntegerField(help_text="the ceiling, which is held")
    cost = models.BigIntegerField(null=True)
    engine = models.CharField(max_length=40, blank=True)
    seconds = models.FloatField(null=True)
    notes = models.JSONField(default=list)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    favourite_at = models.DateTimeField(null=True, help_text="since when it is one of the team's favourites")
    removed_at = models.DateTimeField(null=True, help_text="since when it is shown nowhere; see generations.removal")
    purge_began_at = models.DateTimeField(
        null=True, help_text="since when it is too late to restore it; a purge that did not end is tried again later"
    )
    purged_at = models.DateTimeField(null=True, help_text="when its pictures and texts were deleted for good")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | Q(cost__lte=models.F("quote")), name="cost_within_quote"
            ),
        ]
        # Each row is written thrice before it has ended, and each time into every index that has it: conditions keep
        # rows out that nobody looks for there.
        indexes = [
            models.Index(fields=["team", "created_at", "id"], name="generation_gallery", condition=KEPT),
            models.Index(fields=["team", "model", "created_at", "id"], name="generation_by_model", condition=KEPT),
            models.Index(fields=["team", "door", "created_at", "id"], name="generation_by_door"),
            models.Index(fields=["user", "team", "created_at", "id"], name="generation_by_member"),
            models.Index(
                fields=["api_key", "created_at", "id"],
                name="generation_by_key",
                condition=Q(api_key__isnull=False),
            ),
            models.Index(
                fields=["team", "engine", "created_at", "id"],
                name="generation_by_engine",
                condition=KEPT & Q(engine__gt=""),
            ),
            models.Index(
                fields=["team", "status", "created_at", "id"],
                name="generation_without",
                condition=KEPT & Q(status__in=("failed", "canceled")),
            ),
            models.Index(
                fields=["team", "created_at", "id"],
                name="generation_favourite",
                condition=KEPT & Q(favourite_at__isnull=False),
            ),
            models.Index(
                fields=["team", "created_at"],
                name="generation_active",
                condition=Q(status__in=("queued", "running")),
            ),
            models.Index(
                fields=["removed_at"],
                name="generation_to_purge",
                condition=Q(removed_at__isnull=False, purged_at__isnull=True),
            ),
            models.Index(
                fields=["finished_at"],
                name="generation_untold",
                condition=Q(hooked__gt=0, status__in=("succeeded", "failed", "canceled")),
            ),
        ]

    @property
    def stood_in_for(self) -> str:
        """The engine that was to make it first, where another one did; "" otherwise."""
        first = str(self.route[0]) if self.route else ""
        return first if self.engine and self.engine != first else ""
