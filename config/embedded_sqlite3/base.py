"""The database backend. With the option `pool` a connection that is closed is kept for the next one who needs one,
and whoever writes waits for the turn first; without it, it is Django's own."""

import sqlite3
import time
from typing import Any

from django.db.backends.sqlite3 import base

from config.embedded_sqlite3 import pool

WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN")
TRY_SECONDS = 0.05
"""How long SQLite itself waits for those who don't ask for the turn, while all the others wait for us."""
PAUSE_SECONDS = 0.01
"""Between two tries: enough for those others to have their turn."""


class Cursor(base.SQLiteCursorWrapper):
    """Takes the turn for a statement that writes by itself, or begins a transaction and so keeps it."""

    def __init__(self, connection: sqlite3.Connection, wrapper: "DatabaseWrapper") -> None:
        super().__init__(connection)
        self.wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> Any:
        """Run a statement; one outside a transaction again and again while SQLite is busy, with a new turn each time:
        a connection that can't write for whatever reason holds up nobody else."""
        if self.connection.in_transaction:
            return self._execute(query, params)
        ends = time.monotonic() + self.wrapper.patience
        writes = query.lstrip().startswith(WRITES)
        while True:
            if writes:  # the other half of the time is for SQLite, should the turn not come
                self.wrapper.take_turn((ends - time.monotonic()) / 2)
            try:
                return self._execute(query, params)
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= ends:
                    raise
            time.sleep(PAUSE_SECONDS)

    def _execute(self, query: str, params: Any) -> Any:
        try:
            return super().execute(query, params)
        finally:
            if not self.connection.in_transaction:
                self.wrapper.give_turn()


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF == sqlite3.SQLITE_BUSY


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection. Django's stubs do not have the methods for backends that it overrides."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool: pool.Pool | None = None
        self.has_turn = False

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        is_pooled = params.pop("pool", False) and not self.is_in_memory_db()
        self.pool = pool.of(str(params["database"])) if is_pooled else None
        self.patience: float = params.get("timeout", 5.0)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        if self.pool and (kept := self.pool.take()):
            return kept
        made: sqlite3.Connection = super().get_new_connection(conn_params)
        if self.pool:  # only now: opening has the whole time, and is not tried again
            made.execute(f"PRAGMA busy_timeout = {int(min(self.patience, TRY_SECONDS) * 1000)}").close()
        return made

    def create_cursor(self, name: str | None = None) -> Any:
        if self.pool is None:
            return super().create_cursor(name)
        return self.connection.cursor(factory=lambda connection: Cursor(connection, self))

    def take_turn(self, seconds: float) -> None:
        """Wait for the turn to write; after so many seconds it is left to SQLite who may."""
        if self.pool and not self.has_turn:
            self.has_turn = self.pool.turn.take(seconds)

    def give_turn(self) -> None:
        """Let the next one write, if it is our turn."""
        if self.pool and self.has_turn:
            self.has_turn = False
            self.pool.turn.give()

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self.give_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self.give_turn()

    def _close(self) -> None:
        try:
            if self.pool and self._is_clean():
                self.pool.give(self.connection)
            else:
                super()._close()  # type: ignore[misc]
        finally:
            self.give_turn()

    def _is_clean(self) -> bool:
        """Return whether another thread may use the connection: nothing is under way on it, nothing went wrong."""
        in_use = self.in_atomic_block or self.errors_occurred or self.connection is None
        return not in_use and not self.connection.in_transaction
