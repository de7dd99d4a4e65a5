"""Wait for a generation to end, without polling and without keeping a database connection."""

import threading
import time
import uuid

from django.db import connection

from generations import notices, statements
from generations.models import Generation
from generations.models.generation import FINAL
from generations.statements.terms import Final

RECHECK = 5.0
"""Seconds between two looks into the database, in case a notice got lost; a process looks once for all who wait."""

_looking = threading.Lock()
_next_look = 0.0


def let_go() -> None:
    """Give the database connection back, for others to use while this thread waits; the next statement takes one
    again, which is also how a broken one is replaced. A transaction, which would end with it, keeps its own."""
    if not connection.in_atomic_block:
        connection.close()


def lend() -> None:
    """Let go while an engine works, where connections are shared: without a pool nobody waits for this thread's, and
    to open another costs more."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        let_go()


def until_final(generation_id: uuid.UUID, bell: threading.Event, timeout: float) -> Final | None:
    """Return the generation once it has ended, with its outputs, or None after `timeout` seconds.

    `bell` comes from notices.expected, entered before the submit.
    """
    give_up = time.monotonic() + timeout
    while (left := give_up - time.monotonic()) > 0:
        let_go()
        bell.wait(min(left, RECHECK))
        if left > RECHECK and not bell.is_set():
            _look_for_all()
            continue
        bell.clear()  # before the look, or a notice that comes after it would be lost
        final = look(generation_id)
        if final:
            return final
    return None


def _look_for_all() -> None:
    """Ring for all whose generation has ended, where nobody of this process has looked just now."""
    global _next_look
    if time.monotonic() < _next_look or not _looking.acquire(blocking=False):
        return
    try:
        _next_look = time.monotonic() + RECHECK
        awaited = Generation.objects.filter(id__in=notices.awaited(), status__in=FINAL)
        notices.wake(awaited.values_list("id", flat=True))
    finally:
        _looking.release()


def look(generation_id: uuid.UUID) -> Final | None:
    """Return the generation if it has ended, with its outputs."""
    return statements.current().final(generation_id)
