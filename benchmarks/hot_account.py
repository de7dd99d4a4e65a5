"""Everybody on one team's credits, against the same load spread over many teams: one balance row must be no brake."""

import statistics
import tempfile
from pathlib import Path

from benchmarks import gateway, load, pictures, report, servers, stack

TEAMS = 50
CALLERS = 50
ROUNDS = 3


def measure(seconds: float) -> report.Part:
    """Return the part of the report: windows on one team and on many take turns, in one stack."""
    try:
        rows = _rounds(seconds / 2)
    except servers.Missing as error:
        return report.Part("A hot account", f"Not measured: {error}.", (), ())
    one, many = rows[::2], rows[1::2]
    ratio = statistics.median(row.outcome.rate for row in one) / statistics.median(row.outcome.rate for row in many)
    return report.Part(
        title="A hot account",
        text=f"{CALLERS} callers on PostgreSQL + Redis, all with one team's key or each with another's; {ROUNDS}"
        f" windows of {seconds / 2:.0f} s each, in turns. The ratio is that of the medians.",
        columns=gateway.COLUMNS,
        rows=[row.cells() for row in rows],
        verdicts=[report.at_least("one team / many, generations per s", ratio, 0.95)],
    )


def _rounds(seconds: float) -> list[gateway.Row]:
    with stack.started(stack.Options(teams=TEAMS)) as running, tempfile.TemporaryDirectory() as folder:
        bodies = pictures.write_bodies(Path(folder) / "bodies.json", 1)
        kinds = {"one team": running.keys[:1], f"{TEAMS} teams": running.keys}
        load.run(load.Plan(running.port, gateway.PATH, CALLERS, gateway.WARM_UP * 2, bodies, running.keys))
        return [
            gateway.window(running, name, load.Plan(running.port, gateway.PATH, CALLERS, seconds, bodies, keys))
            for _ in range(ROUNDS)
            for name, keys in kinds.items()
        ]
