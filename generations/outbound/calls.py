"""One call under a deadline: where its connections go is decided inside connect, on the very address that is connected
to, and a watchdog shuts them when the time is over, because a timeout of `requests` counts from one byte to the next.
"""

import queue
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

from generations import addresses
from generations.outbound import watchdog
from generations.outbound.errors import Failed, Refused, Unreachable

PORTS = {"http": 80, "https": 443}

_Address = tuple[socket.AddressFamily, Any]
_current = threading.local()


def current() -> "Call":
    """Return the call that this thread is making."""
    made: Call = _current.call
    return made


def normal(host: str) -> str:
    """Return a host's name in the form that places are compared in."""
    return host.lower().strip("[]").rstrip(".")


class Call:
    """A call of this thread: its deadline, what it may reach, and the sockets that the watchdog shuts.

    opened: the "host:port" places that may be reached wherever they lead. sent: whether a request may have left.
    """

    def __init__(self, seconds: float, opened: frozenset[str] = frozenset()) -> None:
        self.expired = self.ended = self.sent = False
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._opened = opened
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []

    def __enter__(self) -> Self:
        watchdog.of_process().watch(self, self._deadline)
        _current.call = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self.ended = True
            _close(*self._handles)
            self._handles.clear()
        del _current.call

    def expire(self) -> None:
        """Shut every connection of the call: whoever reads from one learns that its time is over."""
        with self._lock:
            self.expired = True
            for handle in self._handles:
                _shut(handle)

    def late(self) -> Failed:
        """Return the error for a call that took too long."""
        return (Failed if self.sent else Unreachable)(f"the server took longer than {self._seconds:g} s")

    def remaining(self) -> float:
        """Return the seconds left. Raises Failed where there are none."""
        left = self._deadline - time.monotonic()
        if self.expired or left <= 0:
            raise self.late()
        return left

    def watch(self, connection: socket.socket) -> None:
        """Put a connection under the watchdog, by a handle of the call's own: the connection may be closed before
        its answer has been read."""
        with self._lock:
            if self.expired:
                raise self.late()
            self._handles.append(connection.dup())

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a socket connected to `host`, under the watchdog: one address of one answer of the resolver, checked
        and then used. Raises Refused or Unreachable."""
        for family, address in self._permitted(host, port):
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self.remaining())
                connection.connect(address)
                self.watch(connection)
            except OSError:
                connection.close()
                continue
            except Failed:
                connection.close()
                raise
            return connection
        self.remaining()
        raise Unreachable("the server could not be reached")

    def _permitted(self, host: str, port: int) -> list[_Address]:
        if f"{normal(host)}:{port}" in self._opened:
            return self._resolve(host, port)
        if port < 1024 and port not in PORTS.values():
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
            raise Unreachable(f"the URL's host {host!r} has no address") from answer
        return answer


def _close(*handles: socket.socket) -> None:
    for handle in handles:
        handle.close()


def _shut(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The peer has hung up already: nothing is left that could wait.
        handle.close()
