"""What the operator reads of the engines, from the rows."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.credits import MICRO
from generations import catalogue, engine_report, gate
from generations.engine_report import Health, Report
from generations.models import Gate, Heartbeat
from generations.models.attempt import State
from generations.models.generation import Status
from tests.hosted import make_attempt
from tests.jobs import Configure
from tests.pages import MakeRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hosted")]

SOON = timedelta(seconds=20)


def report(alias: str = "segmind") -> Report:
    return next(each for each in engine_report.engines() if each.alias == alias)


def note(**facts: Any) -> None:
    Gate.objects.update_or_create(engine="segmind", defaults=facts)


def test_engines_that_nobody_asked() -> None:
    hosted, own = engine_report.engines()
    assert (hosted.alias, hosted.kind, hosted.health) == ("segmind", "Segmind", Health.UNASKED)
    assert (own.alias, own.kind, own.health) == ("classical", "Classical", Health.IDLE)
    assert (hosted.answered_at, hosted.today, hosted.gate.balance) == (None, engine_report.Day(), None)


@pytest.mark.parametrize(
    ("facts", "health", "ends"),
    [
        ({}, Health.WORKS, False),
        ({"drained": True, "open_until": SOON}, Health.DRAINED, False),
        ({"open_until": SOON}, Health.OPEN, True),
        ({"open_until": -SOON}, Health.TRYING, False),
        ({"paused_until": SOON}, Health.PAUSED, True),
        ({"paused_until": -SOON}, Health.WORKS, False),
    ],
)
def test_health(facts: dict[str, Any], health: Health, ends: bool) -> None:
    now = timezone.now()
    note(answered_at=now, **{k: now + v if isinstance(v, timedelta) else v for k, v in facts.items()})
    found = report()
    assert found.health == health
    assert bool(found.until) is ends


def test_an_engine_without_limits_is_drained_and_resumed() -> None:
    gate.drain("classical", drained=True)
    assert report("classical").health == Health.DRAINED
    gate.drain("classical", drained=False)
    assert report("classical").health == Health.IDLE


def test_today_is_what_ended_today_and_what_delivered_was_charged(make_run: MakeRun, time_machine: Any) -> None:
    time_machine.move_to("2026-03-05T12:00:00+00:00", tick=False)
    make_attempt(make_run(cost=3000), "segmind", State.DONE, cost=2000)
    make_attempt(make_run(cost=3500), "segmind", State.DONE, cost=2500)
    make_attempt(make_run(status=Status.FAILED), "segmind", State.UNKNOWN, cost=700)
    make_attempt(make_run(cost=1000), "segmind", State.DONE, cost=900, age=12 * 3600 + 1)
    rescued = make_run(cost=400)
    make_attempt(rescued, "segmind", State.FAILED, cost=0)
    make_attempt(rescued, "classical", State.DONE, number=2, cost=400)
    today = report().today
    assert (today.spent, today.charged, today.delivered) == (5200, 6500, 2)
    own = report("classical")
    assert (own.today.spent, own.today.charged, own.health, own.answer) == (400, 400, Health.WORKS, "delivered")


def test_jobs_workers_and_unknown_attempts(make_run: MakeRun) -> None:
    run = make_run(status=Status.RUNNING)
    for number, state in enumerate([State.QUEUED, State.SUBMITTING, State.SUBMITTED], start=1):
        make_attempt(run, "segmind", state, number=number)
    make_attempt(run, "segmind", State.UNKNOWN, number=4, age=86_400 * 30)
    now = timezone.now()
    for worker, queue, at in (("a", "network", now), ("b", "network", now - timedelta(60)), ("c", "compute", now)):
        Heartbeat.objects.create(worker=worker, queue=queue, at=at)
    found = report()
    assert (found.running, found.waiting, found.unknown, found.workers) == (2, 1, 1, 1)
    assert [each.number for each in engine_report.unknown_attempts()] == [4]
    assert report("classical").running == 0


def test_the_route_and_its_conditions_in_words(settings: LazySettings) -> None:
    rung = {"engine": "segmind", "teams": ["studio", "web"], "most": 0.02, "requires": ["mask"]}
    settings.ROUTES = {**{slug: ["classical"] for slug in catalogue.MODELS}, "sdxl-inpaint": ["classical", rung]}
    (place,) = report().route
    assert (place.model, place.number) == ("sdxl-inpaint", 2)
    assert place.conditions == "for studio, web; up to 0.02 credits; with mask"
    assert {place.conditions for place in report("classical").route} == {""}


def test_the_number_of_queries_is_constant(make_run: MakeRun) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            engine_report.engines()
            [attempt.generation.team.name for attempt in engine_report.unknown_attempts()]
        return len(seen)

    few = count()
    for number in range(5):
        make_attempt(make_run(), "segmind", State.UNKNOWN)
        make_attempt(make_run(), "classical", State.DONE)
        Heartbeat.objects.create(worker=f"w{number}", queue="network", at=timezone.now())
        gate.drain(uuid.uuid4().hex, drained=True)
    assert count() == few == 6


# --- the header's line ----------------------------------------------------------------------------------------


def test_the_headline_says_what_is_left() -> None:
    assert engine_report.headline() == engine_report.Headline("segmind", None, "")
    note(balance=12 * MICRO, balance_at=timezone.now())
    assert engine_report.headline() == engine_report.Headline("segmind", 12 * MICRO, "")


@pytest.mark.parametrize(
    ("facts", "care"),
    [
        ({"balance": 5 * MICRO}, ""),
        ({"balance": 5 * MICRO - 1}, "segmind has 4.999999 credits left, under 5.00"),
        ({"balance": 0}, "segmind has 0.00 credits left, under 5.00"),
        ({"balance": 9 * MICRO, "alert": "The key is not accepted."}, "segmind: The key is not accepted."),
    ],
)
def test_the_headline_says_what_needs_care(facts: dict[str, Any], care: str) -> None:
    note(**facts)
    found = engine_report.headline()
    assert found is not None
    assert found.care == care
    assert report().is_low is (facts["balance"] < 5 * MICRO)


def test_without_a_hosted_engine_there_is_no_headline_and_no_query(engines: Configure) -> None:
    engines(scripted={})
    with CaptureQueriesContext(connection) as seen:
        assert engine_report.headline() is None
    assert len(seen) == 0
