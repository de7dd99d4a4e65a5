"""The blows: what is done to the programs, the broker, the database and the upstream, and when."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing

from django.conf import settings
from django.db import connection

from generations.models import Gate
from tests import upstream
from tests.chaos.inside.brokers import Broker
from tests.chaos.inside.events import Events
from tests.chaos.inside.fleet import APPLICATION, Fleet
from tests.chaos.inside.schedule import Schedule

EVERY_SECONDS = 1.1
MOMENT_SECONDS = 2.0
"""For so long a blow waits for a submit that is under way: it does the most harm there."""

LOOK_SECONDS = 0.01
FROZEN_SECONDS = (1.0, 7.0)
"""Shorter and longer than a lease."""

BROKER_SECONDS = (0.2, 1.5)
UPSTREAM_SECONDS = (0.1, 0.6)
LOCKED_SECONDS = (0.5, 2.5)
MEND_EVERY = 2.0
"""An operator closes the breaker so often, or the hosted API would hardly be called, and nothing could go wrong."""


class Blows:
    """Each kind by its name, with how often it is struck relative to the others. spared: what is left alone."""

    def __init__(
        self,
        events: Events,
        chance: random.Random,
        schedule: Schedule,
        fleet: Fleet,
        broker: Broker,
        server: upstream.Server,
        *,
        spared: Collection[str] = (),
    ) -> None:
        self.events, self.chance, self.schedule = events, chance, schedule
        self.fleet, self.broker, self.server = fleet, broker, server
        self._away: set[str] = set()
        kinds: dict[str, tuple[int, Callable[[], object]]] = {
            "network": (5, lambda: self._in_a_bad_moment(lambda: self._kill("network"))),
            "compute": (2, lambda: self._kill("compute")),
            "pool child": (3, lambda: self._in_a_bad_moment(self._kill_child)),
            "control": (1, lambda: self._kill("control")),
            "beat": (1, lambda: self._kill("beat")),
            "freeze": (3, lambda: self._in_a_bad_moment(self._freeze)),
            "broker": (2, lambda: self._out("broker", self.broker.go, self.broker.come, BROKER_SECONDS)),
            "database": (3, lambda: self._in_a_bad_moment(self._database)),
            "upstream": (1, lambda: self._out("upstream", self.server.stop, self.server.start, UPSTREAM_SECONDS)),
        }
        self.kinds = {name: kind for name, kind in kinds.items() if name not in spared}

    def plan(self, seconds: float) -> None:
        """Put blows for so long into the schedule: each kind once, then as their shares are."""
        count = max(len(self.kinds), round(seconds / EVERY_SECONDS))
        names = self.chance.sample(list(self.kinds), len(self.kinds))
        weights = [weight for weight, _ in self.kinds.values()]
        names += self.chance.choices(list(self.kinds), weights, k=count - len(names))
        for number, name in enumerate(names):
            self.schedule.at((number + self.chance.random()) * seconds / count, self.kinds[name][1])
        for number in range(int(seconds / MEND_EVERY)):
            self.schedule.at(number * MEND_EVERY, _close_breakers)

    # --- on the programs ------------------------------------------------------------------------------------

    def _kill(self, name: str) -> None:
        family = self.chance.random() < 0.7
        if self.fleet.kill(name, family=family):
            self.events.blow(name, family=family)

    def _kill_child(self) -> None:
        """Kill one process of a pool; ours has threads for the network, which have none of their own."""
        if self.fleet.kill_child("network") or self.fleet.kill_child("compute"):
            self.events.blow("pool child")

    def _freeze(self) -> None:
        name = self.chance.choice(["network", "network", "compute"])
        family = self.fleet.freeze(name)
        if family:
            self.events.blow("freeze", program=name)
            seconds = self.chance.uniform(*FROZEN_SECONDS)
            # Not by the schedule: whoever is frozen may hold a lock that a submit of ours then waits for.
            threading.Timer(seconds, self.fleet.thaw, [family]).start()

    # --- on what they need ----------------------------------------------------------------------------------

    def _out(
        self, name: str, go: Callable[[], object], come: Callable[[], object], seconds: tuple[float, float]
    ) -> None:
        if name in self._away:
            return
        self._away.add(name)
        self.events.blow(name)
        go()

        def back() -> None:
            come()
            self._away.discard(name)
            self.events.note("back", what_was_away=name)

        self.schedule.later(self.chance.uniform(*seconds), back)

    def _database(self) -> None:
        if connection.vendor == "sqlite":
            seconds = self.chance.uniform(*LOCKED_SECONDS)
            threading.Thread(target=_lock, args=(seconds,), daemon=True).start()
            self.events.blow("database", locked_for=seconds)
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = %s",
                [APPLICATION],
            )
            self.events.blow("database", connections=cursor.fetchone()[0])

    # --- when -----------------------------------------------------------------------------------------------

    def _in_a_bad_moment(self, strike: Callable[[], object]) -> None:
        """Strike while a submit is on its way, or after MOMENT_SECONDS without one; now and then just so."""
        give_up = time.monotonic() + (MOMENT_SECONDS if self.chance.random() < 0.8 else 0.0)

        def look() -> None:
            if self._is_submitting() or time.monotonic() >= give_up:
                strike()
            else:
                self.schedule.later(LOOK_SECONDS, look)

        look()

    def _is_submitting(self) -> bool:
        recent = [call for call in list(self.server.account.calls)[-8:] if time.time() - call.at < 0.5]
        return any(call.kind == "submit" and call.status is None for call in recent)


def _close_breakers() -> None:
    Gate.objects.filter(failures__gt=0).update(failures=0, open_until=None)


def _lock(seconds: float) -> None:
    """Keep everybody else from writing."""
    with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=30, isolation_level=None)) as own:
        own.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        own.execute("ROLLBACK")
