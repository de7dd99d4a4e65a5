"""The errors of the Segmind dialect: which exception is which code. Every body is `{"error": …}`."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.response import Response

from accounts import ledger
from accounts.credits import format_credits
from accounts.limits import Decision
from generations import catalogue, delivery, inputs, routing, submission
from generations.api import authentication
from generations.catalogue.validation import InvalidInput
from generations.models import Generation
from generations.models.generation import Fault, Status

log = logging.getLogger(__name__)


class OverLimit(Exception):
    """A submit above the key's rate limit."""

    def __init__(self, rate: Decision) -> None:
        super().__init__(f"{rate.limit} requests a minute are allowed; try again in {rate.reset_seconds} seconds")
        self.rate = rate


def answer(error: Exception) -> Response:
    """Return the answer to an exception; one that nobody foresaw is logged, and is our fault."""
    for kind, make in _TABLE.items():
        if isinstance(error, kind):
            return make(error)
    log.error("a request broke", exc_info=error)
    return Response({"error": "Something broke here. It is our fault, and has been logged."}, status=500)


def out_of_time(generation_id: uuid.UUID) -> Response:
    """The caller's wait is over; the job is not, and its result is kept."""
    message = "Not done in time. The job goes on; ask for it under its request_id."
    return _about(generation_id, message, 504)


def ended(generation: Generation) -> Response:
    """Return the answer for a job that ended without a picture while its caller waited."""
    if generation.status == Status.CANCELED:
        code, message = 409, "The job was canceled."
    else:
        code, message = _FAULTS[Fault(generation.fault)], generation.error
    return _about(generation.id, message, code)


def _about(generation_id: uuid.UUID, message: str, code: int) -> Response:
    """Return an error of a job that was accepted, which it names as its picture's answer would."""
    request_id = str(generation_id)
    return Response({"error": message, "request_id": request_id}, status=code, headers={"x-request-id": request_id})


_FAULTS = {Fault.REJECTED: 400, Fault.ENGINE: 502, Fault.DEADLINE: 504, Fault.INTERNAL: 500, Fault.NONE: 500}


def _plain(code: int) -> Callable[[Any], Response]:
    return lambda error: Response({"error": str(error)}, status=code)


def _said(code: int, message: str) -> Callable[[Any], Response]:
    return lambda _: Response({"error": message}, status=code)


def _from_framework(error: APIException) -> Response:
    """DRF's own: 400, 401, 404, 405 (with Allow), 406."""
    detail = error.detail if isinstance(error.detail, str) else str(error)
    return Response({"error": detail}, status=error.status_code)


def _unauthorized(error: NotAuthenticated | AuthenticationFailed) -> Response:
    return Response({"error": str(error.detail)}, status=401, headers={"WWW-Authenticate": "Bearer"})


def _over_limit(error: OverLimit) -> Response:
    return _again_in(error.rate.reset_seconds, str(error))


def _again_in(seconds: int, message: str) -> Response:
    reset = datetime.fromtimestamp(time.time() + seconds, UTC)
    headers = {"Retry-After": str(seconds), "x-rate-limit-reset-at-utc": reset.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return Response({"error": message}, status=429, headers=headers)


def _too_poor(error: ledger.InsufficientCredits) -> Response:
    message = (
        f"Insufficient credits: the balance is {format_credits(error.available)}, "
        f"this request needs up to {format_credits(error.required)}."
    )
    return Response({"error": message}, status=406)


def _too_big(_: RequestDataTooBig) -> Response:
    return Response({"error": f"The body is over the limit of {settings.MAX_BODY_BYTES // 2**20} MiB."}, status=413)


_TABLE: dict[type[Exception], Callable[[Any], Response]] = {
    InvalidInput: _plain(400),
    catalogue.UnknownModel: _plain(404),
    Http404: _said(404, "There is no such request."),
    submission.NotAllowed: _said(403, "This key may not run models: its scope or its maker's role does not allow it."),
    submission.Gone: lambda _: _unauthorized(AuthenticationFailed(authentication.UNKNOWN_KEY)),
    submission.TooManyJobs: lambda _: _again_in(5, "Too many of the team's jobs are in flight; wait for one to end."),
    inputs.TooManyFetches: lambda _: _again_in(5, "Too many of the team's image URLs are being fetched."),
    routing.NoEngine: _plain(400),
    delivery.Lost: _said(404, "The picture is no longer kept."),
    ledger.InsufficientCredits: _too_poor,
    OverLimit: _over_limit,
    RequestDataTooBig: _too_big,
    MultiPartParserError: _plain(400),
    NotAuthenticated: _unauthorized,
    AuthenticationFailed: _unauthorized,
    APIException: _from_framework,
}
