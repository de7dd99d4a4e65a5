"""How attempts and generations end: one short transaction each, which moves the status and the credits together.

Every function may be called by someone who has lost the race; then it changes nothing.
"""

import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts import ledger
from generations import delivery, dispatch, notices, routing, statements
from generations.engines.base import Engine, Result
from generations.leases import Claim
from generations.models import Attempt, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import ACTIVE, Fault, Status
from generations.models.webhook import Event


def deadline(generation: Generation) -> datetime:
    """Return when a generation that has not ended is ended."""
    return generation.created_at + timedelta(seconds=settings.JOB_DEADLINE)


# --- success ------------------------------------------------------------------------------------------------


def succeed(claim: Claim, result: Result) -> None:
    """Keep the pictures and settle: files first, then outputs, credits and status as one."""
    attempt, now = claim.attempt, timezone.now()
    generation = attempt.generation
    usage = ledger.Usage(generation.model, generation.user_id, generation.api_key_id, day=now.date())
    settling = ledger.Settle(generation.id, min(result.cost, generation.quote), usage)
    outputs = _store(attempt, result)
    if statements.current().deliver(attempt, result, outputs, settling, now):
        _announce(generation.id, hooked=generation.hooked)
        transaction.on_commit(lambda: dispatch.derivatives(generation.id))
    else:
        _discard(outputs)


def _store(attempt: Attempt, result: Result) -> list[Output]:
    """Write the pictures' files; their names are the attempt's own, so that two attempts never share one."""
    day = attempt.generation.created_at.date()
    stem = f"outputs/{day:%Y/%m/%d}/{attempt.generation_id}-{attempt.number}"  # a folder for each costs as a file does
    keep = default_storage.save(f"{stem}-keep.png", ContentFile(result.keep)) if result.keep else ""
    return [
        Output(
            generation_id=attempt.generation_id,
            number=number,
            file=default_storage.save(
                f"{stem}-{number}.{delivery.EXTENSIONS[picture.content_type]}", ContentFile(picture.data)
            ),
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            size=len(picture.data),
            has_alpha=picture.has_alpha,
            seed=picture.seed,
            keep=keep,
        )
        for number, picture in enumerate(result.pictures)
    ]


def _discard(outputs: list[Output]) -> None:
    for name in {output.file for output in outputs} | {output.keep for output in outputs if output.keep}:
        default_storage.delete(name)


# --- failure ------------------------------------------------------------------------------------------------


def reject(claim: Claim, error: str) -> None:
    """The request is at fault: no other engine is tried."""
    with transaction.atomic():
        ended = _close(claim.attempt.generation_id, Fault.REJECTED, error)
        if not _end(claim, State.FAILED, error=error):
            transaction.set_rollback(True)
        elif ended:
            ledger.release(claim.attempt.generation_id)
        else:
            _release_canceled(claim.attempt.generation_id)


def fail(claim: Claim, error: str, *, spent: int = 0) -> None:
    """This engine brought nothing: the next one on the route, or the end. What it took is the house's loss."""
    _pass_on(claim.attempt, error, lambda: _end(claim, State.FAILED, error=error, cost=spent))


def lose_track(claim: Claim, error: str, *, spent: int = 0) -> None:
    """A paid call may have been carried out: only engines that are free to repeat may go on."""
    # A request id that could not be written down when it came is what the operator needs to look for the picture.
    known = {"error": error, "upstream_id": claim.attempt.upstream_id, "cost": spent or None}
    _pass_on(claim.attempt, error, lambda: _end(claim, State.UNKNOWN, **known))


def abandon(attempt: Attempt) -> None:
    """The worker died: what it was doing is repeated where that is free, and unknown where it was a paid call."""
    state = State.UNKNOWN if attempt.paid else State.FAILED
    error = "The worker that ran this stopped."
    expired = Attempt.objects.filter(id=attempt.id, state=State.SUBMITTING, lease_until__lt=timezone.now())
    _pass_on(
        attempt,
        error,
        lambda: expired.update(state=state, lost=True, error=error, ended_at=timezone.now(), lease=None),
    )


def _pass_on(attempt: Attempt, error: str, end: Callable[[], int]) -> None:
    """End the attempt, then start the next engine's, or end the generation when the route is at its end."""
    generation = attempt.generation
    with transaction.atomic():
        is_active = Generation.objects.select_for_update().filter(id=generation.id, status__in=ACTIVE).exists()
        if not end():
            return
        attempts = list(Attempt.objects.filter(generation=generation))
        engine = routing.following(generation.route, attempts) if is_active else None
        if engine:
            _start_attempt(generation, engine, number=len(attempts) + 1)
            _note_wait(generation, engine.alias, after=attempt.engine)
        elif is_active:
            _close(generation.id, Fault.ENGINE, error)
            ledger.release(generation.id)
        elif not any(each.state in LIVE for each in attempts):
            _release_canceled(generation.id)


def _start_attempt(generation: Generation, engine: Engine, number: int) -> None:
    attempt = Attempt.objects.create(
        generation=generation,
        number=number,
        engine=engine.alias,
        queue=engine.queue,
        paid=engine.paid,
        published_at=timezone.now(),
    )
    transaction.on_commit(lambda: dispatch.attempt(attempt.id, attempt.queue))


