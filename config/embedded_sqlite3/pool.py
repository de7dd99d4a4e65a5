"""What a process keeps of each SQLite file that it uses: open connections nobody uses just now, and the writers' turn.

Opening a connection reads the whole schema and makes Django's functions, which costs more than the few statements
that a request then runs.
"""

import os
import sqlite3
import threading
from pathlib import Path

from config.embedded_sqlite3.writing import Turn

IDLE = 16
"""Connections of one file that wait to be used again; more are closed."""


class Pool:
    """Of one file."""

    def __init__(self, file: Path) -> None:
        self.idle: list[sqlite3.Connection] = []
        self.turn = Turn(file.with_name(f"{file.name}-turn"))

    def take(self) -> sqlite3.Connection | None:
        """Return a connection that was given back, the one used last, or None."""
        try:
            return self.idle.pop()
        except IndexError:
            return None

    def give(self, connection: sqlite3.Connection) -> None:
        """Keep a connection on which nothing is under way."""
        if len(self.idle) < IDLE:
            self.idle.append(connection)
        else:
            connection.close()

    def close_idle(self) -> None:
        while connection := self.take():
            connection.close()


_pools: dict[tuple[str, int, int], Pool] = {}
_making = threading.Lock()


def of(name: str) -> Pool | None:
    """Return the pool of the file that has this name now: one put in its place (a backup) has a pool of its own.

    None where there is no such file yet, or nothing may be written beside it: SQLite makes it, or says what is wrong.
    """
    try:
        found = os.stat(name)  # noqa: PTH116  for each connection taken
        key = (name, found.st_dev, found.st_ino)
        pool = _pools.get(key)
        if pool is None:
            with _making:
                pool = _pools.get(key) or _pools.setdefault(key, Pool(Path(name)))
    except OSError:
        return None
    return pool


def _close_idle() -> None:
    for pool in _pools.values():
        pool.close_idle()


def _renew_turns() -> None:
    for pool in _pools.values():
        pool.turn.renew()


# A child must have neither its parent's connections, which SQLite does not survive, nor its turn.
os.register_at_fork(before=_close_idle, after_in_child=_renew_turns)
