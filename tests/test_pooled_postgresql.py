"""After the database restarted, no request gets a connection that died while nobody used it."""

import threading

import pytest
from django.db import OperationalError, connection

from accounts.models import Team
from config.database import direct_connection
from tests.live import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server whose connections could die"),
]


def backend() -> int:
    """Return the number of the server's process behind this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(backends: list[int]) -> None:
    """End the server's side of connections, as its restart does, and wait until it has ended."""
    with direct_connection() as direct, direct.cursor() as cursor:
        cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s) AS pid", [backends])

        def have_ended() -> bool:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [backends])
            return bool(cursor.fetchone() == (0,))

        until(have_ended, 10)


def test_a_connection_that_died_in_the_pool_is_replaced() -> None:
    before = backend()
    connection.close()
    end([before])
    assert Team.objects.count() == 0
    assert backend() != before


def test_so_are_all_of_them() -> None:
    held, all_hold = [], threading.Barrier(4)

    def hold() -> None:
        held.append(backend())
        all_hold.wait(10)
        connection.close()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.close()
    assert len(set(held)) == 4
    end(held)
    assert backend() not in held


def test_one_that_dies_in_use_is_an_error_and_the_next_statement_works() -> None:
    before = backend()
    end([before])
    with pytest.raises(OperationalError):
        Team.objects.count()
    connection.close()
    assert Team.objects.count() == 0
