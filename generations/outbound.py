"""The only way out: guarded fetches of what a stranger's URL names.

Where a connection goes is decided inside connect, on the very address that is connected to, so that no name,
no way of writing a number, no second answer of a resolver and no redirect reaches a private network. How long
and how much is bounded whatever the server does: a watchdog shuts the socket at the deadline, because a
timeout of `requests` counts from one byte to the next.
"""

import queue
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from generations import addresses

SECONDS = 15.0
LIMIT = 20 * 1024 * 1024
MAX_REDIRECTS = 3
MAX_URL = 8192

_PORTS = {"http": 80, "https": 443}
_CHUNK = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "Sceneshift",
    "Accept": "image/png, image/jpeg, image/webp, image/gif, */*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}

_Address = tuple[socket.AddressFamily, Any]


class OutboundError(Exception):
    """A URL could not be fetched; the message is for whoever named it and gives away no address."""


class Refused(OutboundError):
    """The URL itself may not be fetched: its scheme, port, credentials, or where its host leads."""


class Failed(OutboundError):
    """The server did not deliver: unreachable, too slow, too much, cut short, or an answer other than 200."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """data: the body, decoded. content_type: in lower case without parameters, "" where the server gave none."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL that may be asked for, as it will be sent; where it leads is checked in connect."""

    url: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """Return "host:port" in the form that `allow` is compared in."""
        return f"{self.host}:{self.port}"


def _target(url: str) -> _Target:
    if len(url) > MAX_URL:
        raise Refused(f"the URL has {len(url):,} characters; at most {MAX_URL:,} are allowed")
    try:
        sent = requests.Request("GET", url).prepare().url or ""
        parts = parse_url(sent)
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise Refused("the URL is not one that can be fetched; http:// and https:// are") from error
    if parts.scheme not in _PORTS or not parts.host:
        raise Refused(f"the URL's scheme is {parts.scheme!r}; http and https are allowed")
    if parts.auth is not None or "@" in (parts.netloc or ""):
        raise Refused("the URL carries a name or password; that is not allowed")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    return _Target(sent, _host(parts.host), port)


def _host(name: str) -> str:
    return name.lower().strip("[]").rstrip(".")


def _place(entry: str) -> str:
    """Return an entry of `allow` in the form of `_Target.place`."""
    host, _, port = entry.strip().rpartition(":")
    return f"{_host(host)}:{port}"


class _Call:
    """One fetch: its deadline, what it may reach, and the socket that the watchdog shuts."""

    def __init__(self, seconds: float, opened: frozenset[str]) -> None:
        self.expired = False
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._opened = opened
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._watchdog = threading.Timer(seconds, self._expire)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for handle in self._handles:
                _shut(handle)

    def late(self) -> Failed:
        """Return the error for a call that took too long."""
        return Failed(f"the server took longer than {self._seconds:g} s")

    def remaining(self) -> float:
        """Return the seconds left. Raises Failed where there are none."""
        left = self._deadline - time.monotonic()
        if self.expired or left <= 0:
            raise self.late()
        return left

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a socket connected to `host`: one address of one answer of the resolver, checked and then used."""
        targets = self._permitted(host, port)
        for family, address in targets:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self.remaining())
                connection.connect(address)
                self._watch(connection)
            except OSError:
                connection.close()
                continue
            except Failed:
                connection.close()
                raise
            return connection
        self.remaining()
        raise Failed("the server could not be reached")

    def _permitted(self, host: str, port: int) -> list[_Address]:
        if f"{_host(host)}:{port}" in self._opened:
            return self._resolve(host, port)
        if port < 1024 and port not in _PORTS.values():
            raise Refused(f"the URL's port is {port}; 80, 443 and those from 1024 are allowed")
        public = [entry for entry in self._resolve(host, port) if addresses.is_public(entry[1][0])]
        if not public:
            raise Refused(f"the URL's host {host!r} is not on the public internet")
        return public

    def _resolve(self, host: str, port: int) -> list[_Address]:
        """Ask the resolver once, in a thread of its own: it knows no timeout."""
        answers: queue.SimpleQueue[list[_Address] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                rows = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
                answers.put([(row[0], row[4]) for row in rows])
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self.remaining())
        except queue.Empty:
            raise self.late() from None
        if isinstance(answer, Exception):
            raise Failed(f"the URL's host {host!r} has no address") from answer
        return answer

    def _watch(self, connection: socket.socket) -> None:
        """Put the connection under the watchdog, by a second handle: TLS takes the first one over."""
        with self._lock:
            if self.expired:
                raise self.late()
            self._handles.append(connection.dup())


def _shut(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The peer has hung up already: nothing is left that could wait.
        handle.close()


class _Adapter(HTTPAdapter):
    """An HTTP adapter whose connections are made by a `_Call`; TLS and Host keep the name."""

    def __init__(self, call: _Call) -> None:
        self._call = call
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        call = self._call

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return call.connect(self._dns_host, self.port or _PORTS["http"])

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return call.connect(self._dns_host, self.port or _PORTS["https"])

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def fetch(url: str, *, allow: Sequence[str] = (), seconds: float = SECONDS, limit: int = LIMIT) -> Fetched:
    """Return the body behind `url`, within `seconds` in all and `limit` decoded bytes.

    Only the public internet is reached. allow: "host:port" entries that are reached wherever they lead. Up to
    three redirects are followed, each checked like the URL itself; one to an entry of `allow` only within the
    same host and port. No proxy, cookie or setting of the environment is used. Raises Refused or Failed.
    """
    target = _target(url)
    opened = frozenset(map(_place, allow)) & {target.place}
    with _Call(seconds, opened) as call:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(call, target, limit)
            if isinstance(answer, Fetched):
                return answer
            target = _target(answer)
    raise Failed(f"the URL redirects more than {MAX_REDIRECTS} times")


def _ask(call: _Call, target: _Target, limit: int) -> Fetched | str:
    """Return the answer, or the URL that it redirects to."""
    adapter = _Adapter(call)
    try:
        # Not through a session: that reads the environment, and a redirect's whole body, however long.
        request = requests.Request("GET", target.url, headers=_HEADERS).prepare()
        with adapter.send(request, stream=True, timeout=call.remaining(), verify=True) as response:
            return _read(call, response, limit)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        if call.expired:
            raise call.late() from error
        raise Failed(_explain(error)) from error
    finally:
        adapter.close()


def _explain(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not valid"
    if isinstance(error, requests.exceptions.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "the server's answer is compressed in a way that can't be read"
    return "the server broke off or answered something that is not HTTP"


def _read(call: _Call, response: requests.Response, limit: int) -> Fetched | str:
    location = response.headers.get("Location")
    if response.status_code in _REDIRECTS and location:
        # The standard library reads headers as Latin-1; what servers send is UTF-8.
        return urljoin(response.url, location.encode("latin-1").decode("utf-8", "replace"))
    if response.status_code != 200:
        raise Failed(f"the server answered {response.status_code}")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise Failed(f"the server sends more than {limit:,} bytes")
    # A socket that the watchdog shut ends like one that the server closed.
    call.remaining()
    if not body:
        raise Failed("the server's answer is empty")
    kind = response.headers.get("Content-Type", "")
    return Fetched(bytes(body), kind.partition(";")[0].strip().lower())
