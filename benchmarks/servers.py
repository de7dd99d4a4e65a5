"""The servers under a stack: a database of one's own on a running PostgreSQL, a Redis of one's own; both go again.

BENCH_POSTGRES names the PostgreSQL (default postgresql://postgres@127.0.0.1:5432/postgres). Redis is started from
PATH, on a free port and without files.
"""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

POSTGRES = os.environ.get("BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
START_SECONDS = 20.0


class Missing(Exception):
    """A server that a measurement needs is not here; the message says which."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = START_SECONDS) -> None:
    """Wait until somebody listens. Raises RuntimeError where the process ends instead."""
    give_up = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{process.args!r} does not listen on port {port}")
        time.sleep(0.02)


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database. Raises Missing."""
    name = f"sceneshift_bench_{uuid.uuid4().hex[:8]}"
    try:
        connection = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.Error as error:
        raise Missing(f"no PostgreSQL at {POSTGRES}: {error}") from error
    with connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(POSTGRES)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the URL and the process of an empty Redis. Raises Missing."""
    program = shutil.which("redis-server")
    if program is None:
        raise Missing("no redis-server on PATH")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        yield f"redis://127.0.0.1:{port}", server
    finally:
        stop(server)


def stop(process: subprocess.Popen[bytes], seconds: float = 20.0) -> None:
    """End a process by SIGTERM, and by SIGKILL where it takes longer."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


def versions() -> dict[str, str]:
    """Return the versions of the servers that are here."""
    found = {}
    with contextlib.suppress(psycopg.Error), psycopg.connect(POSTGRES, connect_timeout=3) as connection:
        found["PostgreSQL"] = f"{connection.info.server_version // 10000}.{connection.info.server_version % 10000}"
    if shutil.which("redis-server"):
        said = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=False).stdout
        found["Redis"] = said.partition("v=")[2].partition(" ")[0]
    found["redis-py"] = redis.__version__
    return found


def is_ready(port: int) -> bool:
    """Return whether the installation on a port says that jobs get done."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
