"""Processes of their own that submit through the front door, many at once, on the test database.

`Submitters` starts and drives them; run as a program, this module is one of them: it takes rounds as lines of JSON and
answers each with the codes that its submits got.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

THREADS = 12
"""submits of one process at a time"""
SCRIPTED = "generations.engines.scripted.ScriptedEngine"


class Submitters:
    """So many processes, started at once and ready when this returns."""

    def __init__(self, count: int, folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / "submitters.log"
        with self.log.open("ab") as log:
            self.running = [
                subprocess.Popen(
                    [sys.executable, "-m", "tests.submitters"],
                    env={**os.environ, "DATA_DIR": str(folder), "CELERY_BROKER_URL": "", **environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
                for _ in range(count)
            ]
        for process in self.running:
            assert self._read(process) == "ready"

    def submit(self, key: str, count: int, *, at: datetime, redis_url: str = "") -> Counter[int]:
        """Share `count` submits out, all begun together at the moment `at`; return how often each code was answered."""
        share = count // len(self.running)
        wanted = {"key": key, "count": share, "at": at.isoformat(), "redis_url": redis_url}
        for process in self.running:
            assert process.stdin
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
        codes: Counter[int] = Counter()
        for process in self.running:
            codes.update({int(code): times for code, times in self._read(process).items()})
        return codes

    def _read(self, process: "subprocess.Popen[str]") -> Any:
        assert process.stdout
        line = process.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        return json.loads(line)

    def stop(self) -> None:
        for process in self.running:
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            process.wait(timeout=20)
            process.stdout.close()


@contextlib.contextmanager
def submitters(count: int, folder: Path, environment: dict[str, str]) -> Iterator[Submitters]:
    started = Submitters(count, folder, environment)
    try:
        yield started
    finally:
        started.stop()


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    import time_machine
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from tests.doors import encoded

    body = json.dumps(encoded())

    def submit(key: str) -> int:
        answer = Client().post(
            "/v2/bg-replace",
            data=body,
            content_type="application/json",
            headers={"x-api-key": key, "host": "127.0.0.1"},
        )
        connection.close()  # back to the pool, as a server does after each request
        return int(answer.status_code)

    _say("ready")
    for line in sys.stdin:
        wanted = json.loads(line)
        settings.REDIS_URL = wanted["redis_url"]
        at = datetime.fromisoformat(wanted["at"])
        with time_machine.travel(at, tick=False), ThreadPoolExecutor(THREADS) as pool:
            codes = Counter(pool.map(submit, [wanted["key"]] * wanted["count"]))
        _say(codes)


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
