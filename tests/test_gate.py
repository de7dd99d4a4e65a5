"""The gate before an engine that must be called with care: exact for all processes, and never shut for good."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from generations import gate, statements
from generations.engines import base
from generations.engines.scripted import ScriptedEngine
from generations.models import Attempt, Gate, Generation
from generations.models.attempt import State
from tests.jobs import Submit

pytestmark = pytest.mark.django_db(transaction=True)


def engine(**limits: Any) -> base.Engine:
    made = ScriptedEngine("careful")
    made.limits = base.Limits(**limits)
    return made


def fail(of: base.Engine, error: base.EngineError) -> None:
    with pytest.raises(type(error)), gate.passed(of):
        raise error


def row() -> Gate:
    return Gate.objects.get(engine="careful")


@pytest.fixture(autouse=True)
def _known_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_drained", (0.0, frozenset()))
    monkeypatch.setattr(gate, "_balances", {})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.0)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets so many seconds pass for the gate."""
    real, passed = timezone.now, 0.0

    def go(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(seconds=passed))
    return go


def in_threads(count: int, act: Callable[[], object]) -> None:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- the breaker --------------------------------------------------------------------------------------------


def test_r8_a_dead_upstream_is_called_ten_times_at_most_and_then_once_in_thirty_seconds(
    later: Callable[[float], None],
) -> None:
    careful, calls, lock = engine(submits=5), [], threading.Lock()

    def job() -> None:
        try:
            with gate.passed(careful):
                with lock:
                    calls.append(timezone.now())
                time.sleep(0.02)
                raise base.Unavailable("refused")
        except (base.Unavailable, base.RateLimited):
            return

    def jobs() -> None:
        for _ in range(10):
            job()

    in_threads(10, jobs)
    assert gate.THRESHOLD <= len(calls) <= 10
    for _ in range(3):
        before = len(calls)
        later(gate.OPEN_SECONDS + 1)
        in_threads(10, job)
        assert len(calls) == before + 1


def test_a_success_closes_the_breaker(later: Callable[[float], None]) -> None:
    careful = engine()
    for _ in range(gate.THRESHOLD):
        fail(careful, base.OutcomeUnknown("reset"))
    fail(careful, base.Unavailable("this one is not called"))
    later(gate.OPEN_SECONDS + 1)
    with gate.passed(careful):
        pass
    with gate.passed(careful):
        pass
    assert (row().failures, row().open_until) == (0, None)


def test_what_a_request_is_to_blame_for_does_not_count(later: Callable[[float], None]) -> None:
    careful = engine()
    for _ in range(2 * gate.THRESHOLD):
        fail(careful, base.Rejected("no subject"))
        fail(careful, base.Unsupported("another model"))
    assert (row().failures, row().open_until) == (0, None)


def test_failures_that_are_not_one_after_the_other_do_not_count() -> None:
    careful = engine()
    for _ in range(3):
        for _ in range(gate.THRESHOLD - 1):
            fail(careful, base.Unavailable("refused"))
        with gate.passed(careful):
            pass
    assert row().open_until is None


def test_what_only_the_operator_can_mend_opens_it_at_once_and_is_written_down(later: Callable[[float], None]) -> None:
    careful = engine()
    fail(careful, base.NotConfigured("not now", detail="the key is wrong"))
    assert row().alert == "the key is wrong"
    with pytest.raises(base.Unavailable) as caught, gate.passed(careful):
        raise AssertionError("it must not be called")
    assert "key" not in str(caught.value)
    later(gate.OPEN_SECONDS + 1)
    with gate.passed(careful):
        pass
    assert row().alert == ""


def test_an_engine_that_breaks_counts_as_one_that_fails() -> None:
    careful = engine()
    for _ in range(gate.THRESHOLD):
        with pytest.raises(KeyError), gate.passed(careful):
            raise KeyError("a mistake in the engine")
    assert row().open_until is not None
    assert row().submits == []


# --- places -------------------------------------------------------------------------------------------------


def test_so_many_submits_at_a_time_and_no_more() -> None:
    careful, inside, most, lock = engine(submits=3), 0, 0, threading.Lock()
    served = 0

    def job() -> None:
        nonlocal inside, most, served
        with gate.passed(careful):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.03)
            with lock:
                inside -= 1
                served += 1

    in_threads(9, job)
    assert served == 9
    assert most <= 3
    assert row().submits == []
    with gate.passed(careful), gate.passed(careful), gate.passed(careful):
        assert len(row().submits) == 3


