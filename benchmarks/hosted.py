"""Callers that block on v1 while the hosted API works for seconds: what waiting costs, beside asking it directly."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import gateway, litellm, load, pictures, report, servers, stack
from generations.engines.segmind import polling
from tests import upstream

HOSTED = "generations.engines.segmind.engine.SegmindEngine"
PATH = "/v1/bg-replace"
CASES = ((2.9, 1), (2.9, 50), (9.0, 1000))
"""Seconds that a job takes, and callers."""

STAND_IN: dict[str, Any] = {"fixed": True, "kilobytes": 200, "credits": 1e6}
ROUNDS = 3
"""Answers that each caller waits for, about."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same load on the stand-in itself and on Sceneshift before it.

    gets: the most questions about one job. surplus: jobs of the stand-in that are none of ours.
    """

    delay: float
    bare: gateway.Row
    ours: gateway.Row
    gets: int
    surplus: int

    def ratio(self, share: float) -> float:
        return self.ours.outcome.percentile(share) / self.bare.outcome.percentile(share)

    @property
    def rate(self) -> float:
        return self.ours.outcome.rate / self.bare.outcome.rate


def measure(_: float) -> report.Part:
    """Return the part of the report; a window lasts as long as some jobs, whatever is asked for."""
    try:
        pairs = [_pair(delay, callers) for delay, callers in CASES]
    except servers.Missing as error:
        return report.Part("Waiting for the hosted API", f"Not measured: {error}.", (), ())
    rows = [[*row.cells(), gets] for pair in pairs for row, gets in ((pair.bare, ""), (pair.ours, str(pair.gets)))]
    notes = []
    try:
        rows += [[*_peer(delay, callers).cells(), ""] for delay, callers in CASES]
    except servers.Missing as error:
        notes.append(f"LiteLLM: not measured, {error}.")
    return report.Part(
        title="Waiting for the hosted API",
        text=(
            "Each caller posts two 64² JPEGs to `/v1/bg-replace` and waits; the stand-in of the hosted API"
            " (`tests/upstream`) answers 200 KB after its time. Bare: its own v1, asked directly. Ours: its v2, submit"
            " and poll, on PostgreSQL + Redis, two web processes, one worker. LiteLLM, where it"
            " is here: its images/edits before a bare stub that takes as long, one worker, without a database."
        ),
        columns=(*gateway.COLUMNS, "most GETs per job"),
        rows=rows,
        verdicts=_verdicts(pairs),
        notes=notes,
    )


def _peer(delay: float, callers: int) -> gateway.Row:
    """Measure LiteLLM's images/edits before a bare stub that takes as long. Raises servers.Missing."""
    with (
        tempfile.TemporaryDirectory() as name,
        gateway.stub(delay, dialect="openai") as (port, _),
        litellm.started(port, Path(name)) as (proxy, _),
    ):
        folder = Path(name)
        load.run(litellm.plan(proxy, folder, callers=min(callers, 50), seconds=delay))
        outcome = load.run(litellm.plan(proxy, folder, callers=callers, seconds=ROUNDS * delay))
        return gateway.Row(f"LiteLLM images/edits, {delay:g} s", callers, outcome)


def _pair(delay: float, callers: int) -> Pair:
    window = ROUNDS * delay
    with tempfile.TemporaryDirectory() as folder, upstream.spawned(**STAND_IN, delay=delay) as hosted:
        bodies = pictures.write_bodies(Path(folder) / "bodies.json", 1)
        port = int(hosted.options["port"])
        bare = load.run(load.Plan(port, PATH, callers, window, bodies, (upstream.KEY,)))
        hosted.forget()
        with stack.started(_options(hosted.origin, callers)) as running:
            load.run(load.Plan(running.port, PATH, min(callers, 50), delay, bodies, running.keys))  # it learns how long
            hosted.forget()
            before = running.count("SELECT count(*) FROM generations_generation")
            name = f"Sceneshift, {delay:g} s"
            ours = gateway.window(running, name, load.Plan(running.port, PATH, callers, window, bodies, running.keys))
            accepted = running.count("SELECT count(*) FROM generations_generation") - before
        found = hosted.report()
        gets = max(found["gets"].values(), default=0) + 1  # and the picture
        bare_row = gateway.Row(f"stand-in, {delay:g} s", callers, bare)
        return Pair(delay, bare_row, ours, gets, len(found["jobs"]) - accepted)


def _options(origin: str, callers: int) -> stack.Options:
    options = {"key": upstream.KEY, "base_url": origin, "jobs": 10 * callers, "submits": 16}
    return stack.Options(
        web_processes=min(2, os.cpu_count() or 1),
        environment={
            "ENGINES": json.dumps({"segmind": {"BACKEND": HOSTED, "OPTIONS": options}}),
            "ROUTES": json.dumps({slug: ["segmind"] for slug in stack.SLUGS}),
            "WEB_THREADS": str(max(64, callers + 8)),
        },
    )


def _verdicts(pairs: list[Pair]) -> list[report.Verdict]:
    found = {(pair.delay, pair.ours.callers): pair for pair in pairs}
    one, fifty, thousand = (found[case] for case in CASES)
    interval = max(polling.LEAST_STEP, polling.STEP_SHARE * one.delay)
    added = one.ours.outcome.percentile(0.5) - one.bare.outcome.percentile(0.5)
    return [
        report.at_most("added to a 2.9 s job at 1 caller, less one interval", added - 1000 * interval, 60.0, " ms"),
        report.at_most("50 callers, 2.9 s: p50 / bare", fifty.ratio(0.5), 1.03, " ×"),
        report.at_most("50 callers, 2.9 s: p95 / bare", fifty.ratio(0.95), 1.06, " ×"),
        report.at_least("1,000 callers, 9 s: rate / bare", thousand.rate, 0.8, " ×"),
        report.at_most("1,000 callers, 9 s: p50 / bare", thousand.ratio(0.5), 1.10, " ×"),
        report.at_most("1,000 callers, 9 s: memory", thousand.ours.mebibytes, 450, " MiB"),
        report.at_most("questions about one job, the most", max(pair.gets for pair in pairs), 12),
        report.at_most("submits more than jobs", max(pair.surplus for pair in pairs), 0),
        report.at_most("errors", sum(pair.ours.outcome.errors + pair.bare.outcome.errors for pair in pairs), 0),
    ]
