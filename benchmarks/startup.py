"""`make run` until /readyz answers: the first time on an empty DATA_DIR, and every time after it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import report, servers, stack

BOUND = 5.0
GIVE_UP = 120.0
STARTS = 3


def measure(_seconds: float) -> report.Part:
    """Return the part of the report."""
    if shutil.which("make") is None:
        return report.Part("Start", "Not measured: there is no make on PATH.", (), ())
    with tempfile.TemporaryDirectory(prefix="sceneshift-bench-") as folder:
        spent = [_start(Path(folder)) for _ in range(STARTS)]
    return report.Part(
        title="Start",
        text="`make run` with the environment (.venv) in place and the embedded database, until `/readyz` answers 200.",
        columns=("start", "s"),
        rows=[
            ["the first, which makes the database", f"{spent[0]:.1f}"],
            *(["a later one", f"{s:.1f}"] for s in spent[1:]),
        ],
        verdicts=[report.at_most("a later start, the slowest", max(spent[1:]), BOUND, " s")],
    )


def _start(folder: Path) -> float:
    """Start, wait, end by Ctrl+C; return the seconds until it was ready. Raises RuntimeError."""
    port = servers.free_port()
    kept = {
        name: value for name, value in stack.environment(folder).items() if name in {"PATH", "HOME", "LANG", "DATA_DIR"}
    }
    began = time.monotonic()
    with (folder / "make.log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "-s", "run"],
            cwd=stack.ROOT,
            env={**kept, "PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        while not servers.is_ready(port):
            if process.poll() is not None or time.monotonic() > began + GIVE_UP:
                raise RuntimeError(f"`make run` did not get ready:\n{(folder / 'make.log').read_text()[-2000:]}")
            time.sleep(0.05)
        return time.monotonic() - began
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group as Ctrl+C does, and by force where that takes long."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
