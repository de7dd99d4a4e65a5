"""The workers and the clock, and a supervisor that starts again what has died."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.chaos.inside.events import Events

APPLICATION = "chaos workers"
"""What PostgreSQL calls their connections."""

AWAY_SECONDS = (0.1, 1.0)
"""Until a supervisor starts again what died."""


@dataclass(slots=True)
class Program:
    """A program and the process that it is at the moment. groups: every process group that it ever was."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    starts_at: float = 0.0
    starts: int = 0
    groups: list[int] = field(default_factory=list)

    @property
    def is_there(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Fleet:
    def __init__(self, folder: Path, events: Events, chance: random.Random, *, naive: bool) -> None:
        self.folder, self.events, self.chance = folder, events, chance
        worker = "tests.chaos.inside.naive" if naive else "config.worker"
        commands = {queue: [worker, queue] for queue in ("network", "compute")}
        if not naive:  # which has no reconciliation: its broker repeats what was not acknowledged
            commands |= {"control": ["config.worker", "control"], "beat": ["config.clock"]}
        self.programs = {name: Program(name, [sys.executable, "-m", *command]) for name, command in commands.items()}
        self.environment = {**os.environ, "PGAPPNAME": APPLICATION}

    def tend(self) -> None:
        """Start what is not there; one that died, after a moment."""
        now = time.monotonic()
        for program in self.programs.values():
            if program.is_there:
                program.starts_at = 0.0
            elif not program.starts_at and program.starts:
                program.starts_at = now + self.chance.uniform(*AWAY_SECONDS)
            elif now >= program.starts_at:
                self._start(program)

    def kill(self, name: str, *, family: bool) -> bool:
        """Kill a program outright, or it and its children; False where it is not there."""
        program = self.programs.get(name)
        if program is None or not program.is_there or program.process is None:
            return False
        victims = [program.process.pid]
        if family:
            with contextlib.suppress(psutil.NoSuchProcess):
                victims += [child.pid for child in psutil.Process(program.process.pid).children(recursive=True)]
        for pid in victims:
            _signal(pid, signal.SIGKILL)
        program.process.wait(timeout=30)
        return True

    def kill_child(self, name: str) -> bool:
        """Kill one process of a pool; False where there is none."""
        program = self.programs[name]
        if not program.is_there or program.process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(program.process.pid).children()
            if children:
                _signal(self.chance.choice(children).pid, signal.SIGKILL)
                return True
        return False

    def freeze(self, name: str) -> list[int]:
        """Stop a program and its children in their tracks, as a suspended machine does; return them for `thaw`."""
        program = self.programs[name]
        if not program.is_there or program.process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(program.process.pid)
            family = [parent.pid, *(child.pid for child in parent.children(recursive=True))]
            for pid in family:
                _signal(pid, signal.SIGSTOP)
            return family
        return []

    def thaw(self, family: list[int]) -> None:
        for pid in family:
            _signal(pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill all, orphans included."""
        for program in self.programs.values():
            for group in program.groups:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            if program.process:
                program.process.wait(timeout=30)

    def _start(self, program: Program) -> None:
        with (self.folder / f"{program.name}.log").open("ab") as log:
            program.process = subprocess.Popen(
                program.command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        program.groups.append(program.process.pid)
        program.starts += 1
        self.events.note("start", program=program.name, pid=program.process.pid)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
