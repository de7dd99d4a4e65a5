"""The programs of one machine and how they are kept alive: supervisor restarts what dies, with back-off."""

import contextlib
import resource
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from supervisor import events
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from config import settings

STOP_SECONDS = 15
"""What a program gets to finish its work after SIGTERM; a job cut off is run again by whoever takes its lease."""

_ACCESS = '%(h)s "%(m)s %(U)s" %(s)s %(B)s B %(M)s ms [%({x-request-id}o)s]'  # no query: links carry signatures


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    arguments: tuple[str, ...]


def programs(run_dir: Path) -> list[Program]:
    """Return what runs: the web, a worker for each queue, more of them for the network's, and the clock."""
    more = [str(number) for number in range(2, settings.NETWORK_PROCESSES + 1)]
    return [
        Program("web", _gunicorn(run_dir)),
        *(Program(queue, _module("config.worker", queue)) for queue in ("control", "compute", "network", "webhooks")),
        *(Program(f"network{number}", _module("config.worker", "network", number)) for number in more),
        Program("beat", _module("config.clock")),
    ]


def configuration(run_dir: Path, log_dir: Path) -> str:
    """Return supervisor's configuration."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    head = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _escape(str(log_dir / "supervisor.log")),
        "pidfile": _escape(str(run_dir / "supervisor.lock")),
        "minfds": str(files),
    }
    group = {"programs": ",".join(each.name for each in programs(run_dir))}  # one group: told to stop all at once
    sections = [
        ("supervisord", head),
        ("group:sceneshift", group),
        *((f"program:{each.name}", _section(each, log_dir)) for each in programs(run_dir)),
    ]
    return "\n".join(_format(title, values) for title, values in sections)


def keep_alive(configuration_file: Path, *, started: Callable[[int], None], say: Callable[[str], None]) -> None:
    """Run the programs until SIGINT or SIGTERM; then end them all, by SIGKILL where they don't end themselves.

    `started` is told the number of each process that is made, `say` what a person should know.
    """
    options = _Options(started)
    options.realize(["-c", str(configuration_file)])
    options.first, options.test = True, False
    with contextlib.suppress(asyncore.ExitNow):  # how its loop says that everything has ended
        _Supervisor(options, say).main()


class _Options(ServerOptions):  # type: ignore[misc]  # supervisor has no types
    def __init__(self, started: Callable[[int], None]) -> None:
        super().__init__()
        self.started = started

    def fork(self) -> int:
        pid: int = super().fork()
        if pid:
            self.started(pid)
        return pid


class _Supervisor(Supervisor):  # type: ignore[misc]
    def __init__(self, options: ServerOptions, say: Callable[[str], None]) -> None:
        super().__init__(options)
        self.say = say

    def runforever(self) -> None:
        """Subscribe before the loop begins: `run` forgets earlier subscriptions."""
        events.subscribe(events.ProcessStateExitedEvent, self._on_end)
        events.subscribe(events.ProcessStateBackoffEvent, self._on_end)
        events.subscribe(events.SupervisorStoppingEvent, self._on_stopping)
        super().runforever()

    def _on_end(self, event: events.ProcessStateEvent) -> None:
        config = event.process.config
        self.say(f"{config.name} ended by itself and is started again; its log: {config.stdout_logfile}")

    def _on_stopping(self, _: events.Event) -> None:
        self.say("Stopping …")


def _gunicorn(run_dir: Path) -> tuple[str, ...]:
    memory = Path("/dev/shm")  # noqa: S108  a disk that hangs must not look like a web process that hangs
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    options = {
        "bind": f"{host}:{settings.PORT}",
        "workers": settings.WEB_PROCESSES,
        "worker-class": "gthread",
        "threads": settings.WEB_THREADS,
        "worker-tmp-dir": memory if memory.is_dir() else run_dir,
        "timeout": 60,
        "graceful-timeout": STOP_SECONDS - 5,
        "keep-alive": 10,
        "access-logfile": "-",
        "access-logformat": _ACCESS,
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return _module("gunicorn", "config.wsgi", "--preload", "--no-control-socket", *flags)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def _section(program: Program, log_dir: Path) -> dict[str, str]:
    return {
        "command": _escape(shlex.join(program.arguments)),
        "directory": _escape(str(settings.BASE_DIR)),
        "autorestart": "true",
        "startsecs": "5",  # one that ends sooner is started again after 1, 2, 3 … seconds
        "startretries": "1000000",
        "stopwaitsecs": str(STOP_SECONDS),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escape(_escape(str(log_dir / f"{program.name}.log"))),  # supervisor unescapes it twice
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
    }


def _escape(value: str) -> str:
    return value.replace("%", "%%")


def _format(title: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{title}]", *(f"{name} = {value}" for name, value in values.items()), ""])
