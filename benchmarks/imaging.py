"""What pictures cost that the gateway's rows leave out: decoding safely, storing, encoding, thumbnails, fidelity."""

import tempfile
from pathlib import Path

from benchmarks import report, stack


def measure(_seconds: float) -> report.Part:
    """Return the part of the report. There is no figure to reach: it is what safety costs."""
    with tempfile.TemporaryDirectory(prefix="sceneshift-bench-") as folder:
        found = stack.inside("imaging", stack.environment(Path(folder)))
    return report.Part(
        title="What pictures cost",
        text="Processor milliseconds for one picture with a photograph's structure, the median of many, on one core.",
        columns=("step", "when", *(f"{side}²" for side in found["sides"])),
        rows=[[name, when, *(f"{value:.1f}" for value in values)] for name, (when, *values) in found["steps"].items()],
        notes=[f"Sizes of the inputs (JPEG, quality 90): {', '.join(found['sizes'])}"],
    )
