"""Every fault of the stand-in does on the wire what its name says, hits the calls of its rule, and bills as told."""

import contextlib
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import upstream
from tests.test_upstream import body
from tests.upstream.faults import HTML, PRIVATE

SILENCE = 0.3
"""Seconds after which a server counts as silent."""


@pytest.fixture
def server() -> Iterator[upstream.Server]:
    with upstream.running() as server:
        yield server


class Heard:
    """What came back on the wire, and how it ended: "" where the connection is still open."""

    def __init__(self, data: bytes, end: str) -> None:
        self.raw, self.end = data, end
        self.head, self.gap, self.body = data.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in self.head.decode().split("\r\n")]
        self.headers = {name.lower(): value.strip() for name, _, value in lines}
        self.status = int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else None

    @property
    def promised(self) -> int:
        return int(self.headers.get("content-length", -1))

    @property
    def is_whole(self) -> bool:
        return bool(self.gap) and len(self.body) == self.promised


def read(connection: socket.socket, *, until: bytes = b"\0none\0") -> Heard:
    """Read until an answer is whole, the connection ends, `until` is in it, or silence."""
    data = b""
    while until not in data and not Heard(data, "").is_whole:
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            return Heard(data, "")
        except ConnectionResetError:
            return Heard(data, "reset")
        if not piece:
            return Heard(data, "closed")
        data += piece
    return Heard(data, "")


def request(server: upstream.Server, method: str, path: str, content: bytes = b"", length: int | None = None) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {server.origin.removeprefix('http://')}",
        f"x-api-key: {upstream.KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(content) if length is None else length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


@contextlib.contextmanager
def dialled(server: upstream.Server, timeout: float = 30) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.options.port), timeout=timeout) as connection:
        yield connection


def talk(
    server: upstream.Server,
    method: str,
    path: str,
    content: bytes = b"",
    *,
    until: bytes = b"\0none\0",
    timeout: float = 30,
) -> Heard:
    with dialled(server, timeout) as connection:
        connection.sendall(request(server, method, path, content))
        return read(connection, until=until)


def submit(server: upstream.Server, **more: Any) -> Heard:
    return talk(server, "POST", "/v2/bg-replace", json.dumps(body(**more)).encode())


def job(server: upstream.Server, **more: Any) -> str:
    """Return the request id of a job that was taken on."""
    found: str = json.loads(submit(server, **more).body)["request_id"]
    return found


def status(server: upstream.Server, request_id: str, **how: Any) -> Heard:
    return talk(server, "GET", f"/v2/requests/{request_id}/status", **how)


def test_every_fault_has_a_test() -> None:
    source = Path(__file__).read_text()
    assert [name for name in (*upstream.FAULTS, *upstream.FATES) if f'"{name}"' not in source] == []


# --- slow ---------------------------------------------------------------------------------------------------


def test_delay(server: upstream.Server) -> None:
    server.script({"fault": "delay", "seconds": 0.2})
    began = time.monotonic()
    assert submit(server).status == 200
    assert time.monotonic() - began >= 0.2


def test_drip_body(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "drip_body", "bytes_per_second": 1})
    heard = status(server, found, until=b"\r\n\r\n")
    assert heard.status == 200
    assert len(heard.body) < heard.promised
    server.script({"fault": "drip_body", "bytes_per_second": 4000})
    began = time.monotonic()
    heard = status(server, found)
    assert json.loads(heard.body)["status"] == "COMPLETED"
    assert time.monotonic() - began >= (heard.promised - 200) / 4000


def test_drip_headers(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "drip_headers", "bytes_per_second": 1})
    assert not status(server, found, until=b"H").gap
    server.script({"fault": "drip_headers", "bytes_per_second": 4000})
    assert json.loads(status(server, found).body)["status"] == "COMPLETED"


@pytest.mark.parametrize("billed", [False, True])
def test_hang(server: upstream.Server, billed: bool) -> None:
    server.script({"fault": "hang", "billed": billed})
    heard = talk(server, "POST", "/v2/bg-replace", json.dumps(body()).encode(), timeout=SILENCE)
    assert (heard.raw, heard.end) == (b"", "")
    assert server.submits() == ({"7 a beach": 1} if billed else {})
    assert [call["status"] for call in server.calls("submit")] == [None]


# --- broken off ---------------------------------------------------------------------------------------------


def test_reset_early(server: upstream.Server) -> None:
    """The body was promised and never came: the server did not wait for it."""
    server.script({"fault": "reset_early", "on": ["submit"]})
    with dialled(server) as connection:
        connection.sendall(request(server, "POST", "/v2/bg-replace", length=1000))
        assert read(connection).end == "reset"
    assert server.submits() == {}
    assert [call["fault"] for call in server.calls()] == ["reset_early"]


