"""A large body: base64 in JSON, as our API reads it and as the standard library does."""

import tempfile
from pathlib import Path

from benchmarks import report, stack

BOUND = 0.25


def measure(_seconds: float) -> report.Part:
    """Return the part of the report."""
    with tempfile.TemporaryDirectory(prefix="sceneshift-bench-") as folder:
        found = stack.inside("body", stack.environment(Path(folder)))
    ratio = found["ours"] / found["standard"]
    return report.Part(
        title="A large body",
        text=f"{found['bytes'] / 2**20:.1f} MiB of JSON with one picture in base64, until its bytes are there;"
        " the best of many, taken in turns.",
        columns=("how", "ms"),
        rows=[
            ["`json.loads` + `base64.b64decode`", f"{found['standard']:.2f}"],
            ["`generations.api.bodies.read`", f"{found['ours']:.2f}"],
        ],
        verdicts=[report.at_most("ours / standard library", ratio, BOUND, " ×")],
    )
