"""What every request gets: an id that its answer and its log lines carry, a limit on its body, no secrets in logs."""

import io
import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import IO, Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_current: ContextVar[str] = ContextVar("request_id", default="-")
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SECRETS = (
    (re.compile(r"\b((?:ss|SG|sk|r8|whsec)_[0-9A-Za-z]{8})[0-9A-Za-z+/=_-]+"), r"\1…"),
    (re.compile(r"(signature=)[^&\s\"']+", re.IGNORECASE), r"\1…"),
    (
        re.compile(
            r"((?:x-api-key|authorization)[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|token|basic|key)\s+)?)[^\s\"',}]+",
            re.IGNORECASE,
        ),
        r"\1…",
    ),
    (re.compile(r"(\b(?:bearer|token)\s+)(?=\S*\d)[\w.~+/=-]{12,}", re.IGNORECASE), r"\1…"),
    (
        re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@\"']*:)[^\s\"'<>]*@", re.IGNORECASE),
        r"\1…@",
    ),  # passwords in URLs
)
_PIECE = 65536
_TOO_LARGE = "sceneshift.body_too_large"


def current() -> str:
    """Return the id of the request that this thread answers, or answered last; "-" where it never did."""
    return _current.get()


class RequestIdMiddleware:
    """Takes `x-request-id` where it is sane, makes one otherwise, and answers with it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("x-request-id", "")
        request_id = given if _SANE.fullmatch(given) else uuid.uuid4().hex
        # Not reset afterwards: what Django logs about the answer comes after its middleware, in the same thread.
        _current.set(request_id)
        response = self.get_response(request)
        response.headers.setdefault("x-request-id", request_id)  # a job's answer carries the job's id
        return response


class BodyLimitMiddleware:
    """Answers 413 to a body over MAX_BODY_BYTES: by its declared length, unread; where it comes in chunks, as soon as
    it has grown too long. Django by itself takes a chunked body for an empty one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        limit: int = settings.MAX_BODY_BYTES
        if _is_chunked(request):
            body = request.META["wsgi.input"].read(limit + 1)
            _replace_body(request, body)
            request.META[_TOO_LARGE] = len(body) > limit
        elif (length := int(request.META.get("CONTENT_LENGTH") or 0)) > limit:
            _discard(request.META.get("wsgi.input"), min(length, 4 * limit))
            _replace_body(request, b"")
            request.META[_TOO_LARGE] = True
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Answer before any other middleware looks at the body, but for views that say it in words of their own."""
        if not is_too_large(request) or getattr(getattr(view, "view_class", None), "answers_too_large", False):
            return None
        limit: int = settings.MAX_BODY_BYTES
        return JsonResponse({"error": f"the body is over the limit of {limit // 2**20} MiB"}, status=413)


class PolicyMiddleware(CSPMiddleware):
    """django-csp's, but for an answer that brings its own policy none is worked out."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if response.has_header(HEADER) else super().process_response(request, response)


class LineFormatter(logging.Formatter):
    """Log lines, tracebacks included, in which keys and signatures are cut short."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class NotReadyFilter(logging.Filter):
    """Drops what Django logs as an error where /readyz answers 503: that is its work; the access log has the line."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        is_probe = isinstance(request, HttpRequest) and request.path == "/readyz"
        return not (is_probe and getattr(record, "status_code", None) == 503)


class RequestIdFilter(logging.Filter):
    """Gives every record the attribute `request_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current()
        return True


def mask(text: str) -> str:
    """Return `text` with API keys and signatures cut to what identifies them."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def is_too_large(request: HttpRequest) -> bool:
    """Return whether the body was over the limit, and has been dropped."""
    return bool(request.META.get(_TOO_LARGE))


def forget_body(request: HttpRequest) -> None:
    """Let go of a body that was read, with the files in it: whoever waits would keep it all the time."""
    request.close()
    _replace_body(request, b"")
    request._body = b""


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and "wsgi.input" in request.META


def _replace_body(request: HttpRequest, body: bytes) -> None:
    request.META["CONTENT_LENGTH"] = str(len(body))
    request.META["wsgi.input"] = request._stream = io.BytesIO(body)  # where WSGIRequest reads from


def _discard(stream: IO[bytes] | None, count: int) -> None:
    """Read and drop up to `count` bytes: a client that is still sending would see a reset and not the answer."""
    while stream is not None and count > 0 and (piece := stream.read(min(count, _PIECE))):
        count -= len(piece)
