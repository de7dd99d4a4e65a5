"""How far the jobs are that nobody can stop: what many of them say within a second is written down in one statement."""

import logging
import threading
import time
import uuid

from django.db import DatabaseError

from generations import statements, waiting
from generations.statements.terms import Progress

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two statements of a process."""

_said: dict[uuid.UUID, Progress] = {}
_writing = threading.Lock()
_next = 0.0


def note(lease: uuid.UUID, progress: Progress) -> None:
    """Write it down: at once, or with what is said next. A job that waits says something every few seconds."""
    global _next
    _said[lease] = progress
    if time.monotonic() < _next or not _writing.acquire(blocking=False):
        return
    try:
        _next = time.monotonic() + EVERY
        _write({lease: _said.pop(lease) for lease in list(_said)})
    finally:
        _writing.release()


def _write(said: dict[uuid.UUID, Progress]) -> None:
    try:
        statements.current().note_progress(said)
    except DatabaseError:
        log.warning("the progress of %d attempts could not be written", len(said), exc_info=True)
        waiting.let_go()
    else:
        waiting.lend()
