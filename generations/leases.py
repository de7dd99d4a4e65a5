"""Who works on an attempt: the claim, its lease, and word of the progress.

A lease lasts LEASE_SECONDS and is renewed every LEASE_RENEWAL (renewal.py); one that ran out says that the worker died.
"""

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from generations import bulletin, dispatch, statements, waiting
from generations.engines import base
from generations.models import Attempt, Generation
from generations.models.attempt import State
from generations.models.generation import Status
from generations.models.webhook import Event
from generations.statements.terms import Progress

log = logging.getLogger(__name__)

PROGRESS_EVERY = 0.5
"""Seconds between two writes of a job's progress, which are also when it learns that it was canceled."""


WRITE_AGAIN = (0.1, 1.0, 2.0, 4.0, 8.0, 15.0, 20.0)
"""Pauses, in seconds, between the tries to write down a request id: nearly as long as a lease lasts."""


class LeaseLost(base.Canceled):
    """Somebody else took the attempt, or ended it."""


@dataclass(slots=True)
class Claim:
    """An attempt that is ours as long as `lease` stands in its row. files: its inputs', by their assets' ids.
    handed: the engine has been given the job, and may have sent it on."""

    attempt: Attempt
    lease: uuid.UUID
    files: Mapping[str, str]
    lost: threading.Event
    handed: bool = False


def claim(attempt_id: int) -> Claim | None:
    """Take an attempt that is queued, or one handed on whose worker died; None where there is nothing to take."""
    lease, now = uuid.uuid4(), timezone.now()
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    claimed = statements.current().claim(attempt_id, lease, now, until)
    waiting.lend()
    return Claim(claimed.attempt, lease, claimed.files, threading.Event()) if claimed else None


def confirm(claim: Claim) -> None:
    """Look once more, right before a call that costs money. Raises Canceled where the job has ended, or is to be.

    Whoever cancels after this look finds the call under way, and its cost is settled.
    """
    if not claim.attempt.paid:
        return
    overdue = timezone.now() - timedelta(seconds=settings.JOB_DEADLINE)
    is_wanted = statements.current().confirm(claim.attempt.id, claim.lease, overdue)
    waiting.lend()
    if claim.lost.is_set() or not is_wanted:
        raise base.Canceled


def note_submitted(claim: Claim, request_id: str) -> None:
    """Write down the upstream's id at once: from here on waiting is free and repeatable. Raises LeaseLost."""
    claim.attempt.upstream_id = request_id
    if not _write_id(claim):
        # It has been ended meanwhile, and may be listed as unknown: the operator finds the picture by its id.
        Attempt.objects.filter(id=claim.attempt.id, upstream_id="").update(upstream_id=request_id)
        raise LeaseLost
    claim.attempt.state = State.SUBMITTED


def _write_id(claim: Claim) -> bool:
    """Try for a while: a paid call is not lost to a database that is away for a moment."""
    mine = claim.attempt.id, claim.lease, claim.attempt.upstream_id
    for pause in WRITE_AGAIN:
        try:
            return statements.current().note_submitted(*mine)
        except DatabaseError:
            known = claim.attempt.upstream_id
            log.warning("the id of attempt %s, %s, could not be written down", claim.attempt.id, known, exc_info=True)
            waiting.let_go()
            time.sleep(pause)
    return statements.current().note_submitted(*mine)


def progress_of(claim: Claim) -> base.Progress:
    """Return what the engine calls while it works: it writes now and then, and says when to stop.

    A paid call that has gone out is never stopped: its picture is kept even when nobody waits any more.
    """
    may_stop = not claim.attempt.paid
    last = time.monotonic()

    def progress(share: float, stage: str) -> None:
        nonlocal last
        if claim.lost.is_set():
            raise LeaseLost
        if time.monotonic() - last < PROGRESS_EVERY:
            return
        last = time.monotonic()
        share, stage = min(max(share, 0.0), 1.0), stage[:80]
        if not may_stop:
            bulletin.note(claim.lease, Progress(claim.attempt.id, share, stage))
            _tell_progress(claim.attempt)
        elif not _note_progress(claim.attempt, share, stage):
            raise base.Canceled

    return progress


def _note_progress(attempt: Attempt, share: float, stage: str) -> bool:
    """Return whether the job is still wanted; a database that is away for a moment must not end it."""
    running = Generation.objects.filter(id=attempt.generation_id, status=Status.RUNNING)
    try:
        is_wanted = bool(running.update(progress=share, stage=stage))
    except DatabaseError:
        log.warning("the progress of attempt %s could not be written", attempt.id, exc_info=True)
        waiting.let_go()
        return True
    waiting.lend()
    if is_wanted:
        _tell_progress(attempt)
    return is_wanted


def _tell_progress(attempt: Attempt) -> None:
    if attempt.generation.hooked & Event.LOGS.bit:
        dispatch.event(attempt.generation_id, Event.LOGS)