def test_a_job_that_would_wait_long_goes_back_to_the_queue(impatient: None) -> None:
    careful = engine(submits=1)
    with gate.passed(careful), pytest.raises(base.RateLimited) as caught, gate.passed(careful):
        raise AssertionError("it must not be called")
    assert 0 < caught.value.after < 5


def test_the_place_of_a_worker_that_was_killed_is_free_again(later: Callable[[float], None], impatient: None) -> None:
    careful = engine(submits=1, longest=60.0)
    gate._enter("careful", careful.limits or base.Limits())
    with pytest.raises(base.RateLimited), gate.passed(careful):
        raise AssertionError("it must not be called")
    later(61)
    with gate.passed(careful):
        assert len(row().submits) == 1


def test_jobs_in_hand_are_limited(submit: Submit, unpublished: list[int], impatient: None) -> None:
    careful = engine(jobs=2)
    for _ in range(2):
        attempt = Attempt.objects.get(generation=submit())
        Attempt.objects.filter(id=attempt.id).update(engine="careful", state=State.SUBMITTED)
    with pytest.raises(base.RateLimited), gate.passed(careful):
        raise AssertionError("it must not be called")
    Attempt.objects.filter(generation=Generation.objects.first()).update(state=State.DONE)
    with gate.passed(careful):
        pass


def test_a_rate_is_kept(impatient: None, later: Callable[[float], None]) -> None:
    careful = engine(per_second=0.1)
    with gate.passed(careful):
        pass
    with pytest.raises(base.RateLimited) as caught, gate.passed(careful):
        raise AssertionError("it must not be called")
    assert 5 < caught.value.after < 12
    later(10)
    with gate.passed(careful):
        pass


def test_everybody_waits_as_long_as_the_upstream_asks(later: Callable[[float], None]) -> None:
    careful = engine()
    fail(careful, base.RateLimited("slower", after=20))
    with pytest.raises(base.RateLimited) as caught, gate.passed(careful):
        raise AssertionError("it must not be called")
    assert 15 < caught.value.after <= 21
    later(20)
    with gate.passed(careful):
        pass


# --- the operator -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [None, base.Limits()])
def test_a_drained_engine_is_not_called_until_it_is_resumed(
    limits: base.Limits | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = engine()
    careful.limits = limits
    gate.drain("careful", drained=True)
    with pytest.raises(base.Unavailable, match="switched off"), gate.passed(careful):
        raise AssertionError("it must not be called")
    gate.drain("careful", drained=False)
    monkeypatch.setattr(gate, "_drained", (0.0, frozenset()))
    with gate.passed(careful):
        pass


def test_a_balance_is_written_down() -> None:
    careful = engine()
    with gate.passed(careful):
        pass
    gate.note_balance("careful", None)
    assert row().balance is None
    gate.note_balance("careful", 4_200_000)
    assert row().balance == 4_200_000


def test_of_many_balances_one_a_second_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    with gate.passed(engine()):
        pass
    for seconds, balance in ((0.0, 5), (0.5, 4), (0.9, 3)):
        monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: now + seconds)
        gate.note_balance("careful", balance)
        assert row().balance == 5
    monkeypatch.setattr(time, "monotonic", lambda: now + gate.BALANCE_EVERY)
    gate.note_balance("careful", 2)
    assert row().balance == 2


def test_what_was_paid_for_is_not_lost_to_a_database_that_fails_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = engine()

    def broken(*_: object) -> None:
        raise DatabaseError("away")

    with gate.passed(careful):
        monkeypatch.setattr(statements, "current", broken)
    assert len(row().submits) == 1  # which expires


def test_an_engine_without_limits_costs_no_statement(django_assert_num_queries: Any) -> None:
    free = ScriptedEngine("free")
    with gate.passed(free):
        pass
    with django_assert_num_queries(0), gate.passed(free):
        pass


def test_no_transaction_is_open_while_an_engine_is_called() -> None:
    with gate.passed(engine()):
        assert not connection.in_atomic_block
