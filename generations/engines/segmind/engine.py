"""`SegmindEngine`: the hosted Segmind API, by its v2: submit once, then ask until it is done."""

import math
import time
from collections.abc import Generator, Mapping
from typing import Any

from generations import catalogue
from generations.engines import base
from generations.engines.segmind import answers, body
from generations.engines.segmind.client import Client
from generations.engines.segmind.polling import Timetable
from generations.outbound import Answer

BASE_URL = "https://api.segmind.com"
RATE = 0.0015
"""Credits per second, as published for serverless models."""

SHOW_EVERY = 3.0
"""Seconds between two words of progress while nothing is asked."""

SETTLING_SECONDS = 30.0
"""For so long after the submit the upstream may not know the job yet."""

OUTPUT_HOSTS = ("segmind.com",)
Pauses = Generator[float, None, None]


class SegmindEngine(base.Engine):
    """Options: key; base_url (an origin); markup (charged = the upstream's own price × this); submits, jobs, per_second
    (limits of all workers together); low_balance (credits); output_hosts; rate (credits a second, where the published
    price is lower); submit_seconds, poll_seconds, output_seconds (total deadline of one call)."""

    queue = base.Queue.NETWORK
    paid = True
    about = "It runs on the hosted Segmind API."

    def __init__(
        self,
        alias: str,
        *,
        key: str,
        base_url: str = BASE_URL,
        markup: float = 1.0,
        rate: float = RATE,
        submits: int = 5,
        jobs: int = 64,
        per_second: float = 0.0,
        low_balance: float = 5.0,
        output_hosts: tuple[str, ...] = OUTPUT_HOSTS,
        **seconds: float,
    ) -> None:
        super().__init__(alias, rate=rate)
        self.markup = markup
        self.client = Client(base_url, key, output_hosts=tuple(output_hosts), **seconds)
        self.limits = base.Limits(
            submits=submits,
            jobs=jobs,
            per_second=per_second,
            longest=self.client.submit_seconds + 5,
            low_balance=round(low_balance * base.MICRO),
        )
        self._timetable = Timetable()

    def seconds(self, model: str, params: Mapping[str, Any], pixels: int) -> float:
        """Return the published time, scaled by what affects it."""
        return catalogue.get(model).seconds(params)

    def estimate(self, model: str, params: Mapping[str, Any], pixels: int) -> int:
        """Return the published price, scaled, with the mark-up."""
        return math.ceil(catalogue.get(model).price(params) * self.markup)

    def ceiling(self, model: str, params: Mapping[str, Any], pixels: int) -> int:
        """Return the dearer of the published price and the published time × rate: the two do not agree."""
        by_time = math.ceil(self.price(self.seconds(model, params, pixels)) * self.markup)
        return max(self.estimate(model, params, pixels), by_time)

    def prepare(self, job: base.Job, progress: base.Progress) -> base.Call:
        """Encode the job; the call hands it over."""
        encoded = body.encoded(job)
        progress(0.02, "Handing over to the hosted API")
        return lambda: base.Submitted(self.client.submit(job.model, encoded))

    def submit(self, job: base.Job, progress: base.Progress) -> base.Result | base.Submitted:
        """Hand the job over, once."""
        return self.prepare(job, progress)()

    def collect(self, request_id: str, job: base.Job, progress: base.Progress) -> base.Waiting:
        """Wait until the job is done, and fetch its pictures at once: the upstream keeps them for seven days."""
        began = time.monotonic()
        yield from self._wait(request_id, job, progress)
        progress(0.95, "Fetching the result")
        return self._result(self.client.result(request_id), job, time.monotonic() - began)

    def balance(self) -> int | None:
        """Ask what is left in the account."""
        return self.client.credits()

    def _wait(self, request_id: str, job: base.Job, progress: base.Progress) -> Pauses:
        kind, expected = _kind(job), self.seconds(job.model, job.params, 0)
        began = time.monotonic()
        for pause in self._timetable.pauses(kind, expected):
            yield from _pause(pause, began, expected, progress)
            try:
                answer = self.client.status(request_id)
            except base.OutcomeUnknown:
                if time.monotonic() - began < SETTLING_SECONDS:
                    continue
                raise
            if answers.is_failure(answer):
                raise _failed(answer)
            if answers.status(answer) == answers.COMPLETED:
                self._timetable.learn(kind, time.monotonic() - began, answers.metrics(answer).total)
                return

    def _result(self, answer: Answer, job: base.Job, elapsed: float) -> base.Result:
        if answers.is_failure(answer):
            raise _failed(answer)
        if answers.status(answer) != answers.COMPLETED:
            raise base.RateLimited("The hosted API has the job done, and not its result yet.", after=2.0)
        metrics = answers.metrics(answer)
        spent = catalogue.get(job.model).price(job.params) if metrics.cost is None else metrics.cost
        asked = int(job.params.get("samples", 1))
        try:
            pictures = [self.client.picture(url) for url in _urls(answer)[:asked]]
        except base.EngineError as error:
            error.spent = spent
            raise
        return base.Result(
            pictures=tuple(
                base.Picture(data, probe.content_type, probe.width, probe.height, job.seed + number, probe.has_alpha)
                for number, (data, probe) in enumerate(pictures)
            ),
            seconds=elapsed if metrics.seconds is None else metrics.seconds,
            cost=math.ceil(spent * self.markup * len(pictures) / asked),
            spent=spent,
            balance=metrics.balance,
            notes=_short(len(pictures), asked),
        )


def _kind(job: base.Job) -> str:
    """Return what jobs that take about as long have in common."""
    return f"{job.model} × {catalogue.get(job.model).scale(job.params):.2g}"


def _pause(seconds: float, began: float, expected: float, progress: base.Progress) -> Pauses:
    """Pause, and say now and then how far the job probably is."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        yield min(left, SHOW_EVERY)
        share = (time.monotonic() - began) / max(expected, 0.1)
        progress(0.05 + 0.85 * (1 - math.exp(-1.5 * share)), "Running at the hosted API")


def _short(made: int, asked: int) -> tuple[str, ...]:
    """Return what to say where fewer pictures came than were asked for."""
    return (f"The hosted API made {made} of {asked} pictures; you pay for those.",) if made < asked else ()


def _failed(answer: Answer) -> base.Broken:
    spent = answers.metrics(answer).cost or 0
    return base.Broken(f"The hosted API could not do this: {answers.words(answer)}", spent=spent)


def _urls(answer: Answer) -> list[str]:
    """Return the addresses of the pictures. Raises OutcomeUnknown where there are none."""
    read = answers.body(answer)
    images = read.get("images")
    listed = [image.get("url") for image in images if isinstance(image, dict)] if isinstance(images, list) else []
    output = read.get("output")
    found = listed or (output if isinstance(output, list) else [output])
    urls = [url for url in found if isinstance(url, str) and url]
    if not urls:
        raise base.OutcomeUnknown("The hosted API says that the job is done, and names no picture.")
    return urls
