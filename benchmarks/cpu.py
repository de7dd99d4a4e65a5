"""Processor time and memory of other processes: whole families, and one database's backends inside PostgreSQL."""

import threading
from types import TracebackType
from typing import Any

import psutil
import psycopg

SAMPLE_SECONDS = 0.25


def seconds_of(pid: int) -> float:
    """Return the processor seconds of a process, its living descendants, and those of them that have ended."""
    try:
        head = psutil.Process(pid)
        family = [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_seconds(process) for process in family)


def mebibytes_of(pid: int) -> float:
    """Return the memory of a process and its descendants; what they share counts once."""
    total = 0
    try:
        head = psutil.Process(pid)
        for process in [head, *head.children(recursive=True)]:
            full = process.memory_full_info()
            total += getattr(full, "pss", full.uss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return float("nan")
    return total / 2**20


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


class Backends:
    """Processor time of one database's backends by application name, watched from a thread: they come and go.

    Works where the server runs on this machine; elsewhere every figure is 0.
    """

    def __init__(self, url: str, database: str) -> None:
        self.url, self.database = url, database
        self.first: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self.names: dict[int, str] = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Backends":
        self.connection = psycopg.connect(self.url, autocommit=True)
        self._look(is_first=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ended.set()
        self.thread.join(timeout=5)
        self.connection.close()

    def seconds(self) -> dict[str, float]:
        """Return seconds since the start by application name."""
        self._look()
        spent: dict[str, float] = {}
        for pid, last in list(self.last.items()):
            name = self.names[pid]
            spent[name] = spent.get(name, 0.0) + last - self.first[pid]
        return spent

    def _watch(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self, *, is_first: bool = False) -> None:
        query = "SELECT pid, application_name FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        for pid, name in self._rows(query):
            seconds = _backend_seconds(pid)
            self.first.setdefault(pid, seconds if is_first else 0.0)
            self.last[pid] = max(seconds, self.last.get(pid, 0.0))
            self.names[pid] = name

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), [self.database]).fetchall()


def _backend_seconds(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        is_backend = process.name().startswith("postgres")
    except psutil.NoSuchProcess:
        return 0.0
    return _seconds(process) if is_backend else 0.0