def _note_wait(generation: Generation, alias: str, *, after: str) -> None:
    """Say what is waited for now; what the engine before was doing is over."""
    stage = f"waiting for {alias} again" if alias == after else f"waiting for {alias}, which stands in for {after}"
    Generation.objects.filter(id=generation.id).update(progress=0.0, stage=stage[:80])
    if generation.hooked & Event.LOGS.bit:
        transaction.on_commit(lambda: dispatch.event(generation.id, Event.LOGS))


def requeue(claim: Claim, seconds: float, error: str) -> None:
    """The engine asked us to come again later, and certainly charged nothing."""
    not_before = timezone.now() + timedelta(seconds=seconds)
    mine = Attempt.objects.filter(id=claim.attempt.id, lease=claim.lease, state=State.SUBMITTING)
    active = Generation.objects.filter(id=claim.attempt.generation_id, status__in=ACTIVE)
    with transaction.atomic():
        if not active.select_for_update().exists():
            fail(claim, error)
        elif mine.update(
            state=State.QUEUED,
            lease=None,
            lease_until=None,
            not_before=not_before,
            published_at=not_before,
            publishes=1,
            error=error,
        ):
            transaction.on_commit(lambda: dispatch.attempt(claim.attempt.id, claim.attempt.queue, after=seconds))


def put_off(claim: Claim, seconds: float, *, spent: int = 0) -> None:
    """The upstream, which has the work in hand, wants to be asked again later: reconciliation takes it up then.

    spent: what it is known to have taken already.
    """
    until = timezone.now() + timedelta(seconds=min(max(0.0, seconds), settings.LEASE_SECONDS))
    facts = {"cost": spent} if spent else {}
    mine = Attempt.objects.filter(id=claim.attempt.id, lease=claim.lease, state__in=(State.SUBMITTING, State.SUBMITTED))
    # The id once more: it may be the database that was away when it came.
    mine.update(state=State.SUBMITTED, upstream_id=claim.attempt.upstream_id, lease=None, lease_until=until, **facts)


def drop(claim: Claim) -> None:
    """The engine stopped, since nobody wants the result any more."""
    error = "The work was stopped."
    _pass_on(claim.attempt, error, lambda: _end(claim, State.CANCELED))


def expire(generation: Generation) -> None:
    """End a generation that is past its deadline, whatever its attempts are doing."""
    with transaction.atomic():
        ended = _close(
            generation.id,
            Fault.DEADLINE,
            f"Not done within {settings.JOB_DEADLINE} seconds; nothing was charged.",
        )
        _end_attempts(generation.id, "Out of time.")
        if ended:
            ledger.release(generation.id)
        else:
            _release_canceled(generation.id)


def cancel(generation_id: uuid.UUID) -> bool:
    """End a generation on somebody's wish; False where it had ended already.

    A paid call that has gone out is waited for: its hold stays, its picture is kept, and its cost is settled.
    """
    with transaction.atomic():
        if not _close(generation_id, Fault.NONE, "", status=Status.CANCELED):
            return False
        sent = Attempt.objects.filter(
            generation_id=generation_id, paid=True, state__in=(State.SUBMITTING, State.SUBMITTED)
        )
        if not sent.exists():
            _end_attempts(generation_id, "")
            ledger.release(generation_id)
    return True


# --- the arrows ---------------------------------------------------------------------------------------------


def _close(generation_id: uuid.UUID, fault: Fault, error: str, *, status: Status = Status.FAILED) -> int:
    """End an active generation; 0 where it had ended."""
    moved = Generation.objects.filter(id=generation_id, status__in=ACTIVE).update(
        status=status, fault=fault, error=error, stage="", finished_at=timezone.now()
    )
    if moved:
        _announce(generation_id, hooked=Generation.objects.values_list("hooked", flat=True).get(id=generation_id))
    return moved


def _end(claim: Claim, state: State, **facts: Any) -> int:
    """End the attempt of a claim; 0 where the claim is no longer good."""
    live = Attempt.objects.filter(id=claim.attempt.id, lease=claim.lease, state__in=LIVE)
    return live.update(state=state, ended_at=timezone.now(), lease=None, **facts)


def _end_attempts(generation_id: uuid.UUID, error: str) -> None:
    """End what is live: a paid call under way is unknown, everything else is canceled."""
    live = Attempt.objects.filter(generation_id=generation_id, state__in=LIVE)
    ended = {"ended_at": timezone.now(), "lease": None, "error": error}
    live.filter(paid=True).exclude(state=State.QUEUED).update(state=State.UNKNOWN, **ended)
    live.update(state=State.CANCELED, **ended)


def _release_canceled(generation_id: uuid.UUID) -> None:
    """Give back the hold of a canceled generation whose paid call brought nothing."""
    waiting = Generation.objects.filter(id=generation_id, status=Status.CANCELED, cost__isnull=True)
    if waiting.exists():
        with contextlib.suppress(ledger.AlreadyEnded):  # somebody else ended it at the same moment
            ledger.release(generation_id)


def _announce(generation_id: uuid.UUID, *, hooked: int) -> None:
    transaction.on_commit(lambda: notices.publish(generation_id))
    if hooked:
        transaction.on_commit(lambda: dispatch.event(generation_id, Event.COMPLETED))
