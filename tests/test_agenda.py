"""Jobs that wait without a thread, and what becomes of them when their worker stops."""

import heapq
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from accounts.access import Actor
from accounts.models import Team
from generations import agenda, submission
from generations.engines import base
from generations.models import Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import Door, Status
from tests.jobs import given
from tests.live import Workers, all_ended, until

IDLE = 20.0
"""Seconds after which a test has hung."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., agenda.Agenda]]:
    """Return a function that makes an agenda; it is closed with the test."""
    made: list[agenda.Agenda] = []

    def make(threads: int = 2) -> agenda.Agenda:
        made.append(agenda.Agenda(threads))
        return made[-1]

    yield make
    for each in made:
        each.close(0.0)


class Told:
    """A job that pauses as it is told, and notes what happens to it."""

    def __init__(self, *pauses: float) -> None:
        self.pauses = pauses
        self.threads: list[int] = []
        self.ended = threading.Event()
        self.stopped: base.RateLimited | None = None

    def steps(self) -> agenda.Steps:
        try:
            for pause in self.pauses:
                self.threads.append(threading.get_ident())
                yield pause
        except base.RateLimited as error:
            self.stopped = error
        finally:
            self.ended.set()


def test_a_thousand_wait_at_a_time_with_two_threads(opened: Callable[..., agenda.Agenda]) -> None:
    of, before = opened(2), threading.active_count()
    jobs = [Told(0.3, 0.1) for _ in range(1000)]
    began = time.monotonic()
    for job in jobs:
        of.go_on(job.steps())
    assert all(job.ended.wait(IDLE) for job in jobs)
    assert time.monotonic() - began < 10
    assert threading.active_count() <= before + 2
    assert len({thread for job in jobs for thread in job.threads[1:]}) <= 2


def test_the_one_that_is_due_first_goes_on_first(opened: Callable[..., agenda.Agenda]) -> None:
    of, late, soon = opened(), Told(IDLE), Told(0.05)
    of.go_on(late.steps())
    of.go_on(soon.steps())
    assert soon.ended.wait(5)
    assert not late.ended.is_set()


def test_one_that_breaks_does_not_keep_the_others_from_it(
    opened: Callable[..., agenda.Agenda], caplog: pytest.LogCaptureFixture
) -> None:
    def breaks() -> agenda.Steps:
        yield 0.01
        raise MemoryError

    of, whole = opened(threads=1), Told(0.1)
    of.go_on(breaks())
    of.go_on(whole.steps())
    assert whole.ended.wait(IDLE)
    assert "a job that waited broke" in caplog.text


def test_at_the_end_what_is_soon_done_is_waited_for_and_the_rest_is_handed_over(
    opened: Callable[..., agenda.Agenda],
) -> None:
    of, soon, late = opened(), Told(0.1, 0.1), Told(IDLE)
    for job in (soon, late):
        of.go_on(job.steps())
    began = time.monotonic()
    of.close(1.0)
    assert 0.9 < time.monotonic() - began < 10
    assert (soon.ended.is_set(), soon.stopped) == (True, None)
    assert late.stopped is not None
    after = Told(0.1)
    of.go_on(after.steps())
    assert after.stopped is not None


def test_where_nothing_waits_the_end_comes_at_once(opened: Callable[..., agenda.Agenda]) -> None:
    of, job = opened(), Told(0.1)
    of.go_on(job.steps())
    began = time.monotonic()
    of.close(IDLE)
    assert time.monotonic() - began < 5
    assert job.stopped is None


def test_elsewhere_a_job_waits_in_its_thread() -> None:
    job = Told(0.05, 0.05)
    agenda.carry_out(job.steps())
    assert job.ended.is_set()
    assert job.threads == [threading.get_ident()] * 2


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


def test_where_no_thread_can_be_had_it_is_asked_for_again_and_each_job_goes_on_once(
    opened: Callable[..., agenda.Agenda], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(agenda, "AGAIN", 0.05)
    of, jobs = opened(2), [Told(0.01, 0.01) for _ in range(5)]
    with monkeypatch.context() as patched:
        patched.setattr(of._pool, "_adjust_thread_count", no_thread)  # as the pool does: it has queued the call
        for job in jobs:
            of.go_on(job.steps())
        until(lambda: caplog.text.count("no thread for a job") > 2, 5)
    assert all(job.ended.wait(IDLE) for job in jobs)
    assert [len(job.threads) for job in jobs] == [2] * 5
    assert "a job that waited broke" not in caplog.text


def test_at_the_end_jobs_are_handed_over_without_a_thread_too(
    opened: Callable[..., agenda.Agenda], monkeypatch: pytest.MonkeyPatch
) -> None:
    of, jobs = opened(2), [Told(0.01), Told(IDLE)]
    monkeypatch.setattr(of._pool, "_adjust_thread_count", no_thread)
    for job in jobs:
        of.go_on(job.steps())
    of.close(0.1)
    assert all(job.stopped for job in jobs)


def test_where_the_clock_breaks_all_is_handed_over(
    opened: Callable[..., agenda.Agenda], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise MemoryError

    of, jobs = opened(2), [Told(IDLE), Told(0.01)]
    monkeypatch.setattr(agenda, "heapq", SimpleNamespace(heappush=heapq.heappush, heappop=fail))
    for job in jobs:
        of.go_on(job.steps())
    assert all(job.ended.wait(5) for job in jobs)
    late = Told(IDLE)
    of.go_on(late.steps())
    assert all(job.stopped for job in (*jobs, late))
    assert "the clock of the agenda broke" in caplog.text


# --- real workers -------------------------------------------------------------------------------------------


@pytest.fixture
def scripted_engines() -> dict[str, dict[str, object]]:
    return {"scripted": {"paid": True, "handoff": True, "queue": "network"}}


def submit(actor: Actor, delay: float) -> Generation:
    raw = given(prompt=f"@delay={delay}")
    return submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=raw).generation


def waiting() -> int:
    return Attempt.objects.filter(state=State.SUBMITTED).count()


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_more_jobs_wait_than_the_workers_have_threads(workers: Workers, actor: Actor, team: Team) -> None:
    workers.environment["NETWORK_THREADS"] = "2"
    workers.start("network")
    workers.start("network", "2")
    workers.ready(2)
    for _ in range(16):
        submit(actor, 4.0)
    until(lambda: waiting() == 16, 10, workers.logs)
    until(all_ended, 30, workers.logs)
    assert Output.objects.count() == 16
    assert set(Generation.objects.values_list("status", flat=True)) == {Status.SUCCEEDED}


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_hands_over_what_waits_long(workers: Workers, actor: Actor, team: Team) -> None:
    workers.environment["LEASE_SECONDS"] = "600"
    worker: subprocess.Popen[bytes] = workers.start("network")
    workers.ready(1)
    submit(actor, 1.0)
    submit(actor, 60.0)
    until(lambda: waiting() == 2, 10, workers.logs)
    worker.terminate()
    worker.wait(timeout=30)
    assert Attempt.objects.filter(state=State.DONE).count() == 1
    left = Attempt.objects.get(state=State.SUBMITTED)
    assert (left.lease, bool(left.upstream_id)) == (None, True)
    Generation.objects.filter(id=left.generation_id).update(params={**left.generation.params, "prompt": "a beach"})
    for queue in ("network", "control"):
        workers.start(queue)
    workers.beat()
    until(all_ended, 30, workers.logs)
    assert Output.objects.count() == 2
