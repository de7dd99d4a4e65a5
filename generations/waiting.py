"""Wait for a generation to end, without polling and without keeping a database connection."""

import threading
import time
import uuid

from django.db import connection

from generations import statements
from generations.statements.terms import Final

RECHECK = 5.0
"""Seconds between two looks into the database, in case a notice got lost."""


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
        bell.clear()  # before the look, or a notice that comes after it would be lost
        final = look(generation_id)
        if final:
            return final
    return None


def look(generation_id: uuid.UUID) -> Final | None:
    """Return the generation if it has ended, with its outputs."""
    return statements.current().final(generation_id)
