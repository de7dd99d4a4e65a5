"""Taking generations away: hidden at once, to be had back for REMOVED_KEPT_SECONDS, then purged.

What is purged loses its pictures, texts and inputs for good. Its row stays, with the model, the cost and the times: the
books and the usage speak of it.
"""

import logging
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from generations import orphans
from generations.models import CollectionItem, Delivery, Generation, Output
from generations.models.attempt import LIVE
from generations.models.generation import FINAL

log = logging.getLogger(__name__)

BATCH = 100
"""Generations that are purged in one transaction."""

MOST = 5000
"""Generations that one pass purges at most; the next one goes on."""

GRACE = timedelta(minutes=1)
"""Between the last moment of a restore and a purge: clocks differ, and a request takes its time."""


class StillRunning(Exception):
    """What has not ended cannot be removed: cancel it first."""


def remove(generation_id: uuid.UUID) -> datetime | None:
    """Hide a generation that has ended; return since when it is hidden, None where it was so already.

    Raises StillRunning.
    """
    now = timezone.now()
    if _hide([generation_id], now):
        return now
    if Generation.objects.filter(id=generation_id, removed_at=None).exists():
        raise StillRunning("The run has not ended; cancel it first.")
    return None


def remove_several(ids: Collection[uuid.UUID]) -> int:
    """Hide those of the generations that have ended; return how many were not hidden before."""
    return _hide(ids, timezone.now())


def _hide(ids: Collection[uuid.UUID], now: datetime) -> int:
    return Generation.objects.filter(id__in=ids, removed_at=None, status__in=FINAL).update(removed_at=now)


def restore(generation_id: uuid.UUID) -> bool:
    """Show a removed generation again; False where it is not removed, or where it is too late."""
    return bool(restore_several([generation_id]))


def restore_several(ids: Collection[uuid.UUID]) -> int:
    """Show removed generations again; return how many were removed and not too long ago."""
    since = timezone.now() - kept_for()
    removed = Generation.objects.filter(id__in=ids, removed_at__gt=since, purged_at=None)
    return removed.update(removed_at=None)


def kept_for() -> timedelta:
    """Return how long a removed generation can be restored."""
    return timedelta(seconds=settings.REMOVED_KEPT_SECONDS)


def purge() -> int:
    """Purge what was removed long enough ago, and doubt its inputs; return how many.

    Safe to run twice and at the same time.
    """
    purged = 0
    while purged < MOST and (batch := _due()):
        _purge(batch)
        purged += len(batch)
    return purged


def _due() -> Sequence[Generation]:
    """Return a batch of what may go: nothing to which a paid call, canceled on its way, may still bring a picture."""
    before = timezone.now() - kept_for() - GRACE
    removed = Generation.objects.filter(removed_at__lt=before, purged_at=None)
    return list(removed.exclude(attempts__state__in=LIVE).order_by("removed_at")[:BATCH])


def _purge(batch: Sequence[Generation]) -> None:
    """Delete the files first: what dies in between begins anew, and no file is left that nobody knows of."""
    outputs = Output.objects.filter(generation__in=batch)
    for output in outputs:
        _delete((output.file, output.keep, output.jpeg, output.thumbnail))
    inputs = {uuid.UUID(asset_id) for row in batch for asset_id in row.inputs.values()}
    now = timezone.now()
    for row in batch:
        row.params, row.inputs, row.notes, row.error = _without_text(row.params), {}, [], ""
        row.purged_at = now
    with transaction.atomic():
        outputs.delete()
        CollectionItem.objects.filter(generation__in=batch).delete()
        Delivery.objects.filter(generation__in=batch).delete()  # what was told of it has its prompt
        Generation.objects.bulk_update(batch, ["params", "inputs", "notes", "error", "purged_at"])
        orphans.doubt(inputs)


def _delete(names: Iterable[str]) -> None:
    for name in filter(None, names):
        default_storage.delete(name)


def _without_text(params: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if isinstance(value, str) else value for name, value in params.items()}
