"""What the CPU engine reaches on the pictures of the suite, as benchmarks/classical.py prints it."""

import subprocess
import sys
from pathlib import Path

from benchmarks import report

SCRIPT = Path(__file__).with_name("classical.py")


def measure(seconds: float) -> report.Part:
    """Return the part of the report; it takes as long as it takes, and writes every composite to benchmarks/out/."""
    del seconds
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    words = (
        "Overlap (IoU) and mean absolute error of the alpha against the exact one, on the very pictures that its"
        " thresholds were chosen on: expect less on others. “Perturbed” is the least overlap under changes that nobody"
        " sees (noise, JPEG, another size, mirrored). Then whole jobs on one core, and fills."
    )
    return report.Part("The CPU engine", f"{words}\n\n```\n{done.stdout.rstrip()}\n```", (), ())