@pytest.mark.parametrize(("fault", "end"), [("reset", "reset"), ("close", "closed")])
@pytest.mark.parametrize("billed", [None, False])
def test_no_answer(server: upstream.Server, fault: str, end: str, billed: bool | None) -> None:
    server.script({"fault": fault, "on": ["submit"], "billed": billed})
    heard = submit(server)
    assert (heard.raw, heard.end) == (b"", end)
    assert len(server.submits()) == (0 if billed is False else 1)


def test_reset_midway(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "reset_midway"})
    heard = status(server, found)
    assert (heard.end, heard.is_whole) == ("reset", False)


@pytest.mark.parametrize("length", [True, False])
def test_cut(server: upstream.Server, length: bool) -> None:
    found = job(server)
    whole = status(server, found)
    server.script({"fault": "cut", "length": length, "share": 0.25})
    heard = status(server, found)
    assert (heard.end, heard.headers["connection"]) == ("closed", "close")
    assert heard.promised == (len(whole.body) if length else -1)
    assert heard.body == whole.body[: len(whole.body) // 4]


# --- something else -----------------------------------------------------------------------------------------


def test_html(server: upstream.Server) -> None:
    server.script({"fault": "html"})
    heard = submit(server)
    assert (heard.status, heard.headers["content-type"], heard.body) == (200, "text/html; charset=utf-8", HTML)
    assert server.submits() == {"7 a beach": 1}


def test_wrong_type(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "wrong_type", "content_type": "text/plain"})
    heard = talk(server, "GET", f"/outputs/{found}/0.jpg")
    assert (heard.headers["content-type"], heard.body[:2]) == ("text/plain", b"\xff\xd8")


def test_wrong_json(server: upstream.Server) -> None:
    server.script({"fault": "wrong_json", "first": 1}, {"fault": "wrong_json", "value": {"request_id": 7}})
    assert json.loads(submit(server).body) == ["not", "an", "object"]
    assert json.loads(submit(server).body) == {"request_id": 7}


def test_half(server: upstream.Server) -> None:
    found = job(server)
    whole = talk(server, "GET", f"/outputs/{found}/0.jpg")
    server.script({"fault": "half", "on": ["output"]})
    half = talk(server, "GET", f"/outputs/{found}/0.jpg")
    assert (half.status, half.is_whole, half.body) == (200, True, whole.body[: len(whole.body) // 2])


def test_gzip_bomb(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "gzip_bomb", "mebibytes": 8})
    heard = status(server, found)
    assert heard.headers["content-encoding"] == "gzip"
    assert len(heard.body) < 16 * 1024
    assert len(zlib.decompress(heard.body, wbits=31)) == 8 * 1024 * 1024


def test_huge(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "huge", "mebibytes": 2})
    heard = talk(server, "GET", f"/outputs/{found}/0.jpg")
    assert (heard.end, heard.promised) == ("closed", -1)
    assert len(heard.body) > 2 * 1024 * 1024


def test_redirect(server: upstream.Server) -> None:
    found = job(server)
    server.script({"fault": "redirect", "on": ["output"], "to": "http://127.0.0.1:1/x"})
    heard = talk(server, "GET", f"/outputs/{found}/0.jpg")
    assert (heard.status, heard.headers["location"]) == (302, "http://127.0.0.1:1/x")


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 406, 422, 429, 500, 502, 504])
@pytest.mark.parametrize("billed", [False, True])
def test_status(server: upstream.Server, code: int, billed: bool) -> None:
    server.script({"fault": "status", "status": code, "billed": billed, "error": "so there"})
    heard = submit(server)
    assert (heard.status, json.loads(heard.body)) == (code, {"error": "so there"})
    assert server.submits() == ({"7 a beach": 1} if billed else {})
    assert server.report()["posts"] == {"7 a beach": 1}


