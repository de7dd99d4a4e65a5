"""What went wrong, in no dialect: which exception is which problem. Each door tells it in its own words and codes."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import APIException, AuthenticationFailed, MethodNotAllowed, NotAuthenticated

from accounts import ledger
from accounts.credits import MICRO, format_credits
from accounts.limits import Decision
from generations import catalogue, delivery, idempotency, inputs, removal, routing, submission
from generations.api import authentication
from generations.catalogue.validation import FieldError, InvalidInput
from generations.models import Generation
from generations.models.generation import Fault, Status

log = logging.getLogger(__name__)


class OverLimit(Exception):
    """A submit above the key's rate limit."""

    def __init__(self, rate: Decision) -> None:
        super().__init__(f"{rate.limit} requests a minute are allowed; try again in {rate.reset_seconds} seconds")
        self.rate = rate


class Removed(Exception):
    """Something that was there and was removed; it can be had back for a while."""

    def __init__(self, removed_at: datetime) -> None:
        super().__init__("It was removed. POST to its address with /restore brings it back, for a while.")
        self.removed_at = removed_at


@dataclass(frozen=True, slots=True)
class Problem:
    """kind: a word that programs compare. status: the HTTP code, where a dialect has no other for the kind.

    fields: what is wrong with an input, field by field. facts: figures that belong to the kind.
    """

    kind: str
    status: int
    detail: str
    fields: tuple[FieldError, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The kind as people read it: "Too many jobs"."""
        return self.kind.replace("_", " ").capitalize()


def of(error: Exception) -> Problem:
    """Return the problem that an exception is; one that nobody foresaw is logged, and is our fault."""
    for kind, make in _TABLE.items():
        if isinstance(error, kind):
            return make(error)
    log.error("a request broke", exc_info=error)
    return internal()


def internal() -> Problem:
    """What nobody foresaw."""
    return Problem("internal_error", 500, "Something broke here. It is our fault, and has been logged.")


def out_of_time() -> Problem:
    """The caller's wait is over; the job is not, and its result is kept."""
    return Problem("out_of_time", 504, "Not done in time. The job goes on; ask for it under its request_id.")


def ended(generation: Generation) -> Problem:
    """Return the problem of a job that ended without a picture."""
    if generation.status == Status.CANCELED:
        return Problem("canceled", 409, "The job was canceled.")
    kind, status = _FAULTS[Fault(generation.fault)]
    return Problem(kind, status, generation.error)


_FAULTS: Mapping[Fault, tuple[str, int]] = MappingProxyType(
    {
        Fault.REJECTED: ("rejected", 400),
        Fault.ENGINE: ("engine_failed", 502),
        Fault.DEADLINE: ("out_of_time", 504),
        Fault.INTERNAL: ("internal_error", 500),
        Fault.NONE: ("internal_error", 500),
    }
)


def _plain(kind: str, status: int) -> Callable[[Any], Problem]:
    return lambda error: Problem(kind, status, str(error))


def _said(kind: str, status: int, detail: str) -> Callable[[Any], Problem]:
    return lambda _: Problem(kind, status, detail)


def _from_framework(error: APIException) -> Problem:
    """DRF's own: 400, 401, 403, 404, 405 (with Allow), 406."""
    detail = error.detail if isinstance(error.detail, str) else str(error)
    return Problem(_FRAMEWORK.get(error.status_code, error.default_code), error.status_code, detail)


_FRAMEWORK = {
    400: "malformed_request",
    403: "forbidden",
    404: "not_found",
    406: "unsupported_content_type",
    415: "unsupported_content_type",
}


def _unauthorized(error: NotAuthenticated | AuthenticationFailed) -> Problem:
    return Problem("unauthorized", 401, str(error.detail), headers={"WWW-Authenticate": "Bearer"})


def _again_in(kind: str, seconds: int, detail: str) -> Problem:
    reset = datetime.fromtimestamp(time.time() + seconds, UTC)
    headers = {"Retry-After": str(seconds), "x-rate-limit-reset-at-utc": reset.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return Problem(kind, 429, detail, headers=headers)


def _too_poor(error: ledger.InsufficientCredits) -> Problem:
    detail = (
        f"Insufficient credits: the balance is {format_credits(error.available)}, "
        f"this request needs up to {format_credits(error.required)}."
    )
    facts = {"balance": error.available / MICRO, "required": error.required / MICRO}
    return Problem("insufficient_credits", 402, detail, facts=facts)


def _removed(error: Removed) -> Problem:
    return Problem("removed", 410, str(error), facts={"removed_at": error.removed_at.isoformat()})


def _underway(error: idempotency.Underway) -> Problem:
    facts = {"request_id": str(error.generation_id)}
    return Problem("idempotency_key_in_use", 409, str(error), facts=facts, headers={"Retry-After": "2"})


def _over_budget(error: ledger.OverBudget) -> Problem:
    facts = {
        "limit": error.limit / MICRO,
        "used": error.used / MICRO,
        "required": error.required / MICRO,
        "resets_at": f"{error.resets_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Problem("over_budget", 402, f"Over budget: {error}.", facts=facts)


def _too_big(_: RequestDataTooBig) -> Problem:
    return Problem("body_too_large", 413, f"The body is over the limit of {settings.MAX_BODY_BYTES // 2**20} MiB.")


_TABLE: Mapping[type[Exception], Callable[[Any], Problem]] = {
    InvalidInput: lambda error: Problem("invalid_input", 422, str(error), fields=error.errors),
    catalogue.UnknownModel: _plain("unknown_model", 404),
    Http404: lambda error: Problem("not_found", 404, str(error) or "There is no such request."),
    PermissionDenied: _plain("forbidden", 403),
    submission.ModelNotAllowed: lambda error: Problem(
        "model_not_allowed", 403, str(error), facts={"model": error.model, "allowed": list(error.allowed)}
    ),
    submission.NotAllowed: _plain("forbidden", 403),
    submission.Gone: lambda _: _unauthorized(AuthenticationFailed(authentication.UNKNOWN_KEY)),
    submission.TooManyJobs: lambda _: _again_in(
        "too_many_jobs", 5, "Too many of the team's jobs are in flight; wait for one to end."
    ),
    inputs.TooManyFetches: lambda _: _again_in(
        "too_many_fetches", 5, "Too many of the team's image URLs are being fetched."
    ),
    routing.NoEngine: _plain("no_engine", 400),
    removal.StillRunning: _plain("still_running", 409),
    Removed: _removed,
    delivery.Lost: _said("picture_lost", 404, "The picture is no longer kept."),
    ledger.InsufficientCredits: _too_poor,
    idempotency.Reused: _plain("idempotency_key_reused", 422),
    idempotency.Underway: _underway,
    ledger.OverBudget: _over_budget,
    OverLimit: lambda error: _again_in("rate_limited", error.rate.reset_seconds, str(error)),
    RequestDataTooBig: _too_big,
    MultiPartParserError: _plain("malformed_request", 400),
    NotAuthenticated: _unauthorized,
    AuthenticationFailed: _unauthorized,
    MethodNotAllowed: lambda error: Problem("method_not_allowed", 405, str(error.detail)),
    APIException: _from_framework,
}
