"""manage.py engines"""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.credits import MICRO
from generations.models import Gate, Heartbeat
from generations.models.attempt import State
from generations.models.generation import Status
from tests.hosted import make_attempt
from tests.pages import MakeRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hosted")]


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("engines", *arguments, stdout=out)
    return out.getvalue()


def test_each_engine_is_shown_with_everything_known_of_it(make_run: MakeRun, time_machine: Any) -> None:
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    Gate.objects.create(
        engine="segmind",
        balance=3 * MICRO,
        balance_at=now - timedelta(minutes=5),
        answer="accepted",
        answered_at=now - timedelta(seconds=40),
        alert="The credits are used up.",
    )
    Heartbeat.objects.create(worker="a", queue="network", at=now)
    make_attempt(make_run(cost=3000), "segmind", State.DONE, cost=2000)
    make_attempt(make_run(status=Status.RUNNING), "segmind", State.SUBMITTED)
    hosted, own = said().split("\nclassical")
    for words in (
        "segmind     works",
        "Segmind, paid: called once for a job",
        "accepted, ",
        "(40 s ago)",
        "queue network, 1 alive",
        "1 in hand, 0 waiting",
        "1 delivered, 0.002 credits spent, 0.003 charged",
        "3.00 credits upstream, ",
        "(5 min ago); LOW, under 5.00",
        "ALERT     The credits are used up.",
        "route     bg-replace: 1.",
    ):
        assert words in hosted, words
    for words in ("not asked today", "free to repeat", "NONE ALIVE", "unknown   none", "bg-replace: 2."):
        assert words in own, words


def test_an_open_breaker_says_until_when() -> None:
    Gate.objects.create(engine="segmind", open_until=timezone.now() + timedelta(seconds=30))
    first = said().splitlines()[0]
    assert first.startswith("segmind     breaker open until 20")
    assert "ago" not in first


def test_an_engine_is_drained_and_resumed() -> None:
    assert said("--drain", "classical").splitlines()[0] == "classical   drained"
    assert Gate.objects.get(engine="classical").drained
    assert said("--resume", "classical").splitlines()[0] == "classical   not asked today"
    assert not Gate.objects.get(engine="classical").drained


@pytest.mark.parametrize("act", ["--drain", "--resume"])
def test_an_engine_that_there_is_not(act: str) -> None:
    with pytest.raises(CommandError, match="engine: 'segmnd'; there are segmind, classical"):
        said(act, "segmnd")
    assert not Gate.objects.exists()


def test_unknown_attempts_are_listed(make_run: MakeRun) -> None:
    assert said("--unknown") == "no attempt's outcome is unknown\n"
    run = make_run(status=Status.FAILED)
    attempt = make_attempt(run, "segmind", State.UNKNOWN, upstream_id="up-1", error="It hung up.", age=7200)
    make_attempt(run, "segmind", State.UNKNOWN, number=2, error="The worker stopped.")
    newest, _, oldest, error = said("--unknown").splitlines()
    assert "upstream id not known" in newest
    assert oldest.startswith(f"attempt {attempt.pk}: run {run.pk}, team {run.team.slug}, engine segmind, ")
    assert oldest.endswith("(2 h ago), upstream id up-1")
    assert error == "  It hung up."
