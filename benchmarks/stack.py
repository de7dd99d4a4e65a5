"""The whole of Sceneshift, started for a measurement and ended after it, with what it costs by part."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks import cpu, servers

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60.0
AFTERWARDS = frozenset({"control", "webhooks", "beat"})
"""Programs whose work comes after the answer: thumbnails and fidelity figures, webhooks, and the clock."""

SCRIPTED = "generations.engines.scripted.ScriptedEngine"
SLUGS = ("bg-replace", "inpaint-auto", "sdxl-inpaint", "sd1.5-inpainting")


@dataclass(frozen=True, slots=True)
class Options:
    """How to start it. queue: which workers run the scripted engine. embedded: SQLite and the folder broker."""

    queue: str = "network"
    embedded: bool = False
    teams: int = 1
    web_processes: int = 1
    delay: float = 0.0
    kilobytes: int = 200
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds by part; a program's part of PostgreSQL is under "postgres:<program>"."""

    parts: Mapping[str, float]

    def minus(self, before: "Spent") -> "Spent":
        """Return what was spent since `before`."""
        return Spent({name: seconds - before.parts.get(name, 0.0) for name, seconds in self.parts.items()})

    @property
    def answer(self) -> float:
        """Return what the answers cost: everything but what comes after them."""
        return sum(self.parts.values()) - self.afterwards

    @property
    def afterwards(self) -> float:
        """Return what thumbnails, fidelity and the clock cost."""
        return sum(seconds for name, seconds in self.parts.items() if name.removeprefix("postgres:") in AFTERWARDS)


class Stack:
    """A running stack."""

    def __init__(self, port: int, keys: Sequence[str], environment: Mapping[str, str]) -> None:
        self.port, self.keys, self.environment = port, keys, environment
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.backends: cpu.Backends | None = None

    def spent(self) -> Spent:
        """Return the processor seconds so far."""
        parts = {name: cpu.seconds_of(process.pid) for name, process in self.processes.items()}
        if self.backends:
            parts.update({f"postgres:{name}": seconds for name, seconds in self.backends.seconds().items()})
        return Spent(parts)

    def mebibytes(self) -> float:
        """Return the memory of the programs, without database and broker."""
        return sum(cpu.mebibytes_of(process.pid) for name, process in self.processes.items() if name != "redis")

    def settle(self, seconds: float = 120.0) -> None:
        """Wait until what comes after the answers is done. Raises RuntimeError."""
        _until(lambda: self.count("SELECT count(*) FROM generations_output WHERE thumbnail = ''") == 0, seconds)

    def count(self, query: str) -> int:
        """Return the number that a query gives."""
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite"):
            with contextlib.closing(sqlite3.connect(urlsplit(url).path, timeout=20)) as file:
                return int(file.execute(query).fetchone()[0])
        with psycopg.connect(url) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


@contextlib.contextmanager
def started(options: Options) -> Iterator[Stack]:
    """Yield a stack that takes requests; everything is ended and removed afterwards. Raises servers.Missing."""
    with contextlib.ExitStack() as to_end:
        folder = Path(to_end.enter_context(tempfile.TemporaryDirectory(prefix="sceneshift-bench-")))
        environment = _environment(options, folder)
        redis = None
        if not options.embedded:
            environment["DATABASE_URL"] = to_end.enter_context(servers.database())
            environment["REDIS_URL"], redis = to_end.enter_context(servers.redis_server(folder))
        made = inside("stack", environment, str(options.teams))
        stack = Stack(int(environment["PORT"]), made["keys"], environment)
        if redis:
            stack.processes["redis"] = redis
        for name, arguments in made["programs"].items():
            if name not in _left_out(options):
                stack.processes[name] = to_end.enter_context(_program(name, arguments, environment, folder))
        _until(lambda: servers.is_ready(stack.port), READY_SECONDS, lambda: _logs(folder))
        if redis:
            url = environment["DATABASE_URL"]
            stack.backends = to_end.enter_context(cpu.Backends(servers.POSTGRES, urlsplit(url).path.strip("/")))
        yield stack


def inside(module: str, environment: Mapping[str, str], *arguments: str) -> Any:
    """Run a module of benchmarks.inside and return what it printed. Raises RuntimeError."""
    finished = subprocess.run(
        [sys.executable, "-m", f"benchmarks.inside.{module}", *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"benchmarks.inside.{module} failed:\n{finished.stderr[-4000:]}")
    return json.loads(finished.stdout)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a measurement: the installation's own settings are left behind."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
        "CELERY_SKIP_CHECKS": "1",  # as config.launch starts them
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        **more,
    }


def _environment(options: Options, folder: Path) -> dict[str, str]:
    engine = {"queue": options.queue, "delay": options.delay, "kilobytes": options.kilobytes}
    chosen = {
        "PORT": str(servers.free_port()),
        "ENGINES": json.dumps({"scripted": {"BACKEND": SCRIPTED, "OPTIONS": engine}}),
        "ROUTES": json.dumps({slug: ["scripted"] for slug in SLUGS}),
        "RATE_LIMIT": "1000000",  # counted as ever, but never reached
        "TEAM_JOBS_IN_FLIGHT": "100000",
        "WEB_PROCESSES": str(options.web_processes),
    }
    return environment(folder, **{**chosen, **options.environment})


def _left_out(options: Options) -> set[str]:
    return {"compute"} if options.queue == "network" else {"network"}


@contextlib.contextmanager
def _program(
    name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**environment, "PGAPPNAME": name},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        servers.stop(process)


def _until(is_so: Callable[[], bool], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    give_up = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up:
            raise RuntimeError(f"not within {seconds:.0f} s\n{explain()}")
        time.sleep(0.1)


def _logs(folder: Path) -> str:
    return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in sorted(folder.glob("*.log")))
