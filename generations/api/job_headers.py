"""What the headers of a job's answer say, at every door that waits for the pictures."""

import json
from collections.abc import Sequence

from accounts.credits import format_credits
from generations.statements.terms import Final

MOST_IGNORED = 20
"""Ignored parameters that are named in a header."""
LONGEST_IGNORED = 60
"""Characters of each; a name that has to be escaped is ten times as long as it was sent."""


def of(final: Final) -> dict[str, str]:
    """Return what is said of a job that has pictures."""
    generation, first = final.generation, final.outputs[0]
    metadata = {"height": first.height, "width": first.width, "samples": len(final.outputs)}
    return {
        "x-remaining-credits": format_credits(final.available),
        "x-cost": format_credits(generation.cost or 0),
        "x-request-id": str(generation.id),
        "x-generation-time": f"{generation.seconds or 0:.3f}",
        "x-seed-value": str(generation.seed),
        "x-output-metadata": json.dumps(metadata),
        "x-engine": generation.engine,
        **({"x-fallback": "true"} if generation.stood_in_for else {}),
    }


def ignored(names: Sequence[str]) -> dict[str, str]:
    """Name what was ignored; a header is short and ASCII, whatever the client made up."""
    if not names:
        return {}
    plain = (name.encode("ascii", "backslashreplace").decode() for name in names[:MOST_IGNORED])
    shown = [name if len(name) <= LONGEST_IGNORED else f"{name[: LONGEST_IGNORED - 3]}..." for name in plain]
    more = [f"and {len(names) - MOST_IGNORED} more"] if len(names) > MOST_IGNORED else []
    return {"x-ignored-parameters": ", ".join(shown + more)}
