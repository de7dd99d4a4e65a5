"""Named places that one process at a time holds, whatever the number of processes: rows of generations.models.lease."""

import time
from dataclasses import dataclass

from django.db import connection

_TAKE = """
    INSERT INTO generations_lease (name, until) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE generations_lease.until < %s
"""
_GIVE_BACK = "UPDATE generations_lease SET until = 0 WHERE name = %s AND until = %s"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that was taken until then (seconds since 1970): one that ran out may be another's by now."""

    name: str
    until: float

    def give_back(self) -> None:
        """Free it, unless it ran out and was taken."""
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [self.name, self.until])


def take(name: str, seconds: float) -> Place | None:
    """Take a place for so long at most; None where somebody holds it."""
    now = time.time()
    place = Place(name, now + seconds)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [place.name, place.until, now])
        return place if cursor.rowcount == 1 else None
