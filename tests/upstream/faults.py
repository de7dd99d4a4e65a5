"""The faults: a table from a name to what happens.

A fault of FAULTS spoils one exchange: it returns what to answer instead, or None where it has dealt with the wire
itself, after which the connection ends. A fate of FATES is decided when a job is taken on, and lasts.
"""

import datetime
import functools
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tests.upstream.wire import Answer, Connection

HTML = b"<!doctype html><title>Just a moment...</title><h1>Checking your browser</h1>"
MEBIBYTE = 1024 * 1024
PRIVATE = "http://10.0.0.1/outputs/secret.jpg"


class Exchange(Protocol):
    """What a fault sees: the connection, and the answer that would have been given."""

    @property
    def connection(self) -> Connection: ...

    @property
    def answer(self) -> Answer: ...


class Outcome(Protocol):
    """What a fate may decide of a job; see `account.Job`."""

    delay: float
    cost: float
    ends: str
    error: str
    url: str


Act = Callable[..., Answer | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """act(exchange, **options). billed: whether a submit is taken on first. early: strikes before the body is read."""

    act: Act
    billed: bool
    early: bool


FAULTS: dict[str, Fault] = {}
FATES: dict[str, Callable[..., None]] = {}


def _fault(*, billed: bool = True, early: bool = False) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        FAULTS[act.__name__] = Fault(act, billed, early)
        return act

    return register


def _fate(decide: Callable[..., None]) -> Callable[..., None]:
    FATES[decide.__name__] = decide
    return decide


# --- slow ---------------------------------------------------------------------------------------------------


@_fault()
def delay(exchange: Exchange, *, seconds: float = 1.0) -> Answer:
    """Answer well, but late."""
    exchange.connection.wait(seconds)
    return exchange.answer


@_fault()
def drip_body(exchange: Exchange, *, bytes_per_second: float = 10.0) -> None:
    exchange.connection.send(exchange.answer.head())
    exchange.connection.drip(exchange.answer.body, bytes_per_second)


@_fault()
def drip_headers(exchange: Exchange, *, bytes_per_second: float = 10.0) -> None:
    exchange.connection.drip(exchange.answer.head(), bytes_per_second)
    exchange.connection.send(exchange.answer.body)


@_fault(billed=False)
def hang(exchange: Exchange) -> None:
    """Never answer."""
    exchange.connection.wait_for_the_client()


# --- broken off ---------------------------------------------------------------------------------------------


@_fault(billed=False, early=True)
def reset_early(exchange: Exchange) -> None:
    """Reset once the headers are there, the body unread."""
    exchange.connection.reset()


@_fault()
def reset(exchange: Exchange) -> None:
    """Reset once all is read, with no answer."""
    exchange.connection.reset()


@_fault()
def close(exchange: Exchange) -> None:
    """End in good order once all is read, with no answer."""


@_fault()
def reset_midway(exchange: Exchange, *, share: float = 0.5) -> None:
    """Reset after a share of the body."""
    exchange.connection.send(exchange.answer.head() + _part(exchange.answer.body, share))
    exchange.connection.reset()


@_fault()
def cut(exchange: Exchange, *, share: float = 0.5, length: bool = True) -> None:
    """End in good order after a share of the body; length: Content-Length promises the whole, else there is none."""
    head = exchange.answer.head(keep=False, length=None if length else -1)
    exchange.connection.send(head + _part(exchange.answer.body, share))


# --- something else -----------------------------------------------------------------------------------------


@_fault()
def html(exchange: Exchange, *, status: int = 200) -> Answer:
    """Answer as a proxy in front of the API does."""
    return Answer(status, HTML, {"Content-Type": "text/html; charset=utf-8"})


@_fault()
def wrong_type(exchange: Exchange, *, content_type: str = "text/plain") -> Answer:
    """Answer well under another Content-Type."""
    return _with(exchange.answer, content_type=content_type)


@_fault()
def wrong_json(exchange: Exchange, *, value: Any = ("not", "an", "object")) -> Answer:
    """Answer JSON of another shape."""
    return Answer.json(value, exchange.answer.status)


@_fault()
def half(exchange: Exchange, *, share: float = 0.5) -> Answer:
    """Answer a share of the body (half a JPEG, half an object) as though it were all."""
    return Answer(exchange.answer.status, _part(exchange.answer.body, share), exchange.answer.headers)


@_fault()
def gzip_bomb(exchange: Exchange, *, mebibytes: int = 64) -> Answer:
    """Answer what unpacks to so many mebibytes, a thousand times what is sent."""
    headers = {**exchange.answer.headers, "Content-Encoding": "gzip"}
    return Answer(exchange.answer.status, _bomb(mebibytes), headers)


@_fault()
def huge(exchange: Exchange, *, mebibytes: int = 64) -> None:
    """Send so many mebibytes without saying how much it will be."""
    exchange.connection.send(exchange.answer.head(keep=False, length=-1) + exchange.answer.body)
    for _ in range(mebibytes):
        exchange.connection.send(bytes(MEBIBYTE))


@_fault()
def redirect(exchange: Exchange, *, to: str = PRIVATE, status: int = 302) -> Answer:
    return Answer(status, b"", {"Location": to})


@_fault(billed=False)
def status(
    exchange: Exchange,
    *,
    status: int = 500,
    error: str = "the script says so",
    retry_after: float | None = None,
    reset_after: float | None = None,
) -> Answer:
    """Answer a status; retry_after and reset_after: seconds, for Retry-After and x-rate-limit-reset-at-utc."""
    answer = Answer.json({"error": error}, status)
    if retry_after is not None:
        answer.headers["Retry-After"] = f"{retry_after:g}"
    if reset_after is not None:
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=reset_after)
        answer.headers["x-rate-limit-reset-at-utc"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return answer


@_fault()
def lose_id(exchange: Exchange) -> Answer:
    """Take the job on and answer 200 without saying under which id."""
    body = {"status": "QUEUED"} if exchange.answer.status == 200 else json.loads(exchange.answer.body)
    return Answer.json(body, exchange.answer.status)


# --- fates --------------------------------------------------------------------------------------------------


@_fate
def failed(job: Outcome, *, error: str = "CUDA out of memory", cost: float | None = None) -> None:
    """End as FAILED; cost: what is charged all the same (None: the usual)."""
    job.ends, job.error = "FAILED", error
    price(job, cost=job.cost if cost is None else cost)


@_fate
def stuck(job: Outcome) -> None:
    """Stay PROCESSING for ever."""
    job.ends = ""


@_fate
def slow(job: Outcome, *, seconds: float = 1.0) -> None:
    """Take so many seconds."""
    job.delay = seconds


@_fate
def price(job: Outcome, *, cost: float = 1.0) -> None:
    """Cost so many credits."""
    job.cost = cost


@_fate
def elsewhere(job: Outcome, *, url: str = PRIVATE) -> None:
    """Name another address for the output: another origin, a private network."""
    job.url = url


# --- parts --------------------------------------------------------------------------------------------------


def _part(body: bytes, share: float) -> bytes:
    return body[: int(len(body) * share)]


def _with(answer: Answer, content_type: str) -> Answer:
    return Answer(answer.status, answer.body, {**answer.headers, "Content-Type": content_type})


@functools.lru_cache(maxsize=2)
def _bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(mebibytes)) + packer.flush()
