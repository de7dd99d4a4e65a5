"""S2: a fetch is bounded in time, bytes and memory, whatever the server does."""

import gzip
import resource
import socket
import threading
import time
import zlib
from typing import Any

import pytest

from generations import outbound
from tests.loopback import Server, answer, fetch, serving


def test_a_picture_is_fetched() -> None:
    sent = answer(b"pixels", "Content-Type: Image/PNG; charset=binary", "Content-Length: 6")
    with serving(lambda connection, _: connection.sendall(sent)) as server:
        assert fetch(server) == outbound.Fetched(b"pixels", "image/png")
        assert f"Host: {server.place}\r\n" in server.requests[0]
        assert "Cookie" not in server.requests[0]


def test_a_body_up_to_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    sent = answer(b"x" * 1000)
    with serving(lambda connection, _: connection.sendall(sent)) as server:
        assert len(fetch(server, limit=1000).data) == 1000
        with pytest.raises(outbound.Failed, match="more than 999 bytes"):
            fetch(server, limit=999)


def _timed(server: Server, seconds: float, match: str) -> float:
    started = time.monotonic()
    with pytest.raises(outbound.Failed, match=match):
        fetch(server, seconds=seconds)
    return time.monotonic() - started


LATE = "took longer than 0.6 s"


def test_a_dripping_body_ends_at_the_deadline() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(answer(b"", "Content-Length: 1000"))
        server.drip(connection, b"x" * 1000, 0.05)

    with serving(reply) as server:
        assert 0.5 < _timed(server, 0.6, LATE) < 1.6


def test_a_dripping_body_of_unknown_length_is_never_taken_for_a_short_one() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(answer(b""))
        server.drip(connection, b"x" * 1000, 0.05)

    with serving(reply) as server:
        assert 0.5 < _timed(server, 0.6, LATE) < 1.6


def test_a_silent_body_of_unknown_length_is_never_taken_for_a_short_one() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(answer(b"half of it"))
        server.stopped.wait(10)

    with serving(reply) as server:
        assert 0.5 < _timed(server, 0.6, "in time|longer|broke off") < 1.6


def test_dripping_headers_end_at_the_deadline() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        server.drip(connection, b"X-Drip: " + b"x" * 10_000, 0.05)

    with serving(reply) as server:
        assert 0.5 < _timed(server, 0.6, LATE) < 1.6


def test_endless_interim_answers_end_at_the_deadline() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        while not server.stopped.wait(0.02):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with serving(reply) as server:
        assert _timed(server, 0.6, LATE) < 1.6


def test_a_server_that_never_answers_ends_at_the_deadline() -> None:
    with serving(lambda _, __: server.stopped.wait(10)) as server:
        assert _timed(server, 0.6, "in time|longer") < 1.6


def test_a_connect_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = f"127.0.0.1:{full.getsockname()[1]}"
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        started = time.monotonic()
        with pytest.raises(outbound.Failed, match=LATE):
            outbound.fetch(f"http://{place}/", allow=[place], seconds=0.6)
        assert time.monotonic() - started < 1.6
        for filler in fillers:
            filler.close()


def test_a_resolver_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        done.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(outbound.Failed, match=LATE):
        outbound.fetch("http://slow.example/", seconds=0.6)
    assert time.monotonic() - started < 1.6
    done.set()


def test_an_endless_body_ends_at_the_limit() -> None:
    def reply(connection: socket.socket, _: str) -> None:
        connection.sendall(answer(b""))
        while not server.stopped.is_set():
            connection.sendall(b"x" * 65536)

    with serving(reply) as server:
        started = time.monotonic()
        with pytest.raises(outbound.Failed, match="more than 20,971,520 bytes"):
            fetch(server)
        assert time.monotonic() - started < 5


def test_a_gzip_bomb_ends_at_the_limit_of_decoded_bytes_in_little_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
    assert len(bomb) < 1 << 20
    sent = answer(bomb, "Content-Encoding: gzip", f"Content-Length: {len(bomb)}")
    with serving(lambda connection, _: connection.sendall(sent)) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(outbound.Failed, match="more than"):
            fetch(server)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def test_a_compressed_body_is_decoded() -> None:
    packed = gzip.compress(b"pixels" * 100, mtime=0)
    sent = answer(packed, "Content-Encoding: gzip", f"Content-Length: {len(packed)}")
    with serving(lambda connection, _: connection.sendall(sent)) as server:
        assert fetch(server).data == b"pixels" * 100


CUT = {
    "fewer bytes than Content-Length": answer(b"half", "Content-Length: 8"),
    "inside a chunk": answer(b"8\r\nhalf", "Transfer-Encoding: chunked"),
    "between chunks": answer(b"4\r\nhalf\r\n", "Transfer-Encoding: chunked"),
    "inside a gzip body": answer(
        gzip.compress(b"pixels" * 100, mtime=0)[:-20], "Content-Encoding: gzip", "Content-Length: 60"
    ),
    "inside a header": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "an empty body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "inside the status line": b"HTTP/1.",
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "not what Content-Encoding says": answer(b"not gzip", "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("sent", CUT.values(), ids=CUT)
def test_a_cut_or_broken_answer_is_a_failure(sent: bytes) -> None:
    with serving(lambda connection, _: connection.sendall(sent)) as server, pytest.raises(outbound.Failed):
        fetch(server, seconds=5)


@pytest.mark.parametrize(
    "status", ["204 No Content", "206 Partial Content", "304 Not Modified", "404 Not Found", "500 No"]
)
def test_any_answer_but_200_is_a_failure(status: str) -> None:
    with (
        serving(lambda connection, _: connection.sendall(answer(b"x", status=status))) as server,
        pytest.raises(outbound.Failed, match=f"answered {status[:3]}"),
    ):
        fetch(server, seconds=5)
