"""RESULTS.md: what was measured beside what was to be reached, and on what machine."""

import importlib.metadata
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import servers

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
_PACKAGES = ("django", "djangorestframework", "celery", "kombu", "gunicorn", "psycopg", "msgspec", "pillow", "numpy")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure to reach: what it is, the bound in words, what was measured, and whether it holds; None: not said."""

    what: str
    target: str
    measured: str
    holds: bool | None

    def cells(self) -> tuple[str, ...]:
        word = {True: "reached", False: "**missed**", None: "—"}[self.holds]
        return self.what, self.target, self.measured, word


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the report. rows: cells as text, as many as `columns`."""

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    verdicts: Sequence[Verdict] = ()
    notes: Sequence[str] = ()


def at_most(what: str, measured: float, bound: float, unit: str = "") -> Verdict:
    """Return whether a figure is at most its bound."""
    return Verdict(what, f"≤ {bound:g}{unit}", f"{measured:.3g}{unit}", measured <= bound)


def at_least(what: str, measured: float, bound: float, unit: str = "") -> Verdict:
    """Return whether a figure is at least its bound."""
    return Verdict(what, f"≥ {bound:g}{unit}", f"{measured:.3g}{unit}", measured >= bound)


def failed(what: str) -> Verdict:
    """Return the verdict on a part that could not be measured."""
    return Verdict(what, "measured", "failed", holds=False)


def render(parts: Sequence[Part]) -> str:
    """Return the report as Markdown."""
    sections = [_head(), *(_section(part) for part in parts)]
    return "\n\n".join(sections) + "\n"


def _section(part: Part) -> str:
    blocks = [f"## {part.title}", part.text]
    if part.rows:
        blocks.append(_table(part.columns, part.rows))
    if part.verdicts:
        blocks.append(_table(("to reach", "figure", "measured", ""), [verdict.cells() for verdict in part.verdicts]))
    blocks += [f"- {note}" for note in part.notes]
    return "\n\n".join(block for block in blocks if block)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _head() -> str:
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    facts = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Commit": _commit(),
        "Machine": f"{psutil.cpu_count()} cores ({_processor()}), {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.release()}",
        "Load before": f"{load} (1, 5, 15 minutes); above 0.5 somebody else was working, and times are too high",
        "Versions": ", ".join(f"{name} {version}" for name, version in _versions().items()),
    }
    rows = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    return (
        "# What it costs and how fast it is\n\nWritten by `make bench`. Ratios and processor time hold on other"
        f" machines; times do not.\n\n{rows}"
    )


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"Python": platform.python_version(), **packages, **servers.versions()}


def _commit() -> str:
    def git(*arguments: str) -> str:
        finished = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return finished.stdout.strip() if finished.returncode == 0 else ""

    commit = git("rev-parse", "--short=12", "HEAD") or "none yet"
    changed = git("status", "--porcelain", "--", ".", ":!benchmarks/RESULTS.md")
    return f"{commit}, with changes that are not in it" if changed else commit


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except FileNotFoundError:
        return platform.processor() or "unknown"
    return platform.machine()
