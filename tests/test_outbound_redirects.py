"""Redirects: few, each guarded like the URL itself, all within one deadline."""

import ipaddress
import socket
import threading
import time
from typing import Any

import pytest

from generations import outbound
from tests.loopback import Reply, answer, fetch, serving

PUBLIC = "93.184.216.34"


def redirecting(*locations: str) -> Reply:
    """Answer the n-th request path /n by a redirect to the n-th location, and any other with a picture."""

    def reply(connection: socket.socket, request: str) -> None:
        step = request.split(" ", 2)[1].rpartition("/")[2]
        if step.isdigit() and int(step) < len(locations):
            connection.sendall(answer(b"", f"Location: {locations[int(step)]}", status="302 Found"))
        else:
            connection.sendall(answer(b"pixels", "Content-Type: image/png"))

    return reply


def _follow(*locations: str, **options: Any) -> tuple[outbound.Fetched, int]:
    with serving(redirecting(*locations)) as server:
        found = outbound.fetch(f"http://{server.place}/0", allow=[server.place], seconds=5, **options)
        return found, len(server.requests)


def test_up_to_three_redirects_are_followed() -> None:
    assert _follow("/1", "2", "/end") == (outbound.Fetched(b"pixels", "image/png"), 4)


def test_a_fourth_redirect_is_not_followed() -> None:
    with pytest.raises(outbound.Failed, match="more than 3 times"):
        _follow("/1", "/2", "/3", "/4")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:6379/",
        "http://[::1]:8000/",
        "http://0x7f000001/",
        "//10.0.0.1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://name:word@93.184.216.34/",
    ],
)
def test_no_redirect_leads_to_a_private_address(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect
    with serving(redirecting(location)) as server:
        port = int(server.place.partition(":")[2])
        beyond: list[Any] = []

        def connect(self: socket.socket, address: tuple[Any, ...]) -> None:
            if address[1] != port:
                beyond.append(address)
                raise ConnectionRefusedError
            real(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)
        with pytest.raises(outbound.Refused):
            outbound.fetch(f"http://{server.place}/0", allow=[server.place], seconds=5)
        assert beyond == []
        assert len(server.requests) == 1


def test_a_redirect_does_not_reach_another_entry_of_allow() -> None:
    with serving(redirecting()) as inner, serving(redirecting(f"http://{inner.place}/a")) as outer:
        with pytest.raises(outbound.Refused):
            outbound.fetch(f"http://{outer.place}/0", allow=[outer.place, inner.place], seconds=5)
        assert inner.requests == []


def test_a_redirect_to_a_public_address_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect
    went: list[str] = []

    def connect(self: socket.socket, address: tuple[Any, ...]) -> None:
        if ipaddress.ip_address(address[0]).is_loopback:
            real(self, address)
            return
        went.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(outbound.Failed, match="could not be reached"):
        _follow(f"http://{PUBLIC}/a.png")
    assert went == [PUBLIC]


def test_the_deadline_holds_over_all_redirects() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        if not server.stopped.wait(0.25):
            connection.sendall(answer(b"", "Location: /again", status="307 Temporary Redirect"))

    with serving(reply) as server:
        started = time.monotonic()
        with pytest.raises(outbound.Failed, match=r"longer|in time"):
            fetch(server, seconds=0.6)
        assert time.monotonic() - started < 1.6


def test_the_body_of_a_redirect_is_not_read() -> None:
    def reply(connection: socket.socket, request: str) -> None:
        if "/again" in request:
            connection.sendall(answer(b"pixels"))
            return
        connection.sendall(answer(b"", "Location: /again", status="302 Found"))
        while not server.stopped.is_set():
            connection.sendall(b"x" * 65536)

    with serving(reply) as server:
        assert fetch(server, seconds=5).data == b"pixels"


def test_no_watchdog_is_left_behind() -> None:
    before = set(threading.enumerate())  # other tests may have left timers of theirs
    with serving(redirecting()) as server:
        fetch(server)
        left = [thread for thread in set(threading.enumerate()) - before if isinstance(thread, threading.Timer)]
        for watchdog in left:
            watchdog.join(1)
        assert not any(watchdog.is_alive() for watchdog in left)
