"""Somebody who takes webhooks: a server on the loopback that keeps what it was sent and answers as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings

from generations import dispatch
from generations.models.webhook import Event
from generations.webhooks import deliveries, events


@dataclass(frozen=True, slots=True)
class Taken:
    """One POST that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


class Receiver:
    """answers: the status of each answer in turn, the last one for ever. delay: seconds before each."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.answers = [200]
        self.delay = 0.0
        self.at_once = self.most_at_once = 0
        self.headers: dict[str, str] = {}
        self.body = b'{"ok": true}'
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def events(self) -> list[str]:
        """The statuses that were told, in the order of arrival."""
        return [taken.told["status"] for taken in self.taken]

    def stop(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, taken: Taken) -> int:
        with self._lock:
            self.taken.append(taken)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.stopped.wait(self.delay)
        with self._lock:
            self.at_once -= 1
        return status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver._take(Taken(self.path, headers, body))
                self.send_response(status)
                for name, value in {"content-length": str(len(receiver.body)), **receiver.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, *_: Any) -> None:
                return

        return Handler


@pytest.fixture
def make_receiver(settings: LazySettings) -> Iterator[Callable[[], Receiver]]:
    """Return a function that starts a receiver which the operator has opened."""
    started: list[Receiver] = []

    def make() -> Receiver:
        started.append(Receiver())
        settings.OUTBOUND_ALLOW = [*settings.OUTBOUND_ALLOW, started[-1].place]
        return started[-1]

    yield make
    for each in started:
        each.stop()


@pytest.fixture
def receiver(make_receiver: Callable[[], Receiver]) -> Receiver:
    return make_receiver()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write down and send in this process, as soon as it is asked for; what is asked for later is left."""

    def deliver(delivery_id: int, *, after: float = 0.0) -> None:
        if not after:
            deliveries.send(delivery_id)

    monkeypatch.setattr(dispatch, "event", lambda generation_id, name: events.note(generation_id, Event(name)))
    monkeypatch.setattr(dispatch, "delivery", deliver)


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Publish nothing that has to do with webhooks; the list says what."""
    lost: list[Any] = []
    monkeypatch.setattr(dispatch, "event", lambda generation_id, name: lost.append((generation_id, name)))
    monkeypatch.setattr(dispatch, "delivery", lambda delivery_id, after=0.0: lost.append(delivery_id))
    return lost


def wait_for(is_so: Callable[[], Any], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)
