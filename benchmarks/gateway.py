"""What the gateway adds: the whole stack with an engine that answers at once, beside a bare stub that does the same."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cpu, litellm, load, pictures, report, servers, stack

CALLERS = (1, 16, 50)
PATH = "/v1/bg-replace"
WARM_UP = 2.0
COLUMNS = (
    "",
    "callers",
    "p50 ms",
    "p95 ms",
    "per s",
    "CPU-ms per generation",
    "of which web / worker / database / broker",
    "after the answer, CPU-ms",
    "MiB",
    "errors",
)
BARE, LITELLM = "bare stub", "LiteLLM images/edits"


@dataclass(frozen=True, slots=True)
class Case:
    """One stack and the numbers of callers to measure it with. new: every request brings pictures never seen."""

    name: str
    options: stack.Options
    callers: tuple[int, ...] = CALLERS
    new: bool = False


@dataclass(slots=True)
class Row:
    """One measurement. Processor times in milliseconds per generation."""

    name: str
    callers: int
    outcome: load.Outcome
    answer: float = float("nan")
    afterwards: float = float("nan")
    parts: dict[str, float] = field(default_factory=dict)
    mebibytes: float = float("nan")

    def cells(self) -> list[str]:
        outcome = self.outcome
        parts = " / ".join(f"{self.parts.get(name, 0.0):.2f}" for name in ("web", "worker", "database", "broker"))
        return [
            self.name,
            str(self.callers),
            f"{outcome.percentile(0.5):.2f}",
            f"{outcome.percentile(0.95):.2f}",
            f"{outcome.rate:.0f}",
            _number(self.answer),
            parts if self.parts else "",
            _number(self.afterwards),
            _number(self.mebibytes, 0),
            str(outcome.errors),
        ]


CASES = (
    Case("PostgreSQL + Redis", stack.Options()),
    Case("… every picture new", stack.Options(), callers=(1,), new=True),
    Case("… engine in processes (prefork)", stack.Options(queue="compute"), callers=(1, 50)),
    Case("embedded: SQLite + folder", stack.Options(embedded=True)),
)


def measure(seconds: float, cases: tuple[Case, ...] = CASES) -> report.Part:
    """Return the part of the report; each window lasts `seconds`."""
    rows = _stub(seconds)
    notes = []
    try:
        rows += _litellm(seconds)
    except (servers.Missing, RuntimeError) as error:
        notes.append(f"LiteLLM: not measured, {error}. {litellm.PUBLISHED}")
    for case in cases:
        try:
            rows += _case(case, seconds)
        except servers.Missing as error:
            notes.append(f"{case.name}: not measured, {error}")
    for row in rows:
        if row.outcome.errors:
            notes.append(f"{row.name}, {row.callers} callers, first error: `{row.outcome.error[:300]!r}`")
    return report.Part(
        title="The gateway",
        text=(
            "Each caller posts two 64² JPEGs to `/v1/bg-replace` and is answered 200 KB by the `scripted` engine at"
            " zero delay; one web process, one worker, their database and broker, all counted; the load generator is"
            f" not. Windows of {seconds:.0f} s. The CPU column is what the answers cost; thumbnails, made after them by"
            " another worker that competes for the same cores, have a column of their own. RATE_LIMIT is counted, but"
            " high. LiteLLM, where it is here, is one worker with a master key and no database: it passes the same two"
            " pictures to a bare stub, whose processor time is not counted, answers its base64, and stores nothing."
        ),
        columns=COLUMNS,
        rows=[row.cells() for row in rows],
        verdicts=_verdicts(rows),
        notes=notes,
    )


def _case(case: Case, seconds: float) -> list[Row]:
    with stack.started(case.options) as running, tempfile.TemporaryDirectory() as folder:
        count = 4000 if case.new else 1
        bodies = pictures.write_bodies(Path(folder) / "bodies.json", count)
        first = pictures.write_bodies(Path(folder) / "warm-up.json", 1)
        load.run(load.Plan(running.port, PATH, max(case.callers), WARM_UP, first, running.keys))
        return [
            window(running, case.name, load.Plan(running.port, PATH, callers, seconds, bodies, running.keys))
            for callers in case.callers
        ]


def window(running: stack.Stack, name: str, plan: load.Plan) -> Row:
    """Measure one window on a warm stack, and what it leaves to do afterwards."""
    running.settle()
    before = running.spent()
    outcome = load.run(plan)
    spent = running.spent().minus(before)
    mebibytes = running.mebibytes()
    running.settle()
    later = running.spent().minus(before)
    done = max(outcome.done, 1)
    return Row(
        name,
        plan.callers,
        outcome,
        answer=1000 * spent.answer / done,
        afterwards=1000 * later.afterwards / done,
        parts={part: 1000 * seconds / done for part, seconds in _parts(spent).items()},
        mebibytes=mebibytes,
    )


def _parts(spent: stack.Spent) -> dict[str, float]:
    parts = {"web": 0.0, "worker": 0.0, "database": 0.0, "broker": 0.0}
    for name, seconds in spent.parts.items():
        if name.removeprefix("postgres:") not in stack.AFTERWARDS:
            parts[_part(name)] += seconds
    return parts


def _part(name: str) -> str:
    if name.startswith("postgres:"):
        return "database"
    return {"web": "web", "redis": "broker"}.get(name, "worker")


def _stub(seconds: float) -> list[Row]:
    with stub() as (port, pid), tempfile.TemporaryDirectory() as folder:
        bodies = pictures.write_bodies(Path(folder) / "bodies.json", 1)
        plans = [load.Plan(port, PATH, callers, min(seconds, 5.0), bodies) for callers in CALLERS]
        return [_bare_window(BARE, pid, plan) for plan in plans]


def _litellm(seconds: float) -> list[Row]:
    with contextlib.ExitStack() as to_end:
        folder = Path(to_end.enter_context(tempfile.TemporaryDirectory()))
        upstream, _ = to_end.enter_context(stub(dialect="openai"))
        port, pid = to_end.enter_context(litellm.started(upstream, folder))
        load.run(litellm.plan(port, folder, callers=max(CALLERS), seconds=WARM_UP))
        plans = [litellm.plan(port, folder, callers=callers, seconds=seconds) for callers in CALLERS]
        return [_bare_window(LITELLM, pid, plan) for plan in plans]


def _bare_window(name: str, pid: int, plan: load.Plan) -> Row:
    """Measure one window on a single program."""
    before = cpu.seconds_of(pid)
    outcome = load.run(plan)
    spent = 1000 * (cpu.seconds_of(pid) - before) / max(outcome.done, 1)
    return Row(name, plan.callers, outcome, answer=spent, mebibytes=cpu.mebibytes_of(pid))


@contextlib.contextmanager
def stub(delay: float = 0.0, kilobytes: int = 200, dialect: str = "picture") -> Iterator[tuple[int, int]]:
    """Yield the port and the process number of a bare upstream."""
    port = servers.free_port()
    command = [sys.executable, "-m", "benchmarks.stub", str(port), str(delay), str(kilobytes), dialect]
    process = subprocess.Popen(command, cwd=stack.ROOT)
    try:
        servers.wait_for_port(port, process)
        yield port, process.pid
    finally:
        servers.stop(process)


def _verdicts(rows: list[Row]) -> list[report.Verdict]:
    found = {(row.name, row.callers): row for row in rows}
    full = {callers: found.get((CASES[0].name, callers)) for callers in CALLERS}
    verdicts = []
    if full[1]:
        verdicts.append(report.at_most("CPU per generation, whole stack, 1 caller", full[1].answer, 5.0, " ms"))
    if full[50]:
        verdicts.append(report.at_most("CPU per generation, whole stack, 50 callers", full[50].answer, 5.7, " ms"))
    bare = found[BARE, 1].outcome.percentile(0.5)
    peers = [row.outcome for row in rows if row.name == LITELLM]
    peer = litellm.Peer.measured(peers, bare) if peers else litellm.PEER
    if full[1]:
        added = (full[1].outcome.percentile(0.5) - bare) / peer.added
        verdicts.append(
            report.at_most(f"added latency at 1 caller / LiteLLM's ({peer.added:.3g} ms, {peer.source})", added, 0.4)
        )
    if full[50]:
        ratio = full[50].outcome.rate / peer.best
        verdicts.append(
            report.at_least(
                f"generations/s at 50 callers / LiteLLM's best ({peer.best:.3g}/s, {peer.source})", ratio, 3.5
            )
        )
    for callers in CALLERS:
        row, embedded = full[callers], found.get((CASES[3].name, callers))
        if row and embedded:
            ratio = embedded.outcome.rate / row.outcome.rate
            verdicts.append(report.at_least(f"embedded / PostgreSQL + Redis, per s, {callers} callers", ratio, 0.9))
    errors = sum(row.outcome.errors for row in rows)
    return [*verdicts, report.at_most("errors", errors, 0)]


def _number(value: float, digits: int = 2) -> str:
    return "" if value != value else f"{value:.{digits}f}"
