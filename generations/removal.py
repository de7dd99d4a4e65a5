"""Taking generations away: hidden at once, to be had back for REMOVED_KEPT_SECONDS, then purged.

What is purged loses its pictures, texts and inputs for good. Its row stays, with the model, the cost and the times: the
books and the usage speak of it.
"""

import logging
import math
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from generations import orphans
from generations.models import Attempt, CollectionItem, Delivery, Generation, Output, Webhook
from generations.models.attempt import LIVE
from generations.models.generation import FINAL

log = logging.getLogger(__name__)

BATCH = 100
"""Generations that are purged in one transaction."""

AGAIN = timedelta(hours=1)
"""After which a purge that did not end is tried again."""

Files = dict[uuid.UUID, set[str]]
"""The names of the files of generations' outputs."""

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
    removed = Generation.objects.filter(id__in=ids, removed_at__gt=since, purge_began_at=None, purged_at=None)
    return removed.update(removed_at=None)


def kept_for() -> timedelta:
    """Return how long a removed generation can be restored."""
    return timedelta(seconds=settings.REMOVED_KEPT_SECONDS)


def purge(until: float = math.inf) -> int:
    """Purge what was removed long enough ago, and doubt its inputs, until then (of time.monotonic); return how many.

    Safe to run twice and at the same time. What cannot be purged is set aside, and keeps nothing else from it.
    """
    purged = 0
    while time.monotonic() < until and (batch := _begin()):
        files = _files(Output.objects.filter(generation__in=batch))
        purged += _forget_each(_without_files(batch, files, until), files)
    return purged


def _begin() -> Sequence[uuid.UUID]:
    """Take a batch of what may go: from here on nobody else does, and nobody restores it.

    Nothing may to which a paid call, canceled on its way, may still bring a picture.
    """
    now = timezone.now()
    is_free = Q(purge_began_at=None) | Q(purge_began_at__lt=now - AGAIN)
    due = Generation.objects.filter(is_free, removed_at__lt=now - kept_for() - GRACE, purged_at=None)
    ids = list(due.exclude(attempts__state__in=LIVE).order_by("removed_at").values_list("id", flat=True)[:BATCH])
    due.filter(id__in=ids).update(purge_began_at=now)
    return list(Generation.objects.filter(id__in=ids, purge_began_at=now).values_list("id", flat=True))


def _files(outputs: QuerySet[Output]) -> Files:
    files: Files = defaultdict(set)
    for output in outputs:
        files[output.generation_id] |= {output.file, output.keep, output.jpeg, output.thumbnail} - {""}
    return files


def _without_files(batch: Iterable[uuid.UUID], files: Files, until: float) -> Sequence[uuid.UUID]:
    """Delete the files first: what dies in between begins anew, and no file is left that nobody knows of. Return those
    that have none any more."""
    done, left = [], []
    for generation_id in batch:
        if time.monotonic() >= until:
            left.append(generation_id)
        elif _delete(generation_id, files[generation_id]):
            done.append(generation_id)
    _leave(left)
    return done


def _delete(generation_id: uuid.UUID, names: Iterable[str]) -> bool:
    try:
        for name in names:
            default_storage.delete(name)
    except Exception:
        log.exception("the files of run %s cannot be deleted, %s later again", generation_id, AGAIN)
        return False
    return True


def _leave(ids: Sequence[uuid.UUID]) -> None:
    """Leave what was begun for the next batch."""
    if ids:
        Generation.objects.filter(id__in=ids).update(purge_began_at=None)


def _forget_each(ids: Sequence[uuid.UUID], files: Files) -> int:
    """Forget them together or, where one of them cannot be, each on its own; return how many."""
    try:
        return _forget(ids, files)
    except (OperationalError, InterfaceError):  # the database is away
        raise
    except Exception:
        if len(ids) == 1:
            log.exception("run %s cannot be purged, %s later again", ids[0], AGAIN)
            return 0
    return sum(_forget_each([each], files) for each in ids)


def _forget(ids: Sequence[uuid.UUID], files: Files) -> int:
    """Forget what can be read of generations; but one that has got another file meanwhile, as a thumbnail that was
    being made, is left for the next batch."""
    with transaction.atomic():
        rows = list(Generation.objects.select_for_update(no_key=True).filter(id__in=ids))
        now_there = _files(Output.objects.select_for_update().filter(generation__in=ids))
        _leave([row.id for row in rows if now_there[row.id] - files[row.id]])
        rows = [row for row in rows if not now_there[row.id] - files[row.id]]
        inputs = {uuid.UUID(asset_id) for row in rows for asset_id in row.inputs.values()}
        _delete_rows(rows)
        now = timezone.now()
        for row in rows:
            row.params, row.inputs, row.notes, row.error = _without_text(row.params), {}, [], ""
            row.purged_at = now
        Generation.objects.bulk_update(rows, ["params", "inputs", "notes", "error", "purged_at"])
        orphans.doubt(inputs)
    return len(rows)


def _delete_rows(rows: Sequence[Generation]) -> None:
    """Delete what belongs to generations; their attempts stay, without what the engines said."""
    Output.objects.filter(generation__in=rows).delete()
    CollectionItem.objects.filter(generation__in=rows).delete()
    Delivery.objects.filter(generation__in=rows).delete()  # what was told of it has its prompt
    Webhook.objects.filter(generation__in=rows).delete()
    Attempt.objects.filter(generation__in=rows).exclude(error="").update(error="")


def _without_text(params: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if isinstance(value, str) else value for name, value in params.items()}
