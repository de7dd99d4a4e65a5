"""Processes that an earlier start left behind when it was killed: found by what it wrote down, and ended."""

import os
from pathlib import Path

import psutil

MARKS = ("config.wsgi", "config.worker", "config.clock")
"""Every program of ours has one of these on its command line."""


def record(folder: Path, pid: int) -> None:
    """Write down that we started `pid`, the leader of a process group of its own."""
    (folder / f"{pid}.pid").touch()


def end(folder: Path) -> int:
    """Kill what the pid files in `folder` name, with its children, and remove the files; return how many it were.

    A process counts as ours where it is in a recorded group *and* its command line says so: numbers are used again.
    """
    groups = {int(file.stem) for file in folder.glob("*.pid")}
    ours = [process for process in psutil.process_iter() if groups and _is_ours(process, groups)]
    for process in ours:
        _kill(process)
    psutil.wait_procs(ours, timeout=5)
    for file in folder.glob("*.pid"):
        file.unlink()
    return len(ours)


def _is_ours(process: psutil.Process, groups: set[int]) -> bool:
    try:
        return os.getpgid(process.pid) in groups and any(mark in " ".join(process.cmdline()) for mark in MARKS)
    except (psutil.Error, OSError):
        return False  # gone, or somebody else's


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
