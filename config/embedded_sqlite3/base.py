"""The database backend. With the option `pool` a connection that is closed is kept for the next one who needs one,
and whoever writes waits for the turn first; without it, it is Django's own."""

import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base

from config.embedded_sqlite3 import pool
from config.embedded_sqlite3.writing import Busy, Turn

WRITES = ("INSERT", "UPDATE", "DELETE")


class Cursor(base.SQLiteCursorWrapper):
    """Takes the turn for a statement that writes and stands by itself."""

    def __init__(self, connection: sqlite3.Connection, turn: Turn, seconds: float) -> None:
        super().__init__(connection)
        self.turn, self.seconds = turn, seconds

    def execute(self, query: str, params: Any = None) -> Any:
        if self.connection.in_transaction or not query.lstrip().startswith(WRITES):
            return super().execute(query, params)
        try:
            with self.turn.taken(self.seconds):
                return super().execute(query, params)
        except Busy as error:
            raise sqlite3.OperationalError("database is locked") from error


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
        return (self.pool and self.pool.take()) or super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        if self.pool is None:
            return super().create_cursor(name)
        turn = self.pool.turn
        return self.connection.cursor(factory=lambda connection: Cursor(connection, turn, self.patience))

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_turn()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _close(self) -> None:
        try:
            if self.pool and self._is_clean():
                self.pool.give(self.connection)
            else:
                super()._close()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _is_clean(self) -> bool:
        """Return whether another thread may use the connection: nothing is under way on it, nothing went wrong."""
        in_use = self.in_atomic_block or self.errors_occurred or self.connection is None
        return not in_use and not self.connection.in_transaction

    def _take_turn(self) -> None:
        if self.pool is None:
            return
        with self.wrap_database_errors:
            try:
                self.pool.turn.take(self.patience)
            except Busy as error:
                raise sqlite3.OperationalError("database is locked") from error
        self.has_turn = True

    def _give_turn(self) -> None:
        if self.pool and self.has_turn:
            self.has_turn = False
            self.pool.turn.give()
