"""Calls to an origin: kept connections under each call's own deadline, and whether anything was sent."""

import socket
import time
from collections.abc import Callable

import pytest

from generations import outbound
from tests.loopback import Server, answer, serving
from tests.servers import free_port

JSON = answer(b'{"a": 1}', "Content-Type: application/json", "Content-Length: 8")


def origin(server: Server) -> outbound.Origin:
    return outbound.Origin(f"http://{server.place}")


def get(to: outbound.Origin, path: str = "/", *, seconds: float = 5.0, limit: int = 1000) -> outbound.Answer:
    return to.get(path, headers={"x-api-key": "secret"}, seconds=seconds, limit=limit)


def keep_answering(data: bytes) -> Callable[[socket.socket, str], None]:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(data)
        while connection.recv(65536):
            connection.sendall(data)

    return reply


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://api.example.com/v1",
        "https://user:word@api.example.com",
        "https://api.example.com?x=1",
        "https://",
    ],
)
def test_an_origin_is_scheme_host_and_port_alone(url: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        outbound.Origin(url)


def test_any_status_is_an_answer_and_no_redirect_is_followed() -> None:
    moved = answer(b"", "Location: http://10.0.0.1/", "Content-Length: 0", status="302 Found")
    with serving(lambda connection, _: connection.sendall(moved)) as server:
        found = get(origin(server))
    assert (found.status, found.headers["location"], len(server.requests)) == (302, "http://10.0.0.1/", 1)


def test_a_path_cannot_leave_the_origin() -> None:
    with pytest.raises(outbound.Refused):
        get(outbound.Origin("https://api.example.com"), "https://evil.example/")
    with pytest.raises(outbound.Refused):
        get(outbound.Origin("https://api.example.com"), ".evil.example/")


def test_gets_share_a_connection_and_posts_never_do() -> None:
    with serving(keep_answering(JSON)) as server:
        to = origin(server)
        assert [get(to).status for _ in range(3)] == [200, 200, 200]
        assert len(server.requests) == 1  # connections, that is: `serving` reads one request of each
        for _ in range(2):
            to.post("/", b"{}", headers={}, seconds=5, limit=1000)
        assert len(server.requests) == 3
        assert "connection: close" in server.requests[-1].lower()


def test_a_kept_connection_is_under_the_deadline_of_the_call_that_uses_it() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(JSON)
        connection.recv(65536)
        server.drip(connection, JSON, 0.05)

    with serving(reply) as server:
        to = origin(server)
        get(to, seconds=0.4)
        time.sleep(0.6)  # the first call's time is over, and must not end the second
        began = time.monotonic()
        with pytest.raises(outbound.Failed, match=r"longer than 0\.7 s"):
            get(to, seconds=0.7)
        assert 0.6 < time.monotonic() - began < 2


def test_headers_that_drip_end_at_the_deadline() -> None:
    with (
        serving(lambda connection, _: server.drip(connection, JSON, 0.05)) as server,
        pytest.raises(outbound.Failed, match="longer") as caught,
    ):
        origin(server).post("/", b"{}", headers={}, seconds=0.5, limit=1000)
    assert not isinstance(caught.value, outbound.Unreachable)


def test_a_refused_connection_is_certainly_not_sent() -> None:
    with pytest.raises(outbound.Unreachable):
        outbound.Origin(f"http://127.0.0.1:{free_port()}").post("/", b"{}", headers={}, seconds=5, limit=1000)


def test_tls_that_does_not_come_about_is_certainly_not_sent() -> None:
    with serving(lambda connection, _: connection.sendall(b"plain")) as server, pytest.raises(outbound.Unreachable):
        outbound.Origin(f"https://{server.place}").post("/", b"{}", headers={}, seconds=5, limit=1000)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"])
def test_what_breaks_off_may_have_been_sent(sent: bytes) -> None:
    with serving(lambda connection, _: connection.sendall(sent)) as server, pytest.raises(outbound.Failed) as caught:
        origin(server).post("/", b"{}", headers={}, seconds=5, limit=1000)
    assert not isinstance(caught.value, outbound.Unreachable)


def test_a_body_is_bounded() -> None:
    large = answer(b"x" * 2000, "Content-Length: 2000")
    with (
        serving(lambda connection, _: connection.sendall(large)) as server,
        pytest.raises(outbound.Failed, match="more"),
    ):
        get(origin(server))


def test_no_setting_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(lambda connection, _: connection.sendall(JSON)) as server:
        assert get(origin(server)).status == 200
