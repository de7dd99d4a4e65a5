"""RabbitMQ, which somebody else runs, behind a wire that can be cut."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

import amqp
from kombu import Connection, Queue

from config.queues import QUEUES

PIECE = 65_536


class Wire:
    """Leads every connection to a port of this machine on to another; `cut` resets all and refuses new ones."""

    def __init__(self, port: int, to: tuple[str, int]) -> None:
        self.port, self.to = port, to
        self._ends: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        if self._listener:
            _close(self._listener)
        for end in list(self._ends):
            _close(end)
        self._ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # cut
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.to, timeout=5)
                far.settimeout(None)
                self._ends |= {near, far}
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()


class RabbitMQ:
    """The server at a URL, as it is seen through a port of ours. Away from the start."""

    def __init__(self, behind: str, port: int) -> None:
        far = urlsplit(behind)
        self.behind = behind
        self.url = far._replace(netloc=f"{far.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()
        self._wire = Wire(port, (far.hostname or "127.0.0.1", far.port or 5672))

    def come(self) -> None:
        self._purge()
        self._wire.mend()

    def go(self) -> None:
        """Cut every connection and empty the queues; what was delivered and not acknowledged comes again."""
        self._wire.cut()
        self._purge()

    def _purge(self) -> None:
        with Connection(self.behind) as connection:
            for queue in QUEUES:
                with contextlib.suppress(amqp.NotFound):
                    Queue(queue)(connection.channel()).purge()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    _close(source)
    _close(target)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
