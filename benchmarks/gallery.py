"""The gallery from a thousand to a million rows: the same few milliseconds, and nothing ever counted."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import report, servers, stack

POSTGRES_SIZES = (1_000, 1_000_000)
SQLITE_SIZES = (1_000, 100_000)
BOUND = 1.5
KINDS = {
    "first": "first page",
    "deep": "page at 90 % of the rows",
    "model": "filtered by model",
    "search": "search for a word in 1 of 8 prompts",
    "deep search": "that search, from half of the rows on",
    "page": "the first page as HTML",
}
SEARCHES = {
    "between": "search for a word in 1 of 200 prompts",
    "rare": "search for a word in 62 prompts, the oldest",
}


def measure(_seconds: float) -> report.Part:
    """Return the part of the report; it takes as long as a million rows take to be written, some minutes."""
    rows, verdicts, notes = [], [], []
    with tempfile.TemporaryDirectory(prefix="sceneshift-bench-") as folder:
        for name, sizes in {"PostgreSQL": POSTGRES_SIZES, "SQLite": SQLITE_SIZES}.items():
            try:
                found = _database(name, sizes, Path(folder))
            except servers.Missing as error:
                notes.append(f"{name}: not measured, {error}")
                continue
            rows += [_row(name, kind, label, sizes, found) for kind, label in {**KINDS, **SEARCHES}.items()]
            verdicts += _verdicts(name, sizes, found)
    return report.Part(
        title="The gallery",
        text="Milliseconds, the best of many, of `queries.gallery` (48 pictures a page), and of the page as a signed-in"
        " browser gets it, on a team that has all the rows.",
        columns=("database", "what", "small: rows", "ms", "large: rows", "ms", "ratio", "queries"),
        rows=rows,
        verdicts=verdicts,
        notes=notes,
    )


def _database(name: str, sizes: tuple[int, int], folder: Path) -> dict[str, Any]:
    """Return {size: {kind: {"ms": …, "queries": …, "counts": …}}}."""
    arguments = [str(size) for size in sizes]
    if name == "SQLite":
        return _times(stack.environment(folder), arguments)
    with servers.database() as url:
        return _times(stack.environment(folder, DATABASE_URL=url), arguments)


def _times(environment: Mapping[str, str], sizes: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = stack.inside("gallery", environment, *sizes)
    return found


def _row(name: str, kind: str, label: str, sizes: tuple[int, int], found: dict[str, Any]) -> list[str]:
    small, large = (found[str(size)][kind] for size in sizes)
    ratio = large["ms"] / small["ms"]
    queries = " / ".join(str(each["queries"]) for each in (small, large))
    return [
        name,
        label,
        f"{sizes[0]:,}",
        f"{small['ms']:.2f}",
        f"{sizes[1]:,}",
        f"{large['ms']:.2f}",
        f"{ratio:.2f}",
        queries,
    ]


def _verdicts(name: str, sizes: tuple[int, int], found: dict[str, Any]) -> list[report.Verdict]:
    ratios = {
        kind: found[str(sizes[1])][kind]["ms"] / found[str(sizes[0])][kind]["ms"] for kind in {**KINDS, **SEARCHES}
    }
    measured = [each for size in sizes for each in found[str(size)].values()]
    counts = sum(each["counts"] for each in measured)
    constant = all(found[str(sizes[0])][kind]["queries"] == found[str(sizes[1])][kind]["queries"] for kind in ratios)
    worst = max(KINDS, key=lambda kind: ratios[kind])
    return [
        report.at_most(
            f"{name}: {sizes[1]:,} / {sizes[0]:,} rows, the worst ({KINDS[worst]})", ratios[worst], BOUND, " ×"
        ),
        *(
            report.at_most(f"{name}: {sizes[1]:,} / {sizes[0]:,} rows, {label}", ratios[kind], BOUND, " ×")
            for kind, label in SEARCHES.items()
        ),
        report.at_most(f"{name}: queries with count(*)", counts, 0),
        report.Verdict(f"{name}: queries per page", "constant", "constant" if constant else "grow", constant),
    ]
