"""HTTP over the connections of a `Call`; TLS and Host keep the name that was asked for."""

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from generations.outbound import calls
from generations.outbound.errors import Failed, OutboundError, Unreachable

CHUNK = 64 * 1024


class _Watched(HTTPConnection):
    """A connection that every call which uses it puts under its own watchdog, a kept one too.

    handle: a second one of the socket, since TLS takes the first one over.
    """

    handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connection = calls.current().connect(self._dns_host, self.port or self.default_port)
        self.handle = connection.dup()
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        call = calls.current()
        if self.sock is None:
            self.connect()
        elif self.handle is not None:
            call.watch(self.handle)
        call.sent = True
        super().request(*args, **kwargs)

    def close(self) -> None:
        super().close()
        if self.handle is not None:
            self.handle.close()


class _Plain(_Watched):
    pass


class _Secure(_Watched, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class Adapter(HTTPAdapter):
    """An HTTP adapter whose connections are made by the current `Call`. kept: idle connections that are kept."""

    def __init__(self, kept: int = 1) -> None:
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=kept)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what stands in the request line: there is no proxy, whose settings it would look for."""
        return request.path_url


def send(adapter: Adapter, call: calls.Call, request: requests.PreparedRequest) -> requests.Response:
    """Return the head of the answer; its body is still to be read. Raises OutboundError."""
    try:
        return adapter.send(request, stream=True, timeout=call.remaining(), verify=True)
    except ERRORS as error:
        raise explained(call, error) from error


def read(call: calls.Call, response: requests.Response, limit: int) -> bytes:
    """Return the body, at most `limit` decoded bytes. Raises Failed."""
    body = bytearray()
    try:
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > limit:
                raise Failed(f"the server sends more than {limit:,} bytes")
    except ERRORS as error:
        raise explained(call, error) from error
    # A socket that the watchdog shut ends like one that the server closed.
    call.remaining()
    return bytes(body)


def read_beginning(call: calls.Call, response: requests.Response, limit: int) -> bytes:
    """Return the first `limit` decoded bytes of the body, and leave the rest where it is. Raises Failed."""
    body = bytearray()
    try:
        for chunk in response.iter_content(min(limit, CHUNK)):
            body += chunk
            if len(body) >= limit:
                return bytes(body[:limit])
    except ERRORS as error:
        raise explained(call, error) from error
    call.remaining()
    return bytes(body)


ERRORS = (requests.RequestException, HTTPError, OSError, ValueError)
"""Whatever `requests` and what lies under it raise."""


def explained(call: calls.Call, error: Exception) -> OutboundError:
    """Return what an error of `requests` says, as an error of ours."""
    if call.expired:
        return call.late()
    kind = Failed if call.sent else Unreachable
    if isinstance(error, requests.exceptions.SSLError):
        return kind("the server's certificate is not valid")
    if isinstance(error, requests.exceptions.Timeout):
        return kind("the server did not answer in time")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return kind("the server's answer is compressed in a way that can't be read")
    return kind("the server broke off or answered something that is not HTTP")
