"""The queue of those who want to write to one SQLite file.

SQLite lets one write at a time, and whoever finds it taken sleeps and tries again, longer each time: under load the
unlucky wait for seconds while others pass them. A lock on a file beside the database lets the next one in at once. It
is a queue and no more: that two never write together is still SQLite's care, which also sees to those who don't ask
here, or have waited in vain.
"""

import os
import threading
import time
from pathlib import Path

from config import file_lock


class Turn:
    """The turn to write, one for this process: of its threads one at a time waits for the file's lock.

    That lock ends with the process that holds it, however it dies. A fork shares it, so `renew` it in the child.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.threads = threading.Lock()
        self.descriptor = self._open()

    def take(self, seconds: float) -> bool:
        """Wait for the turn and return whether it came: who has it may have been stopped. Raises OSError."""
        ends = time.monotonic() + seconds
        if not self.threads.acquire(timeout=max(0.0, seconds)):
            return False
        has_turn = False
        try:
            has_turn = file_lock.take(self.descriptor, ends - time.monotonic())
        finally:
            if not has_turn:
                self.threads.release()
        return has_turn

    def give(self) -> None:
        """Let the next one write."""
        file_lock.give(self.descriptor)
        self.threads.release()

    def renew(self) -> None:
        """Begin anew in a child process, without what it has of its parent's."""
        os.close(self.descriptor)
        self.threads = threading.Lock()
        self.descriptor = self._open()

    def _open(self) -> int:
        return os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
