"""S7: rate limits are exact, on the database and on Redis."""

import contextlib
import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts import limits
from accounts.access import Parent
from accounts.models import RateWindow, Team
from tests.conftest import run_at_once
from tests.jobs import Configure, given
from tests.servers import Redis, free_port


class Hung:
    """A server that accepts and stays silent, and keeps what it `accepted`."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.server.getsockname()[1]}/0"
        self.accepted: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.accepted.append(self.server.accept()[0])

    def close(self) -> None:
        for each in (self.server, *self.accepted):
            each.close()


START = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_outage", limits._Outage())


@pytest.fixture(params=["database", "redis"])
def counter(request: pytest.FixtureRequest, settings: Settings, transactional_db: None) -> int:
    """A key's id that nothing has counted yet, with a limit of 50, on either store."""
    settings.RATE_LIMIT = 50
    settings.REDIS_URL = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return time.time_ns() // 1000


@pytest.fixture
def hung(settings: Settings, transactional_db: None) -> Iterator[Hung]:
    """A Redis that takes connections and never answers, which is REDIS_URL."""
    server = Hung()
    settings.RATE_LIMIT, settings.REDIS_URL = 2, server.url
    yield server
    server.close()


def test_exactly_the_limit_passes(counter: int) -> None:
    def hit(_: int) -> limits.Decision:
        decision = limits.hit(counter)
        assert decision is not None
        return decision

    with time_machine.travel(START, tick=False):
        decisions = run_at_once(hit, 200)
    assert sum(decision.allowed for decision in decisions) == 50
    assert sorted(decision.remaining for decision in decisions if decision.allowed) == list(range(50))
    assert {decision.remaining for decision in decisions if not decision.allowed} == {0}


def test_a_new_minute_starts_anew(counter: int, settings: Settings) -> None:
    settings.RATE_LIMIT = 2
    with time_machine.travel(START, tick=False) as clock:
        found = [limits.hit(counter) for _ in range(3)]
        assert found == [
            limits.Decision(True, 2, 1, 50),
            limits.Decision(True, 2, 0, 50),
            limits.Decision(False, 2, 0, 50),
        ]
        clock.shift(49)
        assert limits.hit(counter) == limits.Decision(False, 2, 0, 1)
        clock.shift(1)
        assert limits.hit(counter) == limits.Decision(True, 2, 1, 60)


def test_keys_are_counted_apart(counter: int, settings: Settings) -> None:
    settings.RATE_LIMIT = 1
    with time_machine.travel(START, tick=False):
        for key_id in (counter, counter + 1):
            decision = limits.hit(key_id)
            assert decision is not None
            assert decision.allowed


def test_what_made_keys_submit_counts_in_their_makers_minute(counter: int, settings: Settings) -> None:
    maker = Parent(counter, 20)

    def hit(number: int) -> limits.Decision:
        """Of three keys, of which each may as much as the one that made them, and of that one."""
        which = number % 4
        decision = limits.hit(counter + which, 20, parent=maker if which else None)
        assert decision is not None
        return decision

    with time_machine.travel(START, tick=False):
        decisions = run_at_once(hit, 80)
        assert sum(decision.allowed for decision in decisions) == 20
        assert {decision.limit for decision in decisions} == {20}
        assert limits.hit(counter + 9, 50, parent=maker) == limits.Decision(False, 20, 0, 50)


def test_what_is_refused_to_a_made_key_does_not_count_for_its_maker(counter: int) -> None:
    maker = Parent(counter, 20)
    with time_machine.travel(START, tick=False):
        own = [limits.hit(counter + 1, 5, parent=maker) for _ in range(30)]
        assert [each and (each.allowed, each.limit) for each in own] == [(True, 5)] * 5 + [(False, 5)] * 25
        assert limits.hit(counter, 20) == limits.Decision(True, 20, 14, 50)


def test_a_maker_without_a_limit_counts_nothing(counter: int, settings: Settings) -> None:
    settings.RATE_LIMIT = 0
    assert limits.hit(counter, parent=Parent(counter + 1, None)) is None
    decision = limits.hit(counter, parent=Parent(counter + 1, 4))
    assert decision is not None
    assert decision.limit == 4


def test_a_process_whose_clock_is_behind_gives_nothing_away(db: None, settings: Settings) -> None:
    settings.RATE_LIMIT, settings.REDIS_URL = 2, ""
    with time_machine.travel(START, tick=False) as clock:
        clock.shift(60)
        limits.hit(1)
        clock.shift(-60)
        behind = [limits.hit(1), limits.hit(1)]
    assert [decision and decision.allowed for decision in behind] == [True, False]
    assert RateWindow.objects.get().count == 2


def test_no_limit_counts_nothing(settings: Settings) -> None:
    settings.RATE_LIMIT = 0
    assert limits.hit(1) is None  # a query would be an error: this test has no database


def test_a_dead_redis_refuses_nobody(settings: Settings, transactional_db: None) -> None:
    settings.RATE_LIMIT, settings.REDIS_URL = 2, f"redis://127.0.0.1:{free_port()}/0"
    decisions = [limits.hit(1) for _ in range(3)]
    assert [decision and decision.allowed for decision in decisions] == [True, True, False]
    assert RateWindow.objects.get().name == "submit:1"


def test_a_hung_redis_is_waited_for_once(hung: Hung, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "accounts.limits"):
        decisions = [limits.hit(1) for _ in range(20)]
    assert time.monotonic() - began < 2
    assert sum(bool(decision and decision.allowed) for decision in decisions) == 2
    assert len(hung.accepted) == 1
    assert caplog.text.count("Redis failed") == 1


def test_after_the_pause_one_thread_tries_again(hung: Hung, settings: Settings) -> None:
    settings.RATE_LIMIT = 1000
    limits.hit(1)
    limits._outage.next_try = time.monotonic()
    run_at_once(lambda _: limits.hit(1), 8)
    assert len(hung.accepted) == 2
    assert RateWindow.objects.get().count == 9


def test_redis_counts_again_once_it_is_back(
    settings: Settings, transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Redis(tmp_path)
    settings.RATE_LIMIT, settings.REDIS_URL = 10, server.url
    monkeypatch.setattr(limits, "PAUSE", 0.0)
    try:
        with time_machine.travel(START, tick=False):
            remaining = [_remaining()]
            server.kill()
            remaining += [_remaining(), _remaining()]
            server.start()
            remaining.append(_remaining())
    finally:
        server.kill()
    assert remaining == [9, 9, 8, 9]  # the server that came back had kept nothing
    assert limits._outage.next_try is None


def _remaining() -> int:
    decision = limits.hit(1)
    assert decision is not None
    return decision.remaining


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["dead", "hung"])
def test_r4_a_submit_survives_a_redis_that_is_away(
    kind: str,
    hung: Hung,
    client: Client,
    key: str,
    team: Team,
    engines: Configure,
    unpublished: list[int],
    settings: Settings,
) -> None:
    settings.RATE_LIMIT = 1000
    settings.REDIS_URL = hung.url if kind == "hung" else f"redis://127.0.0.1:{free_port()}/0"
    files = {name: io.BytesIO(value) if isinstance(value, bytes) else value for name, value in given().items()}
    began = time.monotonic()
    answer = client.post("/v2/bg-replace", files, headers={"x-api-key": key})
    assert answer.status_code == 200, answer.content
    assert time.monotonic() - began < 1
    assert len(unpublished) == 1
