"""Guarded posts to what a stranger's URL names: bounded like `fetch`, and never redirected."""

from collections.abc import Mapping, Sequence

import requests

from generations.outbound import calls, transport
from generations.outbound.origins import Answer
from generations.outbound.targets import target


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    seconds: float,
    limit: int,
    allow: Sequence[str] = (),
) -> Answer:
    """Return the answer, whatever its status, with the first `limit` bytes of its body, within `seconds` in all.

    Only the public internet is reached, and the "host:port" entries of `allow`. A redirect is an answer like any
    other. No proxy, cookie or setting of the environment is used. Raises Refused, Unreachable where nothing was sent,
    or Failed.
    """
    asked = target(url)
    given = {"Accept-Encoding": "identity", "Connection": "close", **headers}
    adapter = transport.Adapter()
    with calls.Call(seconds, asked.opened(allow)) as call:
        try:
            request = requests.Request("POST", asked.url, headers=given, data=body).prepare()
            with transport.send(adapter, call, request) as response:
                return Answer(response.status_code, response.headers, transport.read_beginning(call, response, limit))
        finally:
            adapter.close()
