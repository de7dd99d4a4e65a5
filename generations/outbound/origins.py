"""Calls to one server that the operator named: an engine's upstream."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from generations.outbound import calls, transport
from generations.outbound.errors import Refused, Unreachable

KEPT = 32
"""Idle connections that are kept for the next call."""

_PLAIN = re.compile(r"(/[\w-]+)+(\.\w+)?", re.ASCII)
"""A path that goes out as it stands."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status. headers: names in any case. data: the body, decoded."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Origin:
    """A server that is reached wherever it lies, and nothing but it: no redirect is followed, no proxy, cookie or
    setting of the environment is used.

    `url` is scheme, host and port alone. Raises ValueError where it is more, or less.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
        if parts.scheme not in calls.PORTS or not parts.hostname or not is_bare:
            raise ValueError(f"{url!r} is not an origin, such as https://api.example.com")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._opened = frozenset({f"{calls.normal(parts.hostname)}:{parts.port or calls.PORTS[parts.scheme]}"})
        self._kept = transport.Adapter(KEPT)

    def get(self, path: str, *, headers: Mapping[str, str], seconds: float, limit: int) -> Answer:
        """Return the answer to a GET within `seconds` in all. Raises Unreachable where nothing was sent, or Failed."""
        return self._ask(self._kept, "GET", path, headers, None, seconds, limit)

    def post(self, path: str, body: bytes, *, headers: Mapping[str, str], seconds: float, limit: int) -> Answer:
        """Return the answer to a POST, which goes over a connection of its own: on a kept one that the server has
        just closed nobody knows whether it arrived. Raises as `get` does."""
        adapter = transport.Adapter()
        try:
            return self._ask(adapter, "POST", path, {**headers, "Connection": "close"}, body, seconds, limit)
        finally:
            adapter.close()

    def _ask(
        self,
        adapter: transport.Adapter,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        seconds: float,
        limit: int,
    ) -> Answer:
        if not path.startswith("/"):
            raise Refused(f"{path!r} is not a path")
        given = {"User-Agent": "Sceneshift", "Accept-Encoding": "identity", **headers}
        with calls.Call(seconds, self._opened) as call:
            request = _prepared(method, self.url, path, given, body)
            with transport.send(adapter, call, request) as response:
                return Answer(response.status_code, response.headers, transport.read(call, response, limit))


def _prepared(
    method: str, origin: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """Return the request. Raises Unreachable without the reason, which may hold a header's secret.

    Of what `Request.prepare` does only what can make a difference here: the rest costs as much as the call itself.
    """
    request = requests.PreparedRequest()
    try:
        request.prepare_method(method)
        request.prepare_headers(headers)
        if _PLAIN.fullmatch(path):
            request.url = f"{origin}{path}"
        else:
            request.prepare_url(f"{origin}{path}", None)
    except (requests.RequestException, ValueError):
        raise Unreachable("the request can't be made of these headers") from None
    request.body = body
    if body is not None:
        request.headers["Content-Length"] = str(len(body))
    return request
