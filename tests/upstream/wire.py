"""HTTP/1.1 on a socket, by hand: a fault has to decide about every byte."""

import http
import json
import math
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_BODY = 64 * 1024 * 1024
CHUNK = 256 * 1024
SLICES_PER_SECOND = 20.0
LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER: a close sends a reset."""


class Gone(Exception):
    """The client, or this server, has ended the connection."""


class Malformed(Exception):
    """This is not HTTP as the stand-in understands it."""


@dataclass(slots=True)
class Request:
    """One request; headers in lower case, the body still to be read."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    keeps_alive: bool
    body: bytes = b""

    @property
    def length(self) -> int:
        text = self.headers.get("content-length", "0")
        return int(text) if text.isdecimal() else -1


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Answer":
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def head(self, *, keep: bool = True, length: int | None = None) -> bytes:
        """Return the status line and headers; length: the one to promise, -1 for none."""
        promised = len(self.body) if length is None else length
        lines = [f"HTTP/1.1 {self.status} {phrase(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if promised >= 0:
            lines.append(f"Content-Length: {promised}")
        if not keep:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode()


def phrase(status: int) -> str:
    return http.HTTPStatus(status).phrase if status in PHRASED else "Unknown"


PHRASED = frozenset(int(status) for status in http.HTTPStatus)


class Connection:
    """One client's socket. Everything raises `Gone` once there is nobody to talk to."""

    def __init__(self, handle: socket.socket, stopping: threading.Event) -> None:
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._handle = handle
        self._stopping = stopping
        self._held = b""

    def read_head(self) -> Request:
        """Return the next request without its body. Raises Malformed."""
        while b"\r\n\r\n" not in self._held:
            self._held += self._receive()
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        if start.count(" ") != 2:
            raise Malformed(f"not a request: {start[:80]!r}")
        method, target, version = start.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        path, _, query = target.partition("?")
        keeps = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return Request(method, path, query, headers, keeps)

    def read_body(self, request: Request) -> None:
        """Complete `request` by its body. Raises Malformed where it has no length, or too much."""
        if "transfer-encoding" in request.headers or not 0 <= request.length <= MOST_BODY:
            raise Malformed("a body with a Content-Length is expected")
        if request.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        pieces, missing = [self._held[: request.length]], request.length - len(self._held)
        self._held = self._held[request.length :]
        while missing > 0:
            pieces.append(self._receive(min(missing, CHUNK)))
            missing -= len(pieces[-1])
        request.body = b"".join(pieces)

    def send(self, data: bytes) -> None:
        try:
            self._handle.sendall(data)
        except OSError as error:
            raise Gone from error

    def drip(self, data: bytes, bytes_per_second: float) -> None:
        """Send slowly, in pieces as small as the rate allows."""
        size = max(1, math.ceil(bytes_per_second / SLICES_PER_SECOND))
        for at in range(0, len(data), size):
            self.send(data[at : at + size])
            self.wait(size / bytes_per_second)

    def wait(self, seconds: float) -> None:
        """Let seconds pass."""
        if seconds > 0 and self._stopping.wait(seconds):
            raise Gone

    def wait_for_the_client(self) -> None:
        """Say nothing until the client gives up. Raises `Gone` then, always."""
        while True:
            self._receive()

    def reset(self) -> None:
        """End the connection by a reset."""
        self._handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)

    def _receive(self, most: int = CHUNK) -> bytes:
        try:
            data = self._handle.recv(most)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        return data
