"""Waiting for the end of a generation."""

import contextlib
import threading
import time
import uuid
from types import SimpleNamespace

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team
from generations import execution, finishing, leases, notices, routing, statements, waiting
from generations.engines import base
from generations.engines.scripted import ScriptedEngine
from generations.statements.terms import Final
from tests.jobs import Configure, Submit

IDLE = 10.0
"""Seconds after which a test has hung."""

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_has_ended_is_returned_once_the_bell_rings(submit: Submit, unpublished: list[int]) -> None:
    generation, bell = submit(), threading.Event()
    finishing.cancel(generation.id)
    bell.set()
    found = waiting.until_final(generation.id, bell, timeout=5)
    assert found is not None
    assert found.generation == generation
    assert found.generation.status == "canceled"


def test_none_after_the_timeout(submit: Submit, unpublished: list[int]) -> None:
    began = time.monotonic()
    assert waiting.until_final(submit().id, threading.Event(), timeout=0.2) is None
    assert 0.2 <= time.monotonic() - began < 2
    assert waiting.until_final(uuid.uuid4(), threading.Event(), timeout=0) is None


def test_a_lost_notice_is_made_up_for(submit: Submit, unpublished: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RECHECK", 0.1)
    monkeypatch.setattr(waiting, "_next_look", 0.0)
    monkeypatch.setattr(notices, "publish", lambda generation_id: None)
    first, second = submit("one"), submit("two")
    finishing.cancel(first.id)
    with notices.expected(first.id) as bell, notices.expected(second.id) as other:
        assert waiting.until_final(first.id, bell, timeout=IDLE)
        assert not other.is_set()


def test_one_look_a_while_is_for_all_who_wait(
    submit: Submit,
    unpublished: list[int],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(waiting, "RECHECK", 0.1)
    monkeypatch.setattr(waiting, "_next_look", 0.0)
    monkeypatch.setattr(notices, "publish", lambda generation_id: None)
    jobs = [submit(str(number)) for number in range(5)]
    with contextlib.ExitStack() as expected:
        bells = [expected.enter_context(notices.expected(job.id)) for job in jobs]
        for job in jobs[1:]:
            finishing.cancel(job.id)
        with django_assert_num_queries(2):  # and, once its time is over, one for itself
            assert waiting.until_final(jobs[0].id, bells[0], timeout=0.15) is None
        assert [bell.is_set() for bell in bells] == [False, True, True, True, True]


def test_a_bell_that_rings_between_the_look_and_the_wait_is_heard(
    submit: Submit, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job ends just after the waiter has looked: its notice must not be wiped away."""
    generation, bell = submit(), threading.Event()
    really = statements.current()
    looks: list[uuid.UUID] = []

    def final(generation_id: uuid.UUID) -> Final | None:
        found = really.final(generation_id)
        looks.append(generation_id)
        if len(looks) == 1:
            finishing.cancel(generation.id)
            bell.set()
        return found

    monkeypatch.setattr(statements, "current", lambda: SimpleNamespace(final=final))
    bell.set()  # a first, idle look
    began = time.monotonic()
    assert waiting.until_final(generation.id, bell, timeout=10)
    assert time.monotonic() - began < waiting.RECHECK / 2


def test_many_wait_and_each_hears_of_its_own(submit: Submit, unpublished: list[int]) -> None:
    first, second = submit("one"), submit("two")
    woken: list[uuid.UUID] = []

    def wait(generation_id: uuid.UUID) -> None:
        with notices.expected(generation_id) as bell:
            started.release()
            if waiting.until_final(generation_id, bell, timeout=4):
                woken.append(generation_id)
        connection.close()

    started = threading.Semaphore(0)
    threads = [threading.Thread(target=wait, args=(each.id,)) for each in (first, second)]
    for thread in threads:
        thread.start()
        assert started.acquire(timeout=5)
    began = time.monotonic()
    finishing.cancel(second.id)
    threads[1].join()
    assert woken == [second.id]
    assert time.monotonic() - began < 1
    finishing.cancel(first.id)
    threads[0].join()
    assert woken == [second.id, first.id]


def test_a_connection_is_given_back_but_for_a_transaction(team: Team) -> None:
    Team.objects.exists()
    with transaction.atomic():
        waiting.let_go()
        assert connections["default"].connection is not None
        Team.objects.exists()
    waiting.let_go()
    assert connections["default"].connection is None


def test_a_job_in_the_hands_of_an_upstream_keeps_no_connection_of_a_pool(
    submit: Submit, engines: Configure, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand jobs wait at a time, and there are sixteen connections."""
    engines(careful={"paid": True, "handoff": True})
    monkeypatch.setattr(routing.engine("careful"), "limits", base.Limits())
    kept: list[bool] = []
    really = ScriptedEngine.collect

    def look(self: ScriptedEngine, request_id: str, job: base.Job, progress: base.Progress) -> base.Waiting:
        kept.append(connections["default"].connection is not None)
        return really(self, request_id, job, progress)

    monkeypatch.setattr(ScriptedEngine, "collect", look)
    generation = submit()
    execution.run(unpublished[0])
    generation.refresh_from_db()
    assert generation.status == "succeeded"
    assert kept == [not connection.settings_dict["OPTIONS"].get("pool")]


def test_an_engine_that_works_keeps_no_connection_of_a_pool(
    submit: Submit, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bool] = []
    really = ScriptedEngine.submit

    def look(engine: ScriptedEngine, job: base.Job, progress: base.Progress) -> base.Result | base.Submitted:
        kept.append(connections["default"].connection is not None)
        progress(0.5, "half way")
        kept.append(connections["default"].connection is not None)
        return really(engine, job, progress)

    monkeypatch.setattr(ScriptedEngine, "submit", look)
    monkeypatch.setattr(leases, "PROGRESS_EVERY", 0)
    generation = submit()
    execution.run(unpublished[0])
    generation.refresh_from_db()
    assert (generation.status, generation.progress) == ("succeeded", 1.0)
    assert kept == [not connection.settings_dict["OPTIONS"].get("pool")] * 2
