"""What the hosted side remembers: credits, jobs, and every call."""

import random
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.upstream import pictures, published
from tests.upstream.options import Options

MOST_CALLS = 1_000_000
MOST_SEED = 2**32
RANDOM = -1
"""The seed that asks for any."""
QUEUED_SHARE = 0.1
"""Of a job's delay that it spends as QUEUED."""


class NoCredits(Exception):
    """The account has too little for a job."""


def job_key(fields: Mapping[str, Any]) -> str:
    """Return what tells a job of ours from others: its seed, which we always send, and its prompt."""
    return f"{fields.get('seed')} {fields.get('prompt')}"


@dataclass(slots=True)
class Job:
    """A job that was taken on. at: seconds since the epoch; delay: seconds; cost: credits.

    ends: COMPLETED, FAILED, or "" for never. url: names every output where it is set.
    """

    id: str
    slug: str
    params: Mapping[str, Any]
    size: tuple[int, int]
    seed: int
    at: float
    delay: float
    cost: float
    remaining: float = 0.0
    ends: str = "COMPLETED"
    error: str = ""
    url: str = ""

    @property
    def key(self) -> str:
        return job_key(self.params)

    @property
    def samples(self) -> int:
        return int(self.params.get("samples") or 1)

    @property
    def status(self) -> str:
        passed = time.time() - self.at
        if passed < self.delay * QUEUED_SHARE:
            return "QUEUED"
        return self.ends if self.ends and passed >= self.delay else "PROCESSING"


@dataclass(slots=True)
class Record:
    """One call that came in. status: None while, and where, no whole answer goes out; fault: the rule's, or "".

    key: of the job that it was about. billed: it made a job. authorized: it carried the key.
    """

    at: float
    kind: str
    request_id: str = ""
    key: str = ""
    status: int | None = None
    fault: str = ""
    billed: bool = False
    authorized: bool = False


@dataclass(slots=True)
class Account:
    options: Options
    jobs: dict[str, Job] = field(default_factory=dict)
    calls: deque[Record] = field(default_factory=lambda: deque(maxlen=MOST_CALLS))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_on(self, slug: str, params: Mapping[str, Any], fate: Callable[[Job], None]) -> Job:
        """Make a job and charge for it; `fate` may decide how it goes. Raises published.Invalid, NoCredits."""
        size = published.check(slug, params, decode=not self.options.fixed)
        kept = {
            name: value
            for name, value in params.items()
            if published.MODELS[slug].rules.get(name) is not published.IMAGE
        }
        cost = self.options.cost if self.options.cost >= 0 else published.price(slug, params)
        seed = int(params.get("seed", RANDOM))
        seed = random.randrange(MOST_SEED) if seed == RANDOM else seed
        job = Job(uuid.uuid4().hex, slug, kept, size, seed, time.time(), self.options.delay, cost)
        fate(job)
        with self._lock:
            if self.options.credits < job.cost:
                raise NoCredits(f"{self.options.credits:g} credits are left and {job.cost:g} are needed")
            self.options.credits = round(self.options.credits - job.cost, 6)
            job.remaining = self.options.credits
            self.jobs[job.id] = job
        return job

    def picture(self, job: Job, number: int) -> bytes:
        size, hue = (published.DEFAULT_SIZE, 0) if self.options.fixed else (job.size, (job.seed + number) % 256)
        return pictures.make(*size, hue, self.options.kilobytes, self.options.format)

    def record(self, call: Record) -> None:
        with self._lock:
            self.calls.append(call)

    def forget(self) -> None:
        """Drop every job and call; what was charged stays charged."""
        with self._lock:
            self.jobs.clear()
            self.calls.clear()

    def report(self) -> dict[str, Any]:
        """Return what `GET /-/report` answers; see `control.Control`."""
        with self._lock:
            jobs, calls = list(self.jobs.values()), list(self.calls)
        return {
            "credits": self.options.credits,
            "submits": Counter(job.key for job in jobs),
            "posts": Counter(call.key for call in calls if call.kind in ("submit", "run") and call.key),
            "gets": Counter(call.request_id for call in calls if call.kind in ("status", "result", "poll")),
            "jobs": [{**asdict(job), "key": job.key, "status": job.status} for job in jobs],
            "calls": [asdict(call) for call in calls],
        }
