"""Hand ids to the broker, which may lose or repeat them: the database is the truth, and a lost message is found again
by reconciliation."""

import logging
import time
import uuid

from kombu.exceptions import OperationalError

from config import queues
from config.celery import app

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds for which nothing is published after the broker failed, so that submits do not all wait for it."""

_down_until = 0.0


def attempt(attempt_id: int, queue: str, *, after: float = 0.0) -> None:
    """Ask the workers of `queue` to run an attempt, at the earliest in `after` seconds."""
    _send("generations.tasks.run_attempt", [attempt_id], queue, after)


def derivatives(generation_id: uuid.UUID) -> None:
    """Ask for thumbnails and fidelity figures of a generation's outputs."""
    _send("generations.tasks.make_derivatives", [str(generation_id)], "thumbnails", 0.0)


def event(generation_id: uuid.UUID, name: str) -> None:
    """Ask for what happened to a generation to be written down for those who are to be told."""
    _send("generations.tasks.note_event", [str(generation_id), name], "webhooks", 0.0)


def delivery(delivery_id: int, *, after: float = 0.0) -> None:
    """Ask for an event to be sent, at the earliest in `after` seconds."""
    _send("generations.tasks.send_delivery", [delivery_id], "webhooks", after)


def _send(task: str, args: list[object], queue: str, after: float) -> None:
    """Publish, or log why not: what was accepted is safe in the database."""
    global _down_until
    if time.monotonic() < _down_until:
        return
    try:
        queues.publish(app, task, args, queue, after=after)
    except (OSError, OperationalError) as error:
        _down_until = time.monotonic() + PAUSE
        log.warning("the broker takes no messages (%s); reconciliation will repeat %s%s", error, task, args)
