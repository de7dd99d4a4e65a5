"""The table of all rounds."""

from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = {
    "seed": "seed",
    "jobs": "jobs",
    "submits": "paid submits per job, most",
    "uncalled": "never called upstream",
    "ended": "ended",
    "succeeded": "succeeded, by engine",
    "failed": "failed",
    "canceled": "canceled",
    "unknown": "unknown attempts",
    "unlisted": "paid and not listed",
    "open_holds": "open holds",
    "settled_twice": "settled twice",
    "charged_failures": "failures charged",
    "above_quote": "above quote",
    "books": "books differ",
    "seconds": "rest after, s",
    "blows": "blows",
}
WITHOUT_SUM = frozenset({"seed", "submits", "seconds", "succeeded", "blows"})


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows and their sums as Markdown."""
    lines = [[str(title) for title in COLUMNS.values()], ["---"] * len(COLUMNS)]
    lines += [[_text(row[name]) for name in COLUMNS] for row in rows]
    if len(rows) > 1:
        lines.append([_text(_sum(name, [row[name] for row in rows])) for name in COLUMNS])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sum(name: str, values: Sequence[Any]) -> Any:
    if name == "seed":
        return "all"
    if isinstance(values[0], Mapping):
        return {key: sum(value.get(key, 0) for value in values) for key in sorted(set().union(*values))}
    return max(values) if name in WITHOUT_SUM else sum(values)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items())) or "–"
    return f"{value:.0f}" if isinstance(value, float) else str(value)
