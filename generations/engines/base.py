"""What the core and an engine say to each other: plain values in, plain values out, errors that say what to do.

An engine never sees a Django model, and the core never knows which engine it talks to. A new engine subclasses
`Engine`, sets `queue` and `paid`, and writes `seconds` and `submit` (and `collect`, where the work goes on elsewhere
after the submit).
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MICRO = 1_000_000
"""Amounts are integers of a millionth of a credit."""

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is being done, in words. Raises `Canceled` once nobody wants the
result; cheap enough to be called often."""


class Queue(StrEnum):
    """Which workers run an engine: threads for those that wait, processes for those that compute."""

    NETWORK = "network"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True)
class Job:
    """One try at a generation.

    params: validated and complete, without images. images: parameter name → the encoded bytes as they were sent
    (safe to decode: `imaging.decode` accepted them). seed: the one to use; sample i uses seed + i.
    """

    model: str
    params: Mapping[str, Any]
    images: Mapping[str, bytes]
    seed: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that came out: encoded bytes, sRGB, size in pixels. The core strips metadata and checks the rest."""

    data: bytes
    content_type: str
    width: int
    height: int
    seed: int
    has_alpha: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What an engine delivers.

    seconds: real time of the work, which the price follows. cost: millionths of a credit to charge, by the engine's
    rate or the upstream's own price. spent: what an upstream took for it, where that is another amount; balance: what
    it says is left. notes: what the person should know, e.g. parameters that were not read.
    keep: 8-bit grey PNG of the pictures' size, 255 where the input's pixels had to stay; None when not known.
    """

    pictures: tuple[Picture, ...]
    seconds: float
    cost: int
    notes: tuple[str, ...] = ()
    keep: bytes | None = field(default=None, repr=False)
    spent: int | None = None
    balance: int | None = None

    @property
    def house_cost(self) -> int:
        """Return what the work cost the house."""
        return self.cost if self.spent is None else self.spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How an engine may be called by all workers together.

    submits: calls of `submit` at a time. jobs: jobs in hand at a time. per_second: submits a second, 0 for any number.
    longest: seconds that one call of `submit` takes at most. low_balance: millionths of a credit upstream, under which
    the operator is warned.
    """

    submits: int = 5
    jobs: int = 64
    per_second: float = 0.0
    longest: float = 60.0
    low_balance: int = 0


@dataclass(frozen=True, slots=True)
class Submitted:
    """The work goes on elsewhere under this id; `Engine.collect` waits for it, and may be repeated."""

    request_id: str


Call = Callable[[], Result | Submitted]
"""The one call of a job that may cost money."""

Waiting = Generator[float, None, Result]
"""Yields the seconds until it wants to go on, and returns the result at last. Meanwhile it has no thread, and goes on
in another."""


def sit_out(waiting: Waiting) -> Result:
    """Wait in this thread. Raises an `EngineError`."""
    while True:
        try:
            pause = next(waiting)
        except StopIteration as end:
            result: Result = end.value
            return result
        time.sleep(pause)


class EngineError(Exception):
    """Base of what an engine may raise; the message is shown to the person who asked.

    spent: millionths of a credit that an upstream is known to have taken nonetheless; they are the house's loss.
    """

    def __init__(self, message: str = "", *, spent: int = 0) -> None:
        super().__init__(message)
        self.spent = spent


class Rejected(EngineError):
    """The request itself is at fault (HTTP 400). No other engine is tried."""


class Unsupported(EngineError):
    """This engine cannot express the request. The next one on the route is tried."""


class Broken(EngineError):
    """The engine works, but not on this job, and did not charge for it. The next one is tried."""


class Unavailable(EngineError):
    """The engine does not work now, and certainly charged nothing. The next one is tried, and this one is left alone
    for a while."""


class NotConfigured(Unavailable):
    """The operator must act (key, credits upstream). The next engine is tried. detail: what only they should read."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail or message


class RateLimited(EngineError):
    """Try again after so many seconds; nothing was charged."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class OutcomeUnknown(EngineError):
    """The call may have been carried out and charged. Never repeated by itself."""


class Canceled(EngineError):
    """Raised by `Progress` inside an engine: stop, nobody wants the result."""


class Engine(ABC):
    """An engine under an alias of the setting ENGINES.

    paid: a repeated `submit` could be charged twice. queue: who runs it. rate: credits per second of work.
    exact: vouches that its pictures have the promised size and that no pixel outside a mask is changed.
    limits: for an upstream that must be called with care; with them it has a breaker.
    about: what a person should know of it before a run, in a sentence or two.
    """

    queue: Queue = Queue.COMPUTE
    paid: bool = False
    exact: bool = False
    limits: Limits | None = None
    about: str = ""

    def __init__(self, alias: str, *, rate: float = 0.0) -> None:
        self.alias = alias
        self.rate = rate

    @abstractmethod
    def seconds(self, model: str, params: Mapping[str, Any], pixels: int) -> float:
        """Return the expected seconds for `params` on an input of so many pixels."""

    def price(self, seconds: float) -> int:
        """Return what so many seconds cost here, in millionths of a credit, rounded up."""
        return -int(-seconds * self.rate * MICRO // 1)

    def estimate(self, model: str, params: Mapping[str, Any], pixels: int) -> int:
        """Return the expected cost in millionths of a credit."""
        return self.price(self.seconds(model, params, pixels))

    def ceiling(self, model: str, params: Mapping[str, Any], pixels: int) -> int:
        """Return the dearest that the cost is expected to be, which the quote covers twice."""
        return self.estimate(model, params, pixels)

    def unread(self, model: str, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the parameters with a value that make no difference here. An engine that does not read the prompt
        stands in for another only where that is allowed."""
        return ()

    def prepare(self, job: Job, progress: Progress) -> Call:
        """Do what can be done before anything is called, and return the call. Raises an `EngineError`.

        What a paid engine does here is certainly free, and it learns at the last moment whether it is still wanted.
        """
        return lambda: self.submit(job, progress)

    @abstractmethod
    def submit(self, job: Job, progress: Progress) -> Result | Submitted:
        """Do the work, or hand it on. Raises an `EngineError`."""

    def collect(self, request_id: str, job: Job, progress: Progress) -> Waiting:
        """Wait for work handed on under `request_id`; free of charge and repeatable. Raises an `EngineError`.

        It yields its pauses, and may be left for good at any of them.
        """
        raise NotImplementedError(f"{type(self).__name__} hands nothing on")

    def balance(self) -> int | None:
        """Ask an upstream what is left there, in millionths of a credit; None where nobody says. Raises an
        `EngineError`."""
        return None
