"""Jobs on the hosted API, through the whole core, while it fails in every way: what is charged, and what is shown."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from accounts import ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import Team
from generations import catalogue, execution, finishing, gate, leases, reconciliation, statements, submission
from generations.engines import base
from generations.engines.segmind import answers, body, engine, polling
from generations.engines.segmind import client as clients
from generations.models import Attempt, Gate, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import Door, Status
from tests import upstream
from tests.jobs import SCRIPTED, given, let_leases_run_out

pytestmark = pytest.mark.django_db(transaction=True)

HOSTED = "generations.engines.segmind.engine.SegmindEngine"
START = 25 * MICRO
PRICE = 10_000
"""What a job costs upstream, in millionths of a credit."""


@pytest.fixture
def server(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[upstream.Server]:
    monkeypatch.setattr(clients, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(polling, "UNSEEN", (0.0, 0.0))
    monkeypatch.setattr(engine, "SETTLING_SECONDS", 0.0)
    monkeypatch.setattr(gate, "_balances", {})
    with upstream.running() as running:
        options = {"key": upstream.KEY, "base_url": running.origin, "markup": 1.5}
        seconds = {"submit_seconds": 0.7, "poll_seconds": 0.4, "output_seconds": 0.4}
        settings.ENGINES = {
            "segmind": {"BACKEND": HOSTED, "OPTIONS": {**options, **seconds}},
            "hosted_too": {"BACKEND": SCRIPTED, "OPTIONS": {"paid": True}},
            "free": {"BACKEND": SCRIPTED, "OPTIONS": {"cost": 0.001}},
        }
        settings.ROUTES = {slug: ["segmind"] for slug in catalogue.MODELS}
        yield running


def submit(actor: Actor, **more: Any) -> Generation:
    return submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given(**more)).generation


def work(generation: Generation) -> Generation:
    """Run what is to be run now."""
    while attempt := Attempt.objects.filter(generation=generation, state=State.QUEUED, not_before=None).first():
        execution.run(attempt.id)
    generation.refresh_from_db()
    return generation


def come_to_rest(generation: Generation) -> Generation:
    """Let the deadline pass, as far as it is needed, with reconciliation at work."""
    if Attempt.objects.filter(generation=generation, state__in=LIVE).exists():
        Generation.objects.filter(id=generation.id).update(created_at=timezone.now() - timedelta(hours=1))
        reconciliation.reconcile()
    generation.refresh_from_db()
    return generation


def expire(generation_id: Any) -> None:
    Generation.objects.filter(id=generation_id).update(created_at=timezone.now() - timedelta(hours=1))
    finishing.expire(Generation.objects.get(id=generation_id))


def books(team: Team) -> tuple[int, int]:
    balance = ledger.balance(team.pk)
    return balance.posted - START, balance.held


def states(generation: Generation) -> list[tuple[str, str]]:
    return list(generation.attempts.order_by("number").values_list("engine", "state"))


def test_a_job_is_charged_what_the_upstream_took_with_the_mark_up(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    done = work(submit(actor))
    assert (done.status, done.engine, done.cost) == (Status.SUCCEEDED, "segmind", 15_000)
    assert books(team) == (-15_000, 0)
    assert Attempt.objects.get().cost == PRICE
    assert Gate.objects.get(engine="segmind").balance == round(999.99 * MICRO)


def test_m5_what_the_upstream_takes_above_the_quote_is_the_houses_loss(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    server.script({"fault": "price", "cost": 3.0})
    done = work(submit(actor))
    assert done.cost == done.quote
    assert books(team) == (-done.quote, 0)
    assert Attempt.objects.get().cost == 3 * MICRO


ENDINGS: dict[str, tuple[dict[str, Any], str, int]] = {
    "drip": ({"fault": "drip_body", "on": ["submit"]}, State.UNKNOWN, 1),
    "dripping headers": ({"fault": "drip_headers", "on": ["submit"]}, State.UNKNOWN, 1),
    "hang": ({"fault": "hang", "on": ["submit"], "billed": True}, State.UNKNOWN, 1),
    "5xx": ({"fault": "status", "status": 502, "on": ["submit"], "billed": True}, State.UNKNOWN, 1),
    "lost id": ({"fault": "lose_id"}, State.UNKNOWN, 1),
    "rejected": ({"fault": "status", "status": 400, "on": ["submit"]}, State.FAILED, 0),
    "wrong key": ({"fault": "status", "status": 401, "on": ["submit"]}, State.FAILED, 0),
    "failed there": ({"fault": "failed"}, State.FAILED, 1),
    "cut picture": ({"fault": "half", "on": ["output"]}, State.UNKNOWN, 1),
    "wrong type": ({"fault": "html", "on": ["output"]}, State.UNKNOWN, 1),
    "gzip bomb": ({"fault": "gzip_bomb", "on": ["output"]}, State.UNKNOWN, 1),
    "status down": ({"fault": "status", "status": 500, "on": ["status"]}, State.UNKNOWN, 1),
    "stuck": ({"fault": "status", "status": 404, "on": ["status"]}, State.UNKNOWN, 1),
}


WAITS = frozenset({"status down", "gzip bomb"})
"""Faults of questions that are free to repeat: they may pass, so the job waits until its time is over."""


@pytest.mark.parametrize("name", ENDINGS)
def test_r6_each_fault_ends_free_of_charge_and_what_was_paid_is_visible(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team, name: str
) -> None:
    rule, state, billed = ENDINGS[name]
    server.script(rule)
    generation = submit(actor)
    began = time.monotonic()
    work(generation)
    assert time.monotonic() - began < 20
    done = come_to_rest(generation)
    assert (done.status, done.cost) == (Status.FAILED, None)
    assert states(done) == [("segmind", state)]
    assert books(team) == (0, 0)
    assert sum(server.submits().values()) == billed
    assert done.error


@pytest.mark.parametrize("name", [name for name, (_, state, _) in ENDINGS.items() if state == State.UNKNOWN])
def test_r1_r3_after_a_call_that_may_be_paid_only_a_free_engine_goes_on(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team, settings: LazySettings, name: str
) -> None:
    settings.ROUTES = {slug: ["segmind", "hosted_too", "free"] for slug in catalogue.MODELS}
    rule, _, billed = ENDINGS[name]
    server.script(rule)
    done = work(submit(actor))
    if name in WAITS:
        assert states(done) == [("segmind", State.SUBMITTED)]
        return
    assert states(done) == [("segmind", State.UNKNOWN), ("free", State.DONE)]
    assert books(team) == (-1000, 0)
    assert sum(server.submits().values()) == billed
    assert done.notes[0].startswith("free stood in for segmind: ")


def test_a_failure_that_was_charged_there_is_booked_to_the_house(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team, settings: LazySettings
) -> None:
    settings.ROUTES = {slug: ["segmind", "hosted_too", "free"] for slug in catalogue.MODELS}
    server.script({"fault": "failed"})
    done = work(submit(actor))
    assert states(done) == [("segmind", State.FAILED), ("free", State.DONE)]
    assert books(team) == (-1000, 0)
    assert Attempt.objects.get(engine="segmind").cost == PRICE


def test_a_failure_that_was_not_charged_may_be_tried_on_another_paid_engine(
    server: upstream.Server, actor: Actor, unpublished: list[int], settings: LazySettings
) -> None:
    settings.ROUTES = {slug: ["segmind", "hosted_too"] for slug in catalogue.MODELS}
    server.script({"fault": "failed", "cost": 0})
    assert states(work(submit(actor))) == [("segmind", State.FAILED), ("hosted_too", State.DONE)]


def test_an_upstream_that_went_away_with_the_job_is_asked_again_when_it_is_back(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    server.script({"fault": "status", "status": 503, "on": ["status"]})
    generation = work(submit(actor))
    assert states(generation) == [("segmind", State.SUBMITTED)]
    assert books(team) == (0, generation.quote)
    server.script()
    let_leases_run_out()
    reconciliation.reconcile()
    execution.run(unpublished[-1])
    generation.refresh_from_db()
    assert (generation.status, books(team)) == (Status.SUCCEEDED, (-15_000, 0))
    assert sum(server.submits().values()) == 1


def test_a_key_that_was_revoked_meanwhile_is_an_alert_and_the_job_waits(
    server: upstream.Server, actor: Actor, unpublished: list[int]
) -> None:
    server.script({"fault": "status", "status": 401, "on": ["status"]})
    assert states(work(submit(actor))) == [("segmind", State.SUBMITTED)]
    assert "key" in Gate.objects.get().alert


def test_r7_a_429_waits_and_is_sent_again(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    server.script({"fault": "status", "status": 429, "retry_after": 2, "on": ["submit"], "first": 1})
    generation = work(submit(actor))
    attempt = Attempt.objects.get()
    assert attempt.state == State.QUEUED
    assert attempt.not_before is not None
    assert attempt.not_before > timezone.now() + timedelta(seconds=1)
    Gate.objects.update(paused_until=None)
    Attempt.objects.update(not_before=None)
    assert work(generation).status == Status.SUCCEEDED
    assert server.report()["posts"] == {upstream.job_key({"seed": generation.seed, "prompt": "a beach"}): 2}
    assert sum(server.submits().values()) == 1


def test_a_429_that_lasts_longer_than_the_job_may_fails_it(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    server.script({"fault": "status", "status": 429, "retry_after": 5000, "on": ["submit"]})
    done = work(submit(actor))
    assert (done.status, books(team)) == (Status.FAILED, (0, 0))


def test_an_upstream_that_is_down_hands_the_job_to_the_next_engine(
    server: upstream.Server, actor: Actor, unpublished: list[int], settings: LazySettings
) -> None:
    settings.ROUTES = {slug: ["segmind", "free"] for slug in catalogue.MODELS}
    server.stop()
    for _ in range(gate.THRESHOLD + 3):
        assert states(work(submit(actor))) == [("segmind", State.FAILED), ("free", State.DONE)]
    assert Gate.objects.get().failures == gate.THRESHOLD


# --- cancel -------------------------------------------------------------------------------------------------


def test_cancel_before_the_submit_calls_nobody(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    generation = submit(actor)
    finishing.cancel(generation.id)
    assert work(generation).status == Status.CANCELED
    assert (server.calls(), books(team)) == ([], (0, 0))


def test_cancel_after_the_submit_settles_what_it_cost_and_keeps_the_picture(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = submit(actor)
    ask = clients.Client.status

    def canceled_meanwhile(self: clients.Client, request_id: str) -> Any:
        finishing.cancel(generation.id)
        return ask(self, request_id)

    monkeypatch.setattr(clients.Client, "status", canceled_meanwhile)
    done = work(generation)
    assert (done.status, done.cost) == (Status.CANCELED, 15_000)
    assert (Output.objects.count(), books(team)) == (1, (-15_000, 0))


def test_a_canceled_job_whose_end_never_comes_is_let_go_at_the_deadline(
    server: upstream.Server, actor: Actor, unpublished: list[int], team: Team
) -> None:
    server.script({"fault": "status", "status": 503, "on": ["status"]})
    generation = work(submit(actor))
    finishing.cancel(generation.id)
    assert books(team) == (0, generation.quote)
    come_to_rest(generation)
    assert states(generation) == [("segmind", State.UNKNOWN)]
    assert books(team) == (0, 0)


@pytest.mark.parametrize("end", [finishing.cancel, expire])
def test_m5_r1_what_ends_while_it_waits_for_its_turn_is_not_called_and_costs_nothing(
    server: upstream.Server,
    actor: Actor,
    unpublished: list[int],
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[Any], object],
) -> None:
    generation = submit(actor)
    enter = gate._enter

    def ended_meanwhile(alias: str, limits: base.Limits) -> float:
        end(generation.id)
        return enter(alias, limits)

    monkeypatch.setattr(gate, "_enter", ended_meanwhile)
    done = work(generation)
    assert server.calls() == []
    assert done.status in (Status.CANCELED, Status.FAILED)
    assert (done.cost, books(team)) == (None, (0, 0))
    assert not Attempt.objects.filter(state__in=LIVE).exists()


# --- faults of our own --------------------------------------------------------------------------------------


def test_what_breaks_before_the_call_is_no_unknown_outcome_and_no_fault_of_the_upstream(
    server: upstream.Server, actor: Actor, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(job: base.Job) -> bytes:
        raise MemoryError

    monkeypatch.setattr(body, "encoded", broken)
    assert states(work(submit(actor))) == [("segmind", State.FAILED)]
    assert (server.calls(), Gate.objects.exists()) == ([], False)


def test_a_database_that_is_away_for_a_moment_ends_no_job_that_nobody_was_called_for(
    server: upstream.Server, actor: Actor, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = submit(actor)

    def away(alias: str, limits: base.Limits) -> float:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(gate, "_enter", away)
        execution.run(Attempt.objects.get().id)
    assert Attempt.objects.get().state == State.QUEUED
    Attempt.objects.update(not_before=None)
    assert work(generation).status == Status.SUCCEEDED


def test_a_busy_engine_is_waited_for_a_minute_and_then_the_next_one_serves(
    server: upstream.Server, actor: Actor, unpublished: list[int], settings: LazySettings
) -> None:
    settings.ROUTES = {slug: ["segmind", "free"] for slug in catalogue.MODELS}
    server.script({"fault": "status", "status": 429, "retry_after": 1, "on": ["submit"]})
    generation = work(submit(actor))
    assert states(generation) == [("segmind", State.QUEUED)]
    Gate.objects.update(paused_until=None)
    Attempt.objects.update(not_before=None)
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=execution.BUSY_SECONDS))
    assert states(work(generation)) == [("segmind", State.FAILED), ("free", State.DONE)]


def test_an_id_that_the_database_did_not_take_is_in_the_log(
    server: upstream.Server,
    actor: Actor,
    unpublished: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(leases, "WRITE_AGAIN", (0.0,))

    def away(*_: Any) -> bool:
        raise OperationalError("away")

    submit(actor)
    monkeypatch.setattr(statements.current(), "note_submitted", away)
    monkeypatch.setattr(finishing, "put_off", away)
    with pytest.raises(OperationalError):
        execution.run(Attempt.objects.get().id)
    (job,) = server.report()["jobs"]
    assert job["id"] in caplog.text


def test_what_was_taken_for_a_picture_that_cannot_be_had_now_is_known(
    server: upstream.Server, actor: Actor, unpublished: list[int]
) -> None:
    server.script({"fault": "status", "status": 503, "on": ["output"]})
    generation = work(submit(actor))
    assert states(generation) == [("segmind", State.SUBMITTED)]
    come_to_rest(generation)
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.cost) == (State.UNKNOWN, PRICE)


@pytest.mark.parametrize(("named", "delivered", "charged"), [(1, 1, 15_000), (60, 4, 60_000)])
def test_as_many_pictures_are_paid_for_as_came_and_no_more_are_taken_than_were_asked_for(
    server: upstream.Server,
    actor: Actor,
    unpublished: list[int],
    monkeypatch: pytest.MonkeyPatch,
    named: int,
    delivered: int,
    charged: int,
) -> None:
    urls = engine._urls
    monkeypatch.setattr(engine, "_urls", lambda answer: (urls(answer) * 20)[:named])
    done = work(submit(actor, samples=4))
    assert (done.status, done.outputs.count(), done.cost) == (Status.SUCCEEDED, delivered, charged)
    assert any("1 of 4" in note for note in done.notes) == (delivered == 1)


def test_a_result_that_lags_behind_its_status_is_waited_for(
    server: upstream.Server, actor: Actor, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = submit(actor)
    with monkeypatch.context() as patch:
        said = iter(["COMPLETED", "PROCESSING", "PROCESSING"])
        patch.setattr(answers, "status", lambda answer: next(said))
        patch.setattr(answers, "is_failure", lambda answer: False)
        work(generation)
    assert states(generation) == [("segmind", State.SUBMITTED)]
    let_leases_run_out()
    execution.run(Attempt.objects.get().id)
    generation.refresh_from_db()
    assert generation.status == Status.SUCCEEDED
