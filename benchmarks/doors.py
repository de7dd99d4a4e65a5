"""The same job through each dialect: what a door's translation costs over the Segmind one's."""

import json
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import gateway, load, pictures, report, servers, stack

CALLERS = 16
ROUNDS = 5
BOUND = 1.1
MODEL = "bg-replace"


@dataclass(frozen=True, slots=True)
class Door:
    """How one dialect asks for the job, and for a link to the picture in the answer."""

    name: str
    path: str
    body: Mapping[str, Any]
    headers: str = ""
    status: int = 200

    def plan(self, running: stack.Stack, seconds: float, folder: Path) -> load.Plan:
        bodies = folder / f"{self.path.replace('/', '_')}.json"
        bodies.write_text(json.dumps([json.dumps(self.body)]))
        return load.Plan(
            running.port,
            self.path,
            CALLERS,
            seconds,
            str(bodies),
            running.keys,
            expected=0,
            expected_type="application/json",
            headers=self.headers,
            status=self.status,
        )


@dataclass(slots=True)
class Measured:
    """The windows of one door."""

    door: Door
    rows: list[gateway.Row] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """Return the median of the windows, in CPU-ms per generation."""
        return statistics.median(row.answer for row in self.rows)


def measure(seconds: float) -> report.Part:
    """Return the part of the report: windows on each door take turns, in one stack."""
    try:
        measured = _rounds(seconds / 2)
    except servers.Missing as error:
        return report.Part("The doors", f"Not measured: {error}.", (), ())
    first, *others = measured
    return report.Part(
        title="The doors",
        text=f"{CALLERS} callers on PostgreSQL + Redis send one job through each dialect in turns, {ROUNDS} windows of"
        f" {seconds / 2:.0f} s each; all send the two pictures in JSON and are answered a signed link, so that the"
        " dialect alone differs. The ratio is that of the medians of the CPU column.",
        columns=gateway.COLUMNS,
        rows=[row.cells() for each in measured for row in each.rows],
        verdicts=[
            report.at_most(f"{each.door.name} / {first.door.name}, CPU per generation", each.cost / first.cost, BOUND)
            for each in others
        ],
        notes=[
            f"{each.door.name}, first error: `{row.outcome.error[:300]!r}`"
            for each in measured
            for row in each.rows[:1]
            if row.outcome.errors
        ],
    )


def doors() -> tuple[Door, ...]:
    """Return every door that waits for its job; the others are measured against the first."""
    fields = pictures.fields(64)
    subject, background = (f"data:image/jpeg;base64,{fields[name]}" for name in ("image", "ref_image"))
    edit = {
        "model": MODEL,
        "prompt": fields["prompt"],
        "images": [{"image_url": subject}, {"image_url": background}],
        "response_format": "url",
        "output_format": "jpeg",
    }
    prediction = {"input": {**fields, "image": subject, "ref_image": background}}
    return (
        Door("Segmind v1", f"/v1/{MODEL}", fields, "accept: application/json\r\n"),
        Door("jobs API", f"/v1/models/official/{MODEL}/predictions", prediction, "prefer: wait\r\n", status=201),
        Door("OpenAI images/edits", "/v1/images/edits", edit),
    )


def _rounds(seconds: float) -> list[Measured]:
    with stack.started(stack.Options()) as running, tempfile.TemporaryDirectory() as folder:
        measured = [Measured(door) for door in doors()]
        for each in measured:
            load.run(each.door.plan(running, gateway.WARM_UP, Path(folder)))
        for _ in range(ROUNDS):
            for each in measured:
                plan = each.door.plan(running, seconds, Path(folder))
                each.rows.append(gateway.window(running, each.door.name, plan))
        return measured
