"""R1, R2, R3, R5, M2, M3, M5 while workers, broker, database and upstream are killed at random; `make chaos` does more.

On the database server and the broker that the suite runs on, each with a database and a broker of its own.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "postgresql" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "sqlite"
BROKER = "redis" if os.environ.get("REDIS_URL") else "folder"

pytestmark = [pytest.mark.workers, pytest.mark.timeout(600)]


def chaos(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--database", DATABASE, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def assert_every_promise_was_kept(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stdout[-10_000:] + ended.stderr[-5_000:]


def test_every_promise_is_kept() -> None:
    options = ["--seeds", "2", "--jobs", "22", "--deadline", "15"]
    assert_every_promise_was_kept(chaos(*options, "--broker", BROKER))


def test_every_promise_is_kept_on_rabbitmq(rabbitmq_url: str) -> None:
    options = ["--seeds", "1", "--jobs", "20", "--deadline", "15"]
    assert_every_promise_was_kept(chaos(*options, "--broker", "rabbitmq"))


@pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server on PATH")
def test_the_harness_finds_a_naive_worker_out() -> None:
    ended = chaos("--seeds", "1", "--jobs", "30", "--deadline", "10", "--broker", "redis", "--naive")
    assert ended.returncode == 1, ended.stdout[-5_000:] + ended.stderr[-5_000:]
    assert re.search(r"R1: job .* was submitted \d times", ended.stdout), ended.stdout[-5_000:]
