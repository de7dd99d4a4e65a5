"""What the views of every dialect share: who asks, the limits, and answers in the dialect's own words.

A submit, in any dialect, is `self.count_submit()`, then `submission.submit(…, once=self.once(request))`, which has
Idempotency-Key work, and what it gives goes through `self.accepted_as`. Where its caller waits, `self.final(…)` waits;
where not, an earlier submit is answered like a new one.
"""

import threading
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import limits
from accounts.access import Actor, Right, refusal
from accounts.limits import WINDOW, Decision
from config.requests import forget_body, is_too_large
from generations import idempotency, submission, waiting
from generations.api import authentication, problems, repetition
from generations.api.operations import Group
from generations.api.problems import Problem
from generations.statements.terms import Final
from generations.submission import Submission

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""On every answer: a browser that is made to open one runs nothing of it."""


class DoorView(APIView):
    """A view of one dialect, which says how a problem is told (`tell`) and, where not by key, who asks (`identify`).

    `schema` and `group` say what it takes and answers, for the reference (described.py). `rights` says what each method
    needs, None where the method looks itself; every method that a view serves has a row.
    """

    metadata_class = None  # OPTIONS is a 405 like any other method that is not served
    group: ClassVar[Group]
    rights: ClassVar[Mapping[str, Right | None]] = {}
    answers_too_large = True
    rate: Decision | None = None
    replayed = False
    actor: Actor

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        served = {name.upper() for name in cls.http_method_names if name not in ("options", "head")}
        lacking = {name for name in served if hasattr(cls, name.lower())} - set(cls.rights)
        assert not lacking, f"{cls.__name__}.rights: no row for {', '.join(sorted(lacking))}"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and keep nothing of it: a view and its request refer to each other, so that the picture in the answer
        and those in the body would stay until Python looks for such circles."""
        answer = super().dispatch(request, *args, **kwargs)
        del self.response
        forget_body(request)
        return answer

    def tell(self, problem: Problem) -> Response:
        raise NotImplementedError

    def identify(self, request: Request) -> Actor:
        return authentication.actor(request)

    def count_submit(self) -> None:
        """Count a submit of the caller. Raises problems.OverLimit."""
        self.rate = limits.hit(self.actor.key_id or 0, self.actor.rate_limit, parent=self.actor.parent)
        if self.rate and not self.rate.allowed:
            raise problems.OverLimit(self.rate)

    def once(self, request: Request) -> idempotency.Once | None:
        """Return what submission.submit needs for the request's Idempotency-Key, None without. Raises ParseError."""
        return repetition.once(request, self.actor)

    def accepted_as(self, accepted: Submission) -> Submission:
        """Return what a submit gave, and have the answer say in Idempotent-Replayed where an earlier one made it."""
        self.replayed = accepted.repeated
        return accepted

    def allow_fallback(self, request: Request) -> bool | None:
        """Return whether an engine that does not read the prompt may stand in; None where the request does not say.
        Raises ParseError."""
        said = request.headers.get("x-allow-fallback")
        if said not in (None, "true", "false"):
            raise ParseError(f"x-allow-fallback: {said!r} is not one of true, false")
        return None if said is None else said == "true"

    def final(self, accepted: Submission, bell: threading.Event, seconds: float) -> Final | None:
        """Wait for a job to end, and return it, or None after so long. Nobody waits for the job of an earlier request,
        whose caller waits already. Raises idempotency.Underway.

        `bell` comes from notices.expected, entered before the submit with the id that it was given.
        """
        if not accepted.repeated:
            forget_body(self.request._request)
            return waiting.until_final(accepted.generation.id, bell, seconds)
        done = waiting.look(accepted.generation.id)
        if done is None:
            self.replayed = False
            raise idempotency.Underway(accepted.generation.id)
        return done

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """Whatever is accepted, errors are JSON; what success looks like, the dialect decides."""
        return JSONRenderer(), JSONRenderer.media_type

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if is_too_large(request._request):
            raise RequestDataTooBig
        self.actor = self.identify(request)
        right = self.rights.get("GET" if request.method == "HEAD" else str(request.method))
        if right and not self.actor.may(right):
            self.refuse(right)

    def refuse(self, right: Right) -> NoReturn:
        """Say which scope or role the caller lacks. Raises NotAllowed."""
        raise submission.NotAllowed(refusal(self.actor, right))

    def handle_exception(self, exc: Exception) -> Response:
        answer = self.tell(problems.of(exc))
        answer.exception = True
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        replayed = {"Idempotent-Replayed": "true"} if self.replayed else {}
        for name, value in {**SAFETY, **rate_headers(self.rate), **replayed}.items():
            final[name] = value
        return final


class UnknownView(DoorView):
    """Any other path of a dialect, whoever asks; each dialect mixes it with its own view. instead: what there is."""

    instead: ClassVar[str] = ""

    def identify(self, request: Request) -> Actor:
        raise NotFound(f"{request.path}: there is no such address" + (self.instead and f" here; {self.instead}"))


def rate_headers(rate: Decision | None) -> dict[str, str]:
    """Return the limit and what is left of it (draft-ietf-httpapi-ratelimit-headers); nothing where none is set."""
    if rate is None:
        return {}
    return {
        "RateLimit-Policy": f'"default";q={rate.limit};w={WINDOW}',
        "RateLimit": f'"default";r={rate.remaining};t={rate.reset_seconds}',
    }
