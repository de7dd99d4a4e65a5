"""One thread a process that ends calls whose time is over: a timer each would be a thread each."""

import heapq
import itertools
import os
import threading
import time
from typing import Protocol


class Watched(Protocol):
    """A call that ends by itself, or is ended."""

    ended: bool

    def expire(self) -> None: ...


class Watchdog:
    """Calls `expire` on what has not ended by its deadline (seconds of time.monotonic)."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Watched]] = []
        self._number = itertools.count()
        self._news = threading.Condition()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def watch(self, call: Watched, deadline: float) -> None:
        """End `call` at its deadline, unless it has ended."""
        with self._news:
            heapq.heappush(self._due, (deadline, next(self._number), call))
            if self._due[0][2] is call:
                self._news.notify()

    def _run(self) -> None:
        while True:
            self._next().expire()

    def _next(self) -> Watched:
        """Return the next call whose time is over, once it is."""
        with self._news:
            while True:
                while self._due and self._due[0][2].ended:
                    heapq.heappop(self._due)
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._news.wait(left)


_made: tuple[int, Watchdog] | None = None
_making = threading.Lock()


def of_process() -> Watchdog:
    """Return this process's: a thread does not survive a fork."""
    global _made
    found = _made
    if found is None or found[0] != os.getpid():
        with _making:
            if _made is None or _made[0] != os.getpid():
                _made = os.getpid(), Watchdog()
            found = _made
    return found[1]
