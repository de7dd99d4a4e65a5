"""Real workers, killed, cut off and starved: what was accepted ends, and no hold stays open."""

import os
import signal
import subprocess
import time

import psutil
import pytest
from django.utils import timezone

from accounts import ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import Team
from generations import dispatch, submission
from generations.models import Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import Door, Status
from tests import live
from tests.jobs import given
from tests.live import Workers, all_ended, until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def submit(actor: Actor, prompt: str = "a beach") -> Generation:
    raw = given(prompt=prompt)
    return submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=raw).generation


def assert_books_are_closed(team: Team, succeeded: int) -> None:
    assert ledger.open_holds(timezone.now()) == []
    cost = sum(each.cost or 0 for each in Generation.objects.filter(status=Status.SUCCEEDED))
    balance = ledger.balance(team.pk)
    assert (balance.posted, balance.held) == (25 * MICRO - cost, 0)
    assert Generation.objects.filter(status=Status.SUCCEEDED).count() == succeeded


def test_a_job_runs_and_its_thumbnail_is_made(workers: Workers, actor: Actor, team: Team) -> None:
    workers.start("compute")
    workers.start("control")
    workers.ready(2)
    submit(actor)
    until(all_ended, 10, workers.logs)
    assert_books_are_closed(team, succeeded=1)
    until(lambda: Output.objects.exclude(thumbnail="").exists(), 10, workers.logs)


def test_r2_and_r5_a_worker_killed_in_the_middle_of_a_job(workers: Workers, actor: Actor, team: Team) -> None:
    victim = workers.start("compute")
    workers.start("control")
    workers.beat()
    workers.ready(2)
    jobs = [submit(actor, "@delay=2 @steps=4") for _ in range(2)]
    until(lambda: Attempt.objects.filter(state=State.SUBMITTING).count() == 2, 20, workers.logs)
    workers.kill(victim)
    workers.start("compute")
    until(all_ended, 60, workers.logs)
    assert_books_are_closed(team, succeeded=2)
    assert Attempt.objects.filter(lost=True).count() == 2
    assert Output.objects.count() == len(jobs)


def test_only_the_pool_process_killed(workers: Workers, actor: Actor, team: Team) -> None:
    worker = workers.start("compute", concurrency=1)
    workers.start("control")
    workers.beat()
    workers.ready(2)
    submit(actor, "@delay=2")
    until(lambda: Attempt.objects.filter(state=State.SUBMITTING).exists(), 20, workers.logs)
    for child in psutil.Process(worker.pid).children():
        os.kill(child.pid, signal.SIGKILL)
    until(all_ended, 60, workers.logs)
    assert_books_are_closed(team, succeeded=1)


def test_r5_an_idle_pool_process_killed(workers: Workers, actor: Actor, team: Team) -> None:
    """It waits for work in a lock that the others need."""
    worker = workers.start("compute")
    workers.start("control")
    workers.beat()
    workers.ready(2)
    submit(actor)
    until(all_ended, 20, workers.logs)
    for child in psutil.Process(worker.pid).children():
        os.kill(child.pid, signal.SIGKILL)
    for _ in range(3):
        submit(actor)
    until(all_ended, 60, workers.logs)
    assert_books_are_closed(team, succeeded=4)


def test_r2_messages_that_the_broker_lost(
    workers: Workers, actor: Actor, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = dispatch.attempt

    def lossy(attempt_id: int, queue: str, *, after: float = 0.0) -> None:
        if attempt_id % 10:
            publish(attempt_id, queue, after=after)

    monkeypatch.setattr(dispatch, "attempt", lossy)
    for queue in ("compute", "control"):
        workers.start(queue)
    workers.beat()
    workers.ready(2)
    for _ in range(30):
        submit(actor)
    until(all_ended, 60, workers.logs)
    assert Attempt.objects.filter(publishes__gt=1).count() >= 3
    assert_books_are_closed(team, succeeded=30)


def test_r4_a_submit_is_accepted_while_the_broker_is_down(workers: Workers, actor: Actor, team: Team) -> None:
    with live.broker("redis://127.0.0.1:1/0"):
        began = time.monotonic()
        submit(actor)
        assert time.monotonic() - began < 1.0
    assert ledger.balance(team.pk).held > 0
    for queue in ("compute", "control"):
        workers.start(queue)
    workers.beat()
    until(all_ended, 60, workers.logs)
    assert_books_are_closed(team, succeeded=1)


def test_a_stopped_worker_that_wakes_up_late_changes_nothing(workers: Workers, actor: Actor, team: Team) -> None:
    """Its lease ran out and another did the work: SIGSTOP is what a swapped-out or suspended machine looks like."""
    sleeper = workers.start("compute", concurrency=1)
    workers.start("control")
    workers.beat()
    workers.ready(2)
    submit(actor, "@delay=2")
    until(lambda: Attempt.objects.filter(state=State.SUBMITTING).exists(), 20, workers.logs)
    family = [psutil.Process(sleeper.pid), *psutil.Process(sleeper.pid).children(recursive=True)]
    _signal(family, signal.SIGSTOP)
    workers.start("compute", concurrency=1)
    until(all_ended, 60, workers.logs)
    _signal(family, signal.SIGCONT)
    time.sleep(3)  # long enough for the sleeper to finish and be refused
    assert_books_are_closed(team, succeeded=1)
    assert Output.objects.count() == 1


def _signal(family: list[psutil.Process], number: int) -> None:
    for process in family:
        process.send_signal(number)


def test_sigterm_lets_a_job_finish(workers: Workers, actor: Actor, team: Team) -> None:
    worker: subprocess.Popen[bytes] = workers.start("compute")
    workers.ready(1)
    submit(actor, "@delay=1")
    until(lambda: Attempt.objects.filter(state=State.SUBMITTING).exists(), 20, workers.logs)
    worker.terminate()
    worker.wait(timeout=20)
    assert all_ended()
    assert_books_are_closed(team, succeeded=1)
