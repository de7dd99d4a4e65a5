"""What makes sure that nothing accepted is lost: run every few seconds, safe to run anywhere and twice.

It publishes again what the broker lost, takes up what a dead worker left, ends what is out of time, asks again for
thumbnails that were not made, and sees to it that whoever is to be told of an end is told.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F, Q
from django.utils import timezone

from generations import dispatch, finishing
from generations.models import Attempt, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import ACTIVE, FINAL
from generations.models.webhook import Event
from generations.webhooks import deliveries, events

log = logging.getLogger(__name__)

BATCH = 500
"""Rows of each kind that one pass takes at most."""

LONGEST_BACKOFF = 6
"""Doublings of REPUBLISH_AFTER at most."""

Row = TypeVar("Row")


def reconcile() -> None:
    """Make one pass over everything that has not ended."""
    expire_overdue()
    take_up_expired_leases()
    republish_unclaimed()
    remake_derivatives()
    write_down_ends()
    deliveries.take_back()
    deliveries.publish_again(BATCH)


def expire_overdue() -> None:
    """End generations past their deadline, and canceled ones whose paid call is past it."""
    before = timezone.now() - timedelta(seconds=settings.JOB_DEADLINE)
    active = Generation.objects.filter(status__in=ACTIVE, created_at__lt=before)
    live = Attempt.objects.filter(state__in=LIVE, generation__created_at__lt=before)
    overdue = {
        *active.values_list("id", flat=True)[:BATCH],
        *live.values_list("generation_id", flat=True)[:BATCH],
    }
    _each(Generation.objects.filter(id__in=overdue), finishing.expire)


def take_up_expired_leases() -> None:
    """Attempts of workers that died: waiting goes on elsewhere, other work is abandoned."""
    now = timezone.now()
    expired = Attempt.objects.filter(lease_until__lt=now).select_related("generation")
    _each(expired.filter(state=State.SUBMITTING)[:BATCH], _abandon)
    again = Q(published_at__lte=F("lease_until")) | Q(
        published_at__lt=now - timedelta(seconds=settings.REPUBLISH_AFTER)
    )
    _each(expired.filter(again, state=State.SUBMITTED)[:BATCH], lambda attempt: _take_up(attempt, now))


def _take_up(attempt: Attempt, now: datetime) -> None:
    """Have an upstream asked again: once when the lease ran out, then every REPUBLISH_AFTER."""
    unchanged = Attempt.objects.filter(id=attempt.id, state=State.SUBMITTED, published_at=attempt.published_at)
    if unchanged.update(published_at=now):
        dispatch.attempt(attempt.id, attempt.queue)


def _abandon(attempt: Attempt) -> None:
    log.warning("the worker of attempt %s (%s) stopped", attempt.id, attempt.engine)
    finishing.abandon(attempt)


def republish_unclaimed() -> None:
    """Queued attempts that nobody took: the broker may have lost them. The pause doubles each time, so that a queue
    that is merely long is not flooded with copies."""
    now = timezone.now()
    waiting = Attempt.objects.filter(_is_due(now), state=State.QUEUED).exclude(not_before__gt=now)
    _each(waiting.order_by("published_at")[:BATCH], lambda attempt: _publish_again(attempt, now))


def _is_due(now: datetime) -> Q:
    """Return which attempts' pause is over. The database decides: of rows that are not due, a batch may be full."""
    due = Q()
    for doublings in range(LONGEST_BACKOFF + 1):
        times = Q(publishes__gt=doublings) if doublings == LONGEST_BACKOFF else Q(publishes=doublings + 1)
        pause = timedelta(seconds=settings.REPUBLISH_AFTER * 2**doublings)
        due |= times & Q(published_at__lt=now - pause)
    return due


def _publish_again(attempt: Attempt, now: datetime) -> None:
    unchanged = Attempt.objects.filter(id=attempt.id, state=State.QUEUED, publishes=attempt.publishes)
    if unchanged.update(published_at=now, publishes=F("publishes") + 1):
        dispatch.attempt(attempt.id, attempt.queue)


def remake_derivatives() -> None:
    """Outputs whose thumbnail should have been there for a while, but not for ever: a broken one is given up."""
    now = timezone.now()
    missing = Output.objects.filter(
        thumbnail="",
        generation__finished_at__lt=now - timedelta(seconds=30),
        generation__finished_at__gt=now - timedelta(minutes=10),
    )
    for generation_id in missing.values_list("generation_id", flat=True).distinct()[:BATCH]:
        dispatch.derivatives(generation_id)


def write_down_ends() -> None:
    """Ends that somebody is to be told, where the message that asked for it was lost."""
    before = timezone.now() - timedelta(seconds=settings.RECONCILE_EVERY)
    untold = Generation.objects.filter(hooked__gt=0, status__in=FINAL, finished_at__lt=before)
    ids = untold.order_by("finished_at").values_list("id", flat=True)[:BATCH]
    _each(ids, lambda generation_id: events.note(generation_id, Event.COMPLETED))


def _each(rows: Iterable[Row], act: Callable[[Row], None]) -> None:
    """Do it to each: one that cannot be dealt with must not keep the others from it, in this pass and every next."""
    for row in rows:
        try:
            act(row)
        except (OperationalError, InterfaceError):  # the database is away
            raise
        except Exception:
            log.exception("%r could not be reconciled", row)