def test_a_429_says_when(server: upstream.Server) -> None:
    server.script({"fault": "status", "status": 429, "retry_after": 2, "reset_after": 3600})
    heard = submit(server)
    assert heard.headers["retry-after"] == "2"
    ahead = time.gmtime(time.time() + 3500)
    assert heard.headers["x-rate-limit-reset-at-utc"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", ahead)


def test_lose_id(server: upstream.Server) -> None:
    server.script({"fault": "lose_id", "on": ["submit"]})
    assert json.loads(submit(server).body) == {"status": "QUEUED"}
    assert json.loads(submit(server, samples=9).body).keys() == {"error"}
    assert server.submits() == {"7 a beach": 1}


# --- fates --------------------------------------------------------------------------------------------------


def test_failed(server: upstream.Server) -> None:
    server.script({"fault": "failed", "error": "no luck", "cost": 0.004})
    found = job(server)
    for path in (f"/v2/requests/{found}/status", f"/v2/requests/{found}", f"/v1/requests/{found}"):
        heard = talk(server, "GET", path)
        answer = json.loads(heard.body)
        assert (heard.status, answer["status"], answer["error"]) == (422, "FAILED", "no luck")
        assert answer["metrics"]["cost"] == 0.004
    assert talk(server, "POST", "/v1/bg-replace", json.dumps(body()).encode()).status == 500
    assert server.report()["credits"] == 999.992


def test_stuck(server: upstream.Server) -> None:
    server.script({"fault": "stuck", "word": "@stuck"})
    found, other = job(server, prompt="a beach @stuck"), job(server)
    server.account.jobs[found].at -= 10_000
    assert json.loads(status(server, found).body)["status"] == "PROCESSING"
    assert json.loads(status(server, other).body)["status"] == "COMPLETED"


def test_slow_and_price(server: upstream.Server) -> None:
    server.script({"fault": "slow", "seconds": 3600, "first": 1}, {"fault": "price", "cost": 5})
    slow, dear = job(server), job(server)
    assert json.loads(status(server, slow).body)["status"] == "QUEUED"
    assert json.loads(status(server, dear).body)["metrics"]["cost"] == 5
    assert server.report()["credits"] == 994.99


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1/other-origin.jpg"])
def test_elsewhere(server: upstream.Server, url: str | None) -> None:
    server.script({"fault": "elsewhere", **({"url": url} if url else {})})
    answer = json.loads(talk(server, "GET", f"/v2/requests/{job(server)}").body)
    assert answer["output"] == answer["images"][0]["url"] == (url or PRIVATE)


# --- which calls --------------------------------------------------------------------------------------------


def hits(server: upstream.Server, count: int, **rule: Any) -> list[bool]:
    """Return which of so many submits a rule hits."""
    server.script({"fault": "status", **rule}, seed=5)
    return [submit(server).status == 500 for _ in range(count)]


def test_which_calls_are_hit(server: upstream.Server) -> None:
    assert hits(server, 6, every=3) == [False, False, True] * 2
    assert hits(server, 4, first=2) == [True, True, False, False]
    assert hits(server, 5, skip=2, every=2) == [False, False, False, True, False]
    assert hits(server, 2, on=["status"]) == [False, False]
    assert hits(server, 2, word="@no") == [False, False]
    drawn = hits(server, 40, probability=0.5)
    assert 5 < sum(drawn) < 35
    assert drawn == hits(server, 40, probability=0.5)


def test_a_word_follows_its_job(server: upstream.Server) -> None:
    found, other = job(server, prompt="a beach @html"), job(server)
    server.script({"fault": "html", "on": ["status", "output"], "word": "@html"})
    assert status(server, found).body == HTML
    assert talk(server, "GET", f"/outputs/{found}/0.jpg").body == HTML
    assert json.loads(status(server, other).body)["status"] == "COMPLETED"
    assert [call["fault"] for call in server.calls("status", "output")] == ["html", "html", ""]


def test_the_first_rule_that_hits_decides(server: upstream.Server) -> None:
    server.script({"fault": "status", "status": 502, "first": 1}, {"fault": "status", "status": 504})
    assert [submit(server).status for _ in range(2)] == [502, 504]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"fault": "earthquake"}, "no such fault"),
        ({"fault": "hang", "on": ["payments"]}, "no such kind"),
        ({"fault": "hang", "seconds": 3}, "seconds"),
        ({"fault": "stuck", "on": ["status"]}, "decided at a submit"),
        ({"fault": "reset_early", "word": "@x"}, "before the prompt"),
        ({"fault": "reset_early", "billed": True}, "before there is anything"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(server: upstream.Server, rule: dict[str, Any], message: str) -> None:
    with pytest.raises(upstream.RuleError, match=message):
        server.script(rule)


def test_what_is_not_http_is_told_so(server: upstream.Server) -> None:
    for sent in (b"hello\r\n\r\n", b"POST /v2/bg-replace HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"):
        with dialled(server) as connection:
            connection.sendall(sent)
            assert read(connection).status == 400


def test_an_outage_ends_what_hangs(server: upstream.Server) -> None:
    server.script({"fault": "hang", "on": ["submit"]}, {"fault": "drip_body", "bytes_per_second": 1})
    with dialled(server) as hanging, dialled(server) as dripping:
        hanging.sendall(request(server, "POST", "/v2/bg-replace", json.dumps(body()).encode()))
        dripping.sendall(request(server, "GET", "/v1/get-user-credits"))
        read(dripping, until=b"\r\n\r\n")
        server.stop()
        assert read(hanging).end
        assert read(dripping).end
