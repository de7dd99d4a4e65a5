"""The queue of those who want to write to one SQLite file.

SQLite lets one write at a time, and whoever finds it taken sleeps and tries again, longer each time: under load the
unlucky wait for seconds while others pass them. A lock on a file beside the database wakes the next one at once. It
is a queue and no more: that two never write together is still SQLite's care, which also sees to those who don't ask
here.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """It was not our turn in time."""


class Turn:
    """The turn to write, one for this process: of its threads one at a time waits for the file's lock.

    That lock ends with the process that holds it, however it dies. A fork shares it, so `renew` it in the child.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.threads = threading.Lock()
        self.descriptor = self._open()

    def take(self, seconds: float) -> None:
        """Wait for the turn. Raises Busy where this process's other threads keep it for so long."""
        if not self.threads.acquire(timeout=seconds):
            raise Busy
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        except BaseException:
            self.threads.release()
            raise

    def give(self) -> None:
        """Let the next one write."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        self.threads.release()

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """Have the turn for the block. Raises Busy."""
        self.take(seconds)
        try:
            yield
        finally:
            self.give()

    def renew(self) -> None:
        """Begin anew in a child process, without what it has of its parent's."""
        os.close(self.descriptor)
        self.threads = threading.Lock()
        self.descriptor = self._open()

    def _open(self) -> int:
        return os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
