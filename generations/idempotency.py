"""Idempotency-Key: whoever sends a request twice gets one job, and the first one's answer both times.

A key is its team's, and kept for a day. Its row is written in the transaction that accepts the job, and before the
credits are held: a copy that comes at the same moment waits for that row, and then takes the job that is there.
"""

import math
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils import timezone

from generations.models import Generation, Idempotency

KEPT = timedelta(hours=24)
LONGEST = 255
"""Characters of a key."""
BATCH = 500
"""Rows that are deleted at a time: on SQLite nobody else writes meanwhile."""


class Reused(Exception):
    """The key was sent before, and what it made then is no answer to this request; the message says why."""

    def __init__(self, why: str = "it was sent before with another request") -> None:
        super().__init__(f"Idempotency-Key: {why}; take a new one.")


class Underway(Exception):
    """The first request with this key still runs, so that there is no answer yet to give again."""

    def __init__(self, generation_id: uuid.UUID) -> None:
        super().__init__(f"The first request with this Idempotency-Key, {generation_id}, is still running.")
        self.generation_id = generation_id


class Taken(Exception):
    """A copy of the request was accepted at the same moment."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that carries a key."""

    team_id: int
    key: str
    fingerprint: str

    def earlier(self) -> Generation | None:
        """Return the generation that this request made before, if any. Raises Reused."""
        row = Idempotency.objects.select_related("generation").filter(team_id=self.team_id, key=self.key).first()
        if row is None or _forget(row):
            return None
        if row.fingerprint != self.fingerprint:
            raise Reused
        if row.generation.removed_at:
            raise Reused(f"its run, {row.generation_id}, was removed")
        return row.generation

    def write(self, generation: Generation) -> None:
        """Write the key's row, in the transaction of its generation. Raises Taken, after waiting for whoever is at
        it."""
        row = Idempotency(
            team_id=self.team_id,
            key=self.key,
            fingerprint=self.fingerprint,
            generation_id=generation.id,
            created_at=generation.created_at,
        )
        try:
            row.save(force_insert=True)
        except IntegrityError as error:
            raise Taken from error


def _forget(row: Idempotency) -> bool:
    """Delete a row whose day is over; return whether it was."""
    if row.created_at >= _oldest():
        return False
    Idempotency.objects.filter(id=row.id, created_at=row.created_at).delete()
    return True


def purge(until: float = math.inf) -> None:
    """Delete keys whose day is over, a few at a time, until then (of time.monotonic)."""
    old = Idempotency.objects.filter(created_at__lt=_oldest()).order_by("created_at").values_list("id", flat=True)
    while time.monotonic() < until and (ids := list(old[:BATCH])):
        Idempotency.objects.filter(id__in=ids).delete()


def _oldest() -> datetime:
    return timezone.now() - KEPT
