"""A database connection outside the pool and the thread's own, for signs of life: short, and never waited for."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

CONNECT_SECONDS = 2


@contextmanager
def direct_connection() -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection that is closed at the end. Raises django.db.Error within seconds where there is none.

    A pool would make the caller wait for its timeout, and its threads do not survive the fork of worker processes.
    """
    direct = connection.copy()
    options = direct.settings_dict.get("OPTIONS", {})
    options.pop("pool", None)
    if direct.vendor == "sqlite":
        options["timeout"] = CONNECT_SECONDS
    else:
        options["connect_timeout"] = CONNECT_SECONDS
    try:
        yield direct
    finally:
        direct.close()
