"""When API keys were last used, to the minute, written beside the requests and not in them.

A key found due is noted, and a few seconds later one statement writes all that were noted. What a killed
process had noted is lost: the column is for people who look for keys that nobody needs any more.
"""

import logging
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey

DELAY = 5.0
"""seconds from the first note to the write"""
EVERY = timedelta(minutes=1)

_noted: set[int] = set()
_lock = threading.Lock()
_log = logging.getLogger(__name__)


def note(key_id: int, last_used_at: datetime | None, now: datetime) -> None:
    """Have `last_used_at` written soon, if what it says is older than EVERY."""
    if last_used_at is not None and now - last_used_at < EVERY:
        return
    with _lock:
        is_first = not _noted
        _noted.add(key_id)
    if is_first:
        timer = threading.Timer(DELAY, _flush_and_close)
        timer.daemon = True
        timer.start()


def flush() -> None:
    """Write what was noted; a key that another process wrote in the last minute stays as it is."""
    with _lock:
        keys = tuple(_noted)
        _noted.clear()
    if keys:
        now = timezone.now()
        due = Q(last_used_at=None) | Q(last_used_at__lte=now - EVERY)
        ApiKey.objects.filter(due, pk__in=keys).update(last_used_at=now)


def clear() -> None:
    """Forget what was noted."""
    with _lock:
        _noted.clear()


def _flush_and_close() -> None:
    try:
        flush()
    except DatabaseError:
        _log.warning("the last use of some API keys was not written", exc_info=True)
    finally:
        connection.close()
