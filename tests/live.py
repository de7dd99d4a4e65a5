"""Real Celery workers for tests, on the test database and a broker of their own, which can be killed at will."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from django.conf import LazySettings
from django.db import connection
from kombu import pools

from config.celery import app
from generations import catalogue
from generations.models import Generation, Heartbeat
from generations.models.generation import FINAL
from tests.jobs import SCRIPTED

START_SECONDS = 40.0
APPLICATION = "workers of a test"
"""What PostgreSQL calls the connections of the workers."""

BROKER = os.environ.get("REDIS_URL", "").rpartition("/")[0]
"""Redis without its database number, where the suite runs on Redis; empty for the embedded broker."""


class Workers:
    """Starts and kills workers; everything is ended with the test."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, queue: str, *number: str, concurrency: int = 2) -> subprocess.Popen[bytes]:
        """Start one worker of a queue and return at once; `ready` waits for it."""
        return self._run("config.worker", queue, *number, COMPUTE_PROCESSES=str(concurrency))

    def beat(self) -> subprocess.Popen[bytes]:
        """Start the clock, which has reconciliation run."""
        return self._run("config.clock")

    def _run(self, *module: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{module[-1]}{len(self.running)}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def ready(self, count: int) -> None:
        """Wait until so many workers have given a sign of life."""
        until(lambda: Heartbeat.objects.exclude(queue="thumbnails").count() >= count, START_SECONDS, self.logs)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill a worker and its children outright, as a machine that loses power would."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(worker.pid)
            for process in [*family.children(recursive=True), family]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))


def until(is_so: Callable[[], Any], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    """Wait for the work of other processes; fail with an explanation when it does not come."""
    give_up = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up, f"not within {seconds} s\n{explain()}"
        time.sleep(0.05)


def all_ended() -> bool:
    return not Generation.objects.exclude(status__in=FINAL).exists()


@pytest.fixture
def scripted_engines() -> dict[str, Any]:
    """The engines of the workers, alias → options; a test module overrides it."""
    return {"scripted": {}}


@pytest.fixture
def broker_url(request: pytest.FixtureRequest) -> str:
    """The broker between this process and the workers, empty."""
    if not BROKER:
        return "filesystem://localhost"
    url = f"{BROKER}/{12 + xdist_number(request)}"
    redis.Redis.from_url(url).flushdb()
    return url


@pytest.fixture
def workers(
    transactional_db: None,
    settings: LazySettings,
    tmp_path: Path,
    scripted_engines: dict[str, Any],
    broker_url: str,
) -> Iterator[Workers]:
    """Workers on the test database; submits of this process reach them through the broker."""
    settings.ENGINES = {alias: {"BACKEND": SCRIPTED, "OPTIONS": given} for alias, given in scripted_engines.items()}
    settings.ROUTES = {slug: list(scripted_engines) for slug in catalogue.MODELS}
    settings.MEDIA_ROOT, settings.RUN_DIR = tmp_path / "media", tmp_path / "run"
    environment = {
        "DATABASE_URL": database_url(),
        "PGAPPNAME": APPLICATION,
        "DATA_DIR": str(tmp_path),
        "CELERY_BROKER_URL": broker_url,
        "ENGINES": json.dumps(settings.ENGINES),
        "ROUTES": json.dumps(settings.ROUTES),
        "PUBLIC_URL": settings.PUBLIC_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "LEASE_SECONDS": "3",
        "LEASE_RENEWAL": "1",
        "RECONCILE_EVERY": "1",
        "REPUBLISH_AFTER": "2",
    }
    with broker(broker_url, tmp_path / "broker"):
        started = Workers(tmp_path, environment)
        try:
            yield started
        finally:
            for worker in started.running:
                started.kill(worker)
    connection.close()


@contextlib.contextmanager
def broker(url: str, folder: Path = Path()) -> Iterator[None]:
    """Point this process's Celery at another broker until the block ends."""
    before = {name: getattr(app.conf, name) for name in ("broker_url", "broker_transport_options")}
    options = dict(before["broker_transport_options"])
    _point({"broker_url": url, "broker_transport_options": {**options, "folder": str(folder)}})
    try:
        yield
    finally:
        _point(before)


def _point(options: dict[str, Any]) -> None:
    app.conf.update(options, broker_read_url=None, broker_write_url=None)
    pools.reset()
    app.__dict__.pop("amqp", None)
    vars(app)["_pool"] = None


def database_url() -> str:
    """Return the test database as an address for another process."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    configured = urlsplit(os.environ["DATABASE_URL"])
    return configured._replace(path=f"/{given['NAME']}").geturl()


def xdist_number(request: pytest.FixtureRequest) -> int:
    """Return which of the parallel test processes this is, from 0."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))
