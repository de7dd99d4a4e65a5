"""The table of routes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.upstream import answers, history
from tests.upstream.calls import Call, Refused
from tests.upstream.wire import Answer


@dataclass(frozen=True, slots=True)
class Route:
    """kind: see rules.KINDS. open: answered without a key."""

    kind: str
    method: str
    path: re.Pattern[str]
    handle: Callable[[Call], Answer]
    open: bool = False

    def answer(self, call: Call) -> Answer:
        """Return what the API answers; a submit that it accepts is charged by this."""
        try:
            if not self.open:
                call.authenticate()
            if call.unreadable:
                raise call.unreadable
            return self.handle(call)
        except Refused as refused:
            return refused.answer


def _not_found(call: Call) -> Answer:
    raise Refused(404, f"{call.request.path} not found")


def _wrong_method(call: Call) -> Answer:
    raise Refused(405, f"{call.request.method} is not allowed")


NOT_FOUND = Route("unknown", "", re.compile(""), _not_found, open=True)
WRONG_METHOD = Route("unknown", "", re.compile(""), _wrong_method, open=True)
ROUTES = (
    Route("status", "GET", re.compile(r"/v2/requests/([^/]+)/status"), answers.status),
    Route("result", "GET", re.compile(r"/v2/requests/([^/]+)"), answers.result),
    Route("output", "GET", re.compile(r"/outputs/([^/]+)/(\d+)\.(?:jpg|png)"), answers.picture, open=True),
    Route("submit", "POST", re.compile(r"/v2/([^/]+)"), answers.submit),
    Route("run", "POST", re.compile(r"/v1/([^/]+)"), answers.run),
    Route("poll", "GET", re.compile(r"/v1/requests/([^/]+)"), answers.poll),
    Route("credits", "GET", re.compile(r"/v1/get-user-credits"), history.credit),
    Route("history", "GET", re.compile(r"/inference-request/request-history"), history.page),
    Route("history", "GET", re.compile(r"/inference-request/request-history/([^/]+)"), history.one),
)


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return the route, and what its path names."""
    missing = NOT_FOUND
    for route in ROUTES:
        match = route.path.fullmatch(path)
        if match and route.method == method:
            return route, match.groups()
        missing = WRONG_METHOD if match else missing
    return missing, ()
