"""A server on the loopback that answers whatever a test wants, byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from generations import outbound

Reply = Callable[[socket.socket, str], object]


class Server:
    """Answers each connection by `reply(connection, request)` in a thread; counts them."""

    def __init__(self, reply: Reply) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._reply = reply
        self.requests: list[str] = []
        self.stopped = threading.Event()
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.place}/a.png"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.stopped.is_set():
                connection.close()
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = connection.recv(65536).decode(errors="replace")
                self.requests.append(request)
                self._reply(connection, request)
            except OSError:
                return  # the client has hung up, as it should

    def drip(self, connection: socket.socket, data: bytes, every: float) -> None:
        """Send a byte at a time until the test ends."""
        for value in data:
            connection.sendall(bytes([value]))
            if self.stopped.wait(every):
                return

    def stop(self) -> None:
        self.stopped.set()
        with socket.create_connection(self._listener.getsockname()):
            self._listener.close()
        self._thread.join(5)


@contextmanager
def serving(reply: Reply) -> Iterator[Server]:
    server = Server(reply)
    try:
        yield server
    finally:
        server.stop()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode() + body


def fetch(server: Server, **options: Any) -> outbound.Fetched:
    return outbound.fetch(server.url, allow=[server.place], **options)
