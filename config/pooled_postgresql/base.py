"""A look at each connection that the pool gives, instead of CONN_HEALTH_CHECKS, which asks the server each time."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but a connection whose server has gone since it was last used is replaced by another."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
        while self.pool and _is_over(connection):
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def _is_over(connection: psycopg.Connection[Any]) -> bool:
    """Return whether an idle connection has something to say: nobody asked, so it is the server's farewell."""
    idle = select.poll()
    idle.register(connection.pgconn.socket, select.POLLIN)
    return bool(idle.poll(0))
