"""`python -m config.launch`, what `make run` runs: check, clear, prepare, start everything, keep it alive, end it."""

import errno
import fcntl
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import IO

from django.core.exceptions import ImproperlyConfigured

from config import announcement, demo, fingerprint, leftovers

BASE_DIR = Path(__file__).resolve().parent.parent
_CHILDREN = {
    "CELERY_SKIP_CHECKS": "1",  # Django's, in every worker: they load every page; config.prepare made them
    "OMP_NUM_THREADS": "1",  # there is a process a core already
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",  # glibc keeps memory for each thread otherwise
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS ends forked workers otherwise
}


class Refused(Exception):
    """Why nothing was started, in one line."""


def main() -> None:
    """Run Sceneshift until Ctrl+C. Exits with one line where it cannot start."""
    began = time.monotonic()
    os.umask(0o077)
    try:
        data_dir = _data_dir()
        settings = _settings()
        lock = _lock(data_dir)
        _clear(data_dir)
        _check_port(settings.HOST, settings.PORT)
        _prepare(settings)
    except Refused as refusal:
        sys.exit(f"sceneshift: {refusal}")
    except KeyboardInterrupt:
        sys.exit(130)
    with lock:
        _run(settings, began)


# --- checks -------------------------------------------------------------------------------------------------


def _data_dir() -> Path:
    """Return DATA_DIR, made and tried; before the settings are read, which write into it."""
    path = Path(os.environ.get("DATA_DIR") or BASE_DIR / "data").resolve()
    try:
        for folder in (path, path / "run", path / "run" / "pids", path / "logs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "run" / "probe").write_text("")
        demo.tighten(path / "demo.txt")
    except OSError as error:
        raise Refused(f"DATA_DIR {path} can't be written to: {error.strerror}") from error
    return path


def _settings() -> ModuleType:
    try:
        from config import settings  # here, so that what is wrong with them can be said in one line
    except (ImproperlyConfigured, OSError) as error:
        raise Refused(str(error)) from error
    return settings


def _lock(data_dir: Path) -> IO[str]:
    """Return the open file whose lock says that DATA_DIR is in use; the system frees it however we end."""
    file = (data_dir / "run" / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        raise Refused(f"DATA_DIR {data_dir} is in use by process {file.read().strip()}; stop it first") from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"port {port} of {host} is taken; choose another: PORT={port + 1} make run") from error
        raise Refused(f"HOST={host} PORT={port} can't be listened on: {error.strerror}") from error


# --- before the start ---------------------------------------------------------------------------------------


def _clear(data_dir: Path) -> None:
    """End what an earlier start left running, and remove what it left lying."""
    run_dir = data_dir / "run"
    count = leftovers.end(run_dir / "pids")
    if count:
        _say(f"Ended {count} processes that an earlier start had left behind.")
    for path in run_dir.iterdir():
        if path.name in {"lock", "pids"}:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for folder in ("bells", "partial"):
        shutil.rmtree(data_dir / "broker" / folder, ignore_errors=True)


def _prepare(settings: ModuleType) -> None:
    """Migrate and collect static files in a process of its own, but only where something changed since."""
    memory = settings.DATA_DIR / "prepared.json"
    before = fingerprint.remembered(memory)
    static_is_current = before.get("static") == fingerprint.of_static(BASE_DIR, settings.STATIC_ROOT)
    database = _embedded_database(settings)
    if static_is_current and database and before.get("database") == fingerprint.of_migrations(BASE_DIR, database):
        _forget_heartbeats(database)
        return
    _say("Preparing the database …")
    command = [sys.executable, "-m", "config.prepare", *([] if static_is_current else ["--static"])]
    finished = subprocess.run(command, cwd=BASE_DIR, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    log = settings.DATA_DIR / "logs" / "prepare.log"
    log.write_text(finished.stderr)
    if finished.returncode:
        said = finished.stderr.strip().splitlines() or [f"the preparation ended with {finished.returncode}, silently"]
        raise Refused(f"{said[-1]} (more in {log})")
    after = {"static": fingerprint.of_static(BASE_DIR, settings.STATIC_ROOT)}
    if database:
        after["database"] = fingerprint.of_migrations(BASE_DIR, database)
    fingerprint.remember(memory, after)


def _embedded_database(settings: ModuleType) -> Path | None:
    database = settings.DATABASES["default"]
    return Path(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else None


def _forget_heartbeats(database: Path) -> None:
    """Workers that were killed a moment ago must not count as alive."""
    with closing(sqlite3.connect(database, timeout=5)) as connection, connection:
        connection.execute("DELETE FROM generations_heartbeat")


# --- running ------------------------------------------------------------------------------------------------


def _run(settings: ModuleType, began: float) -> None:
    from config import programs  # here, because it reads the settings as it is loaded

    os.environ["DATA_DIR"] = str(settings.DATA_DIR)
    for name, value in _CHILDREN.items():
        os.environ.setdefault(name, value)
    file = settings.RUN_DIR / "supervisor.conf"
    file.write_text(programs.configuration(settings.RUN_DIR, settings.DATA_DIR / "logs"))
    pids = settings.RUN_DIR / "pids"
    threading.Thread(target=announcement.announce, args=(settings, began, _say), daemon=True).start()
    programs.keep_alive(file, started=lambda pid: leftovers.record(pids, pid), say=_say)
    leftovers.end(pids)
    _say("Stopped.")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
