"""Cursors whose statements PostgreSQL plans once a connection: for the few that every generation runs, planning costs
more than running."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """Yield Django's cursor, but with the values beside the text and not in it, so that the text stays the same.

    Each value wants a cast in the statement (`%(cost)s::bigint`): its type is otherwise guessed from its size.
    """
    connection.ensure_connection()
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(psycopg.Cursor(connection.connection)) as made:  # type: ignore[arg-type]  # any cursor will do
        yield made
