"""What is to be done when."""

import heapq
import itertools
import time
from collections.abc import Callable

Act = Callable[[], object]


class Schedule:
    """Acts at moments, in seconds from its making."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._acts: list[tuple[float, int, Act]] = []
        self._order = itertools.count()

    @property
    def is_over(self) -> bool:
        return not self._acts

    def at(self, seconds: float, act: Act) -> None:
        heapq.heappush(self._acts, (seconds, next(self._order), act))

    def later(self, seconds: float, act: Act) -> None:
        """Do it so many seconds from now."""
        self.at(time.monotonic() - self._began + seconds, act)

    def do_due(self) -> None:
        """Do everything whose moment has come; what takes long makes the rest late, not lost."""
        now = time.monotonic() - self._began
        while self._acts and self._acts[0][0] <= now:
            heapq.heappop(self._acts)[2]()
