"""What the broker carries: names that workers know, ids and nothing else."""

import functools
import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from celery import Celery
from django.conf import LazySettings
from kombu.exceptions import OperationalError

from config import queues
from config.celery import app
from generations import derivatives, dispatch, execution, reconciliation, tasks

Sent = tuple[str, Sequence[object], str, float]
"""A message: its task, arguments, queue, and in how many seconds it may run."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    messages: list[Sent] = []

    def publish(app: Celery, task: str, args: Sequence[object], queue: str, *, after: float) -> None:
        messages.append((task, args, queue, after))

    monkeypatch.setattr(dispatch, "_down_until", 0.0)
    monkeypatch.setattr(queues, "publish", publish)
    return messages


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    calls: list[tuple[str, tuple[Any, ...]]] = []

    def note(name: str, *args: Any) -> Sequence[float]:
        calls.append((name, args))
        return ()

    for module, name in ((execution, "steps"), (derivatives, "make"), (reconciliation, "reconcile")):
        monkeypatch.setattr(module, name, functools.partial(note, name))
    return calls


def test_what_is_sent_is_what_workers_run(sent: list[Sent], called: list[tuple[str, tuple[Any, ...]]]) -> None:
    generation_id = uuid.uuid4()
    dispatch.attempt(7, "network")
    dispatch.attempt(8, "compute", after=2.5)
    dispatch.derivatives(generation_id)
    assert [(queue, after) for *_, queue, after in sent] == [("network", 0.0), ("compute", 2.5), ("thumbnails", 0.0)]
    for name, args, *_ in sent:
        app.tasks[name](*json.loads(json.dumps(args)))
    assert called == [("steps", (7,)), ("steps", (8,)), ("make", (generation_id,))]


def test_the_clock_runs_reconciliation(called: list[tuple[str, tuple[Any, ...]]]) -> None:
    tasks.reconcile()
    assert called == [("reconcile", ())]
    assert tasks.reconcile.name in app.tasks


@pytest.mark.parametrize("error", [OSError("disk full"), OperationalError("refused")])
def test_r4_a_broker_that_fails_is_left_in_peace_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, error: Exception
) -> None:
    tries: list[str] = []

    def fail(app: Celery, task: str, *_: object, **__: object) -> None:
        tries.append(task)
        raise error

    monkeypatch.setattr(queues, "publish", fail)
    monkeypatch.setattr(dispatch, "_down_until", 0.0)
    dispatch.attempt(1, "compute")
    dispatch.attempt(2, "compute")
    assert len(tries) == 1
    monkeypatch.setattr(dispatch, "_down_until", 0.0)
    dispatch.attempt(3, "compute")
    assert len(tries) == 2
