"""Running one attempt: claim it, let the engine work, finish. Each arrow is one conditional update whose row count
decides who won; rows are always taken in the order generation, attempt, balance, so that nobody deadlocks.
"""

import logging

from django.utils import timezone

from generations import delivery, finishing, leases, locking, renewal, routing, waiting
from generations.engines import base
from generations.models import Attempt

log = logging.getLogger(__name__)

LONGEST_ERROR = 2000
"""Characters of an engine's message that are kept."""


def run(attempt_id: int) -> None:
    """Carry out one attempt, if it is still to be done and nobody else does it. Safe to call twice."""
    claim = leases.claim(attempt_id)
    if claim is None:
        return
    with renewal.renewed(claim):
        try:
            result = _complete(_work(claim))
        except base.EngineError as error:
            _fall(claim, error)
        except Exception as error:
            log.exception("attempt %s broke", attempt_id)
            waiting.let_go()  # where the database broke it, the next statement needs a new connection
            _fall(claim, error)
        else:
            finishing.succeed(claim, result)


def _work(claim: leases.Claim) -> base.Result:
    """Let the engine do the job, or go on waiting for one that was handed on. Raises EngineError."""
    engine = routing.engine(claim.attempt.engine)
    job = _job(claim)
    request_id = claim.attempt.upstream_id
    progress = leases.progress_of(claim)
    if not request_id:
        outcome = engine.submit(job, progress)
        if isinstance(outcome, base.Result):
            return locking.conform(engine, job, outcome, lock=claim.attempt.generation.lock)
        request_id = outcome.request_id
        leases.note_submitted(claim, request_id)
    result = engine.collect(request_id, job, leases.progress_of(claim))
    return locking.conform(engine, job, result, lock=claim.attempt.generation.lock)


def _complete(result: base.Result) -> base.Result:
    """Nobody pays for nothing: a result without a picture is an engine's error."""
    if not result.pictures:
        raise ValueError("the engine delivered no picture")
    return result


def _job(claim: leases.Claim) -> base.Job:
    generation = claim.attempt.generation
    return base.Job(
        model=generation.model,
        params=generation.params,
        images={field: delivery.read(claim.files[asset_id]) for field, asset_id in generation.inputs.items()},
        seed=generation.seed,
    )


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
        case base.RateLimited(after=seconds) if _has_time(attempt, seconds):
            finishing.requeue(claim, seconds, message)
        case base.OutcomeUnknown():
            finishing.lose_track(claim, message)
        case base.EngineError():
            finishing.fail(claim, message)
        case _ if attempt.paid:
            finishing.lose_track(claim, "The engine broke while a paid call may have been under way.")
        case _:
            finishing.fail(claim, "The engine broke; this is our fault and has been logged.")


def _message(error: Exception) -> str:
    """Return what an error says as the database can keep it: an upstream's words may hold anything."""
    return str(error)[:LONGEST_ERROR].replace("\0", "").encode(errors="replace").decode()


def _has_time(attempt: Attempt, seconds: float) -> bool:
    return timezone.now().timestamp() + seconds < finishing.deadline(attempt.generation).timestamp()
