"""Running one attempt: claim it, let the engine work, finish. Each arrow is one conditional update whose row count
decides who won; rows are always taken in the order generation, attempt, balance, so that nobody deadlocks.
"""

import logging
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace

from django.db import DatabaseError
from django.utils import timezone

from generations import delivery, dispatch, finishing, gate, leases, locking, renewal, routing, waiting
from generations.engines import base
from generations.models import Attempt
from generations.models.webhook import Event

log = logging.getLogger(__name__)

AWAY_SECONDS = 15.0
"""Until an upstream that went away with a job in hand is asked again."""

BUSY_SECONDS = 60.0
"""How old a job becomes that waits for a busy engine while the next one on its ladder could do it."""

DATABASE_SECONDS = 2.0
"""Until a job is tried again that the database broke before anything was called."""

LONGEST_ERROR = 2000
"""Characters of an engine's message that are kept."""


def run(attempt_id: int) -> None:
    """Carry out one attempt, if it is still to be done and nobody else does it. Safe to call twice."""
    for pause in steps(attempt_id):
        time.sleep(pause)


def steps(attempt_id: int) -> Generator[float, None, None]:
    """Do the same for somebody who has other things to do meanwhile: yield the seconds until it wants to go on, in
    whatever thread. It keeps its lease, but no connection and no picture.

    Whoever will not go on throws RateLimited into it, and another worker takes the waiting up.
    """
    claim = leases.claim(attempt_id)
    if claim is None:
        return
    _tell_start(claim.attempt)
    with renewal.renewed(claim):
        try:
            result = _complete((yield from _work(claim)))
        except base.EngineError as error:
            _fall(claim, error)
        except Exception as error:
            log.exception("attempt %s broke", attempt_id)
            waiting.let_go()  # where the database broke it, the next statement needs a new connection
            _fall(claim, error)
        else:
            finishing.succeed(claim, _noted(claim, result))


def _tell_start(attempt: Attempt) -> None:
    """Have it told, to whom it is to be told; a later attempt is no new start."""
    generation = attempt.generation
    if generation.hooked & Event.START.bit and attempt.number == 1:
        dispatch.event(generation.id, Event.START)


def _work(claim: leases.Claim) -> base.Waiting:
    """Let the engine do the job, or go on waiting for one that was handed on. Raises EngineError."""
    engine = routing.engine(claim.attempt.engine)
    images = _Images(claim)
    job = _job(claim, images)
    result = None if claim.attempt.upstream_id else _submit(claim, engine, job)
    if result is None:
        images.forget()
        result = yield from engine.collect(claim.attempt.upstream_id, job, leases.progress_of(claim))
        gate.note_balance(engine.alias, result.balance)
    return locking.conform(engine, job, result, lock=claim.attempt.generation.lock)


def _submit(claim: leases.Claim, engine: base.Engine, job: base.Job) -> base.Result | None:
    """Return the result, or None where the work was handed on; its id is then in the attempt, and written down."""
    call = engine.prepare(job, leases.progress_of(claim))
    with gate.passed(engine, lambda: leases.confirm(claim)):
        claim.handed = True
        outcome = call()
        if isinstance(outcome, base.Result):
            return outcome
        leases.note_submitted(claim, outcome.request_id)
    waiting.lend()
    return None


def _noted(claim: leases.Claim, result: base.Result) -> base.Result:
    """Say it where another engine was asked first: the person should know what made the picture, and why."""
    attempt = claim.attempt
    if attempt.number == 1:
        return result
    earlier = Attempt.objects.filter(generation_id=attempt.generation_id, number__lt=attempt.number)
    first = earlier.exclude(engine=attempt.engine).order_by("number").first()
    if first is None:
        return result
    note = f"{attempt.engine} stood in for {first.engine}: {first.error or 'it did not deliver.'}"
    return replace(result, notes=(note, *result.notes))


def _complete(result: base.Result) -> base.Result:
    """Nobody pays for nothing: a result without a picture is an engine's error."""
    if not result.pictures:
        raise ValueError("the engine delivered no picture")
    return result


def _job(claim: leases.Claim, images: Mapping[str, bytes]) -> base.Job:
    generation = claim.attempt.generation
    return base.Job(generation.model, generation.params, images, generation.seed)


class _Images(Mapping[str, bytes]):
    """A job's pictures, read where they are asked for: those of a thousand jobs that wait would fill the memory."""

    def __init__(self, claim: leases.Claim) -> None:
        inputs = claim.attempt.generation.inputs
        self._files = {field: claim.files[asset_id] for field, asset_id in inputs.items()}
        self._read: dict[str, bytes] = {}

    def __getitem__(self, field: str) -> bytes:
        if field not in self._read:
            self._read[field] = delivery.read(self._files[field])
        return self._read[field]

    def __contains__(self, field: object) -> bool:
        return field in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def forget(self) -> None:
        """Keep none of them; what is asked for again is read again."""
        self._read.clear()


def _fall(claim: leases.Claim, error: Exception) -> None:
    """End an attempt that brought nothing, as the error says."""
    attempt, message = claim.attempt, _message(error)
    match error:
        case base.Canceled():
            finishing.drop(claim)
        case base.Rejected():
            finishing.reject(claim, message)
        case base.RateLimited(after=seconds) if attempt.upstream_id:
            finishing.put_off(claim, seconds)
        case base.RateLimited(after=seconds) if _may_wait(attempt, seconds):
            finishing.requeue(claim, seconds, message)
        case DatabaseError() if attempt.upstream_id:
            finishing.put_off(claim, DATABASE_SECONDS)
        case DatabaseError() if not claim.handed and _has_time(attempt, DATABASE_SECONDS):
            finishing.requeue(claim, DATABASE_SECONDS, "The database was away.")
        case base.Unavailable() if attempt.paid and attempt.upstream_id:
            _wait_for_return(claim, error)
        case base.OutcomeUnknown():
            finishing.lose_track(claim, message, spent=error.spent)
        case base.EngineError():
            finishing.fail(claim, message, spent=error.spent)
        case _ if attempt.paid and (claim.handed or attempt.upstream_id):
            finishing.lose_track(claim, "The engine broke while a paid call may have been under way.")
        case _:
            finishing.fail(claim, "The engine broke; this is our fault and has been logged.")


def _wait_for_return(claim: leases.Claim, error: base.Unavailable) -> None:
    """The upstream has the work in hand, and is away: reconciliation asks again, until the job's deadline."""
    if isinstance(error, base.NotConfigured):
        gate.note_alert(claim.attempt.engine, error)
    finishing.put_off(claim, AWAY_SECONDS, spent=error.spent)


def _message(error: Exception) -> str:
    """Return what an error says as the database can keep it: an upstream's words may hold anything."""
    return str(error)[:LONGEST_ERROR].replace("\0", "").encode(errors="replace").decode()


def _may_wait(attempt: Attempt, seconds: float) -> bool:
    """Return whether a job that an engine has no time for may come again: not for ever where another could serve it."""
    generation = attempt.generation
    if not _has_time(attempt, seconds):
        return False
    waited = timezone.now().timestamp() + seconds - generation.created_at.timestamp()
    if waited < BUSY_SECONDS:
        return True
    attempts = list(Attempt.objects.filter(generation=generation))  # this one counts as tried
    return routing.following(generation.route, attempts) is None


def _has_time(attempt: Attempt, seconds: float) -> bool:
    return timezone.now().timestamp() + seconds < finishing.deadline(attempt.generation).timestamp()
