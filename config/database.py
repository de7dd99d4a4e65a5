"""A database connection outside the pool and the thread's own, for signs of life: short, and never waited for."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

CONNECT_SECONDS = 2

_sqlite = threading.RLock()
"""Held while a connection to SQLite is open, and by whoever forks: a child that was forked in between would take over
SQLite's notes of which locks this process has, and never could write again. Who holds it waits for SQLite alone."""
os.register_at_fork(before=_sqlite.acquire, after_in_parent=_sqlite.release, after_in_child=_sqlite.release)


@contextmanager
def direct_connection() -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection that is closed at the end. Raises django.db.Error within seconds where there is none.

    A pool would make the caller wait for its timeout, and its threads do not survive the fork of worker processes;
    with SQLite no other thread can fork, or have such a connection, until the end.
    """
    direct = connection.copy()
    options = direct.settings_dict.get("OPTIONS", {})
    options.pop("pool", None)
    with ExitStack() as until_closed:
        if direct.vendor == "sqlite":
            options["timeout"] = CONNECT_SECONDS
            until_closed.enter_context(_sqlite)
        else:
            options["connect_timeout"] = CONNECT_SECONDS
        until_closed.callback(direct.close)
        yield direct
