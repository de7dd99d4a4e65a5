"""Servers of the tests' own, on free ports: nothing has to run on the machine beforehand."""

import atexit
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

START_SECONDS = 20.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Redis:
    """A Redis server that can be killed and started again. port: 0 for a free one."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        if not shutil.which("redis-server"):
            pytest.skip("needs redis-server on PATH")
        self.folder, self.port = folder, port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and return once it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(["redis-server", *options], stdout=log, stderr=log)
        ends = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < ends, (self.folder / "redis.log").read_text()
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url, socket_timeout=1).ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """RABBITMQ_URL, or the RabbitMQ of this machine. Nobody has to have one: CI has none."""
    if given := os.environ.get("RABBITMQ_URL"):
        return given
    try:
        socket.create_connection(("127.0.0.1", 5672), timeout=1).close()
    except OSError:
        pytest.skip("RabbitMQ does not answer on 127.0.0.1:5672, and RABBITMQ_URL names no other")
    return RABBITMQ


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """REDIS_URL where the suite runs on Redis, else a server of this session's own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    server = Redis(tmp_path_factory.mktemp("redis"))
    atexit.register(server.process.kill)  # not before: threads that listen to it go on to the end, and would complain
    yield server.url
