"""An engine that does what it is told, for tests, demonstrations and measurements of everything around an engine.

Options set the behaviour for every job; words in the prompt of the form `@name=value` override them for one job:

    delay=2.5       seconds that the work takes          steps=4        progress reports on the way
    fail=rejected   the error to raise instead of a result (see FAILURES)
    paid=true       a repeated submit would cost again   handoff=true   submit returns an id, collect does the work
    cost=0.01       credits, instead of seconds × rate   kilobytes=200  size of each picture, padded
    log=PATH        a line per submit (option only): what a billing upstream would have seen
"""

import functools
import io
import os
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from generations.engines import base

FAILURES: dict[str, Callable[[str], Exception]] = {
    "rejected": base.Rejected,
    "unsupported": base.Unsupported,
    "unavailable": base.Unavailable,
    "not-configured": base.NotConfigured,
    "rate-limited": lambda message: base.RateLimited(message, after=1.0),
    "unknown": base.OutcomeUnknown,
    "crash": RuntimeError,
}
DIRECTIVE = re.compile(r"@(\w+)=(\S+)")
LARGEST = 10_000
"""Of a number in a directive."""


@dataclass(frozen=True, slots=True)
class Script:
    """What one job does; see the module's text."""

    delay: float = 0.0
    steps: int = 1
    fail: str = ""
    paid: bool = False
    handoff: bool = False
    cost: float | None = None
    kilobytes: int = 0


_READ: dict[str, Callable[[str], Any]] = {
    "delay": float,
    "steps": int,
    "fail": str,
    "handoff": lambda text: text == "true",
    "cost": float,
    "kilobytes": int,
}


def _read(name: str, text: str) -> Any:
    """Return the value of a directive, or None for one that is none: people write "@" for other reasons as well."""
    try:
        value = _READ[name](text)
    except ValueError:
        return None
    is_number = isinstance(value, int | float)
    return value if not is_number or 0 <= value <= LARGEST else None


DHT = b"\xff\xc4"
SEGMENT = 65_533
"""Bytes that a JPEG segment holds at most, after its marker and length."""


def jpeg(width: int, height: int, hue: int, kilobytes: int) -> bytes:
    """Return a gradient of the hue (0 to 255) as JPEG, padded to so many kilobytes.

    It is padded with its first Huffman table again and again: valid, no metadata, and soon read. A decoder takes a
    tenth of the time that quantisation tables cost it: Pillow reads those number by number.
    """
    data = _gradient(width, height, hue)
    start = data.index(DHT)
    table = data[start + 4 : start + 2 + int.from_bytes(data[start + 2 : start + 4])]
    return data[:start] + _padding(table, max(0, kilobytes * 1024 - len(data))) + data[start:]


@functools.lru_cache(maxsize=512)
def _gradient(width: int, height: int, hue: int) -> bytes:
    gradient = Image.linear_gradient("L").resize((width, height))
    flat = Image.new("L", (width, height), hue)
    picture = Image.merge("HSV", (flat, flat.point(lambda _: 120), gradient)).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@functools.lru_cache(maxsize=64)
def _padding(table: bytes, missing: int) -> bytes:
    padding = b""
    while len(padding) < missing:
        tables = table * max(1, min(SEGMENT, missing - len(padding)) // len(table))
        padding += DHT + (len(tables) + 2).to_bytes(2) + tables
    return padding


class ScriptedEngine(base.Engine):
    """See the module's text. Pictures depend on the size, the seed and nothing else."""

    def __init__(
        self,
        alias: str,
        *,
        rate: float = 0.0015,
        queue: str = base.Queue.COMPUTE,
        log: str = "",
        **script: Any,
    ) -> None:
        super().__init__(alias, rate=rate)
        self.queue = base.Queue(queue)
        self.script = Script(**script)
        self.paid = self.script.paid
        self.log = Path(log) if log else None

    def seconds(self, model: str, params: Mapping[str, Any], pixels: int) -> float:
        return max(self._script_of(params).delay, 0.1) * int(params.get("samples", 1))

    def estimate(self, model: str, params: Mapping[str, Any], pixels: int) -> int:
        cost = self._script_of(params).cost
        return super().estimate(model, params, pixels) if cost is None else int(cost * base.MICRO)

    def submit(self, job: base.Job, progress: base.Progress) -> base.Result | base.Submitted:
        script = self._script_of(job.params)
        request_id = uuid.uuid4().hex
        if self.log:
            self._record(job)
        if script.handoff:
            return base.Submitted(request_id)
        return base.sit_out(self._work(script, job, progress))

    def collect(self, request_id: str, job: base.Job, progress: base.Progress) -> base.Waiting:
        return self._work(self._script_of(job.params), job, progress)

    def _script_of(self, params: Mapping[str, Any]) -> Script:
        told = DIRECTIVE.findall(str(params.get("prompt", "")))
        read = {name: _read(name, value) for name, value in told if name in _READ}
        return replace(self.script, **{name: value for name, value in read.items() if value is not None})

    def _record(self, job: base.Job) -> None:
        """Append in one write, so that processes do not mix their lines."""
        assert self.log is not None
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{job.seed} {job.model}\n".encode())
        finally:
            os.close(descriptor)

    def _work(self, script: Script, job: base.Job, progress: base.Progress) -> base.Waiting:
        for step in range(script.steps):
            progress(step / script.steps, "following the script")
            yield script.delay / script.steps
        if script.fail:
            raise FAILURES[script.fail](f"the script says {script.fail}")
        cost = self.price(script.delay) if script.cost is None else int(script.cost * base.MICRO)
        return base.Result(
            pictures=tuple(self._picture(script, job, number) for number in range(job.params.get("samples", 1))),
            seconds=script.delay,
            cost=cost,
            notes=("A scripted picture, made for tests.",),
        )

    def _picture(self, script: Script, job: base.Job, number: int) -> base.Picture:
        width, height = _size(job)
        seed = job.seed + number
        data = jpeg(width, height, seed % 256, script.kilobytes)
        return base.Picture(data, "image/jpeg", width, height, seed)


def _size(job: base.Job) -> tuple[int, int]:
    if "img_width" in job.params:
        return job.params["img_width"], job.params["img_height"]
    with Image.open(io.BytesIO(job.images["image"])) as image:
        return image.size
