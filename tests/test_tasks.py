"""What the broker carries: names that workers know, ids and nothing else."""

import json
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from kombu.exceptions import OperationalError

from config.celery import app
from generations import derivatives, dispatch, execution, reconciliation, tasks


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    messages: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(dispatch, "_down_until", 0.0)
    monkeypatch.setattr(app, "send_task", lambda name, **options: messages.append((name, options)))
    return messages


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    calls: list[tuple[str, tuple[Any, ...]]] = []
    for module, name in ((execution, "run"), (derivatives, "make"), (reconciliation, "reconcile")):
        monkeypatch.setattr(module, name, lambda *args, name=name: calls.append((name, args)))
    return calls


def test_what_is_sent_is_what_workers_run(
    sent: list[tuple[str, dict[str, Any]]], called: list[tuple[str, tuple[Any, ...]]]
) -> None:
    generation_id = uuid.uuid4()
    dispatch.attempt(7, "network")
    dispatch.attempt(8, "compute", after=2.5)
    dispatch.derivatives(generation_id)
    assert [(options["queue"], options["countdown"]) for _, options in sent] == [
        ("network", None),
        ("compute", 2.5),
        ("thumbnails", None),
    ]
    for name, options in sent:
        app.tasks[name](*json.loads(json.dumps(options["args"])))
    assert called == [("run", (7,)), ("run", (8,)), ("make", (generation_id,))]


def test_the_clock_runs_reconciliation(called: list[tuple[str, tuple[Any, ...]]]) -> None:
    tasks.reconcile()
    assert called == [("reconcile", ())]
    assert tasks.reconcile.name in app.tasks


@pytest.mark.parametrize("error", [OSError("disk full"), OperationalError("refused")])
def test_r4_a_broker_that_fails_is_left_in_peace_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, error: Exception
) -> None:
    tries: list[str] = []

    def fail(name: str, **_: Any) -> None:
        tries.append(name)
        raise error

    monkeypatch.setattr(app, "send_task", fail)
    monkeypatch.setattr(dispatch, "_down_until", 0.0)
    dispatch.attempt(1, "compute")
    dispatch.attempt(2, "compute")
    assert len(tries) == 1
    monkeypatch.setattr(dispatch, "_down_until", 0.0)
    dispatch.attempt(3, "compute")
    assert len(tries) == 2
