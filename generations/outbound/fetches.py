"""Guarded fetches of what a stranger's URL names.

No name, no way of writing a number, no second answer of a resolver and no redirect reaches a private network, and how
long and how much is bounded whatever the server does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import requests

from generations.outbound import calls, transport
from generations.outbound.errors import Failed
from generations.outbound.targets import Target, target

SECONDS = 15.0
LIMIT = 20 * 1024 * 1024
MAX_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "Sceneshift",
    "Accept": "image/png, image/jpeg, image/webp, image/gif, */*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """data: the body, decoded. content_type: in lower case without parameters, "" where the server gave none."""

    data: bytes
    content_type: str


def fetch(
    url: str,
    *,
    allow: Sequence[str] = (),
    hosts: Sequence[str] = (),
    seconds: float = SECONDS,
    limit: int = LIMIT,
) -> Fetched:
    """Return the body behind `url`, within `seconds` in all and `limit` decoded bytes.

    Only the public internet is reached, and where `hosts` are named only they and their subdomains. allow:
    "host:port" entries that are reached wherever they lead. Up to three redirects are followed, each checked like the
    URL itself; one to an entry of `allow` only within the same host and port. No proxy, cookie or setting of the
    environment is used. Raises Refused or Failed.
    """
    asked = target(url, hosts)
    with calls.Call(seconds, asked.opened(allow)) as call:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(call, asked, limit)
            if isinstance(answer, Fetched):
                return answer
            asked = target(answer, hosts)
    raise Failed(f"the URL redirects more than {MAX_REDIRECTS} times")


def _ask(call: calls.Call, asked: Target, limit: int) -> Fetched | str:
    """Return the answer, or the URL that it redirects to."""
    adapter = transport.Adapter()
    try:
        # Not through a session: that reads the environment, and a redirect's whole body, however long.
        request = requests.Request("GET", asked.url, headers=_HEADERS).prepare()
        with transport.send(adapter, call, request) as response:
            return _read(call, response, limit)
    finally:
        adapter.close()


def _read(call: calls.Call, response: requests.Response, limit: int) -> Fetched | str:
    location = response.headers.get("Location")
    if response.status_code in _REDIRECTS and location:
        # The standard library reads headers as Latin-1; what servers send is UTF-8.
        return urljoin(response.url, location.encode("latin-1").decode("utf-8", "replace"))
    if response.status_code != 200:
        raise Failed(f"the server answered {response.status_code}")
    body = transport.read(call, response, limit)
    if not body:
        raise Failed("the server's answer is empty")
    kind = response.headers.get("Content-Type", "")
    return Fetched(body, kind.partition(";")[0].strip().lower())
