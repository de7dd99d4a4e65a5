"""A stand-in in a process of its own, for real workers, chaos and measurements."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.servers import free_port
from tests.upstream.control import Remote, Rules

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0


class Process(Remote):
    """Jobs, bills and rules end with the process: `stop` and `start` begin anew. options: those of `Options`."""

    def __init__(self, **options: Any) -> None:
        self.options = {"port": free_port(), **options}
        super().__init__(f"http://127.0.0.1:{self.options['port']}")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it answers."""
        told = [f"--{name}={value}" for name, value in self.options.items()]
        command = [sys.executable, "-m", "tests.upstream", "--until-eof", *told]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        ends = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self.process.poll() is None, "the stand-in has ended"
            assert time.monotonic() < ends, "the stand-in does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it."""
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.options["port"]), timeout=1):
            return True
        return False


@contextlib.contextmanager
def spawned(rules: Iterable[Rules] = (), **options: Any) -> Iterator[Process]:
    """Run a stand-in in a process of its own; options: those of `Options`."""
    process = Process(**options)
    try:
        process.start()
        process.script(*rules)
        yield process
    finally:
        process.stop()
