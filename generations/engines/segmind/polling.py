"""When to ask whether a job is done: seldom, and close to the time at which jobs like it were.

Asking at fixed intervals either comes late or asks often. The upstream says afterwards how long a job took, so that the
next one like it is asked for first when the fastest tenth were done, then at growing intervals.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Iterator

REMEMBERED = 40
"""Recent jobs of a kind that are learnt from."""

UNSEEN = (0.35, 1.2)
"""Where nothing was seen: the fastest and the slowest, as shares of the published time."""

MARGIN = 0.02
"""Seconds after the fastest were done: asked a hair too early, a job is asked for twice."""

LEAST_STEP = 0.04
STEP_SHARE = 0.015
"""Of the fastest, between two looks at jobs that all take as long."""

LONGEST_FIRST = 20.0
GROWTH = 1.5
LONGEST_STEP = 20.0


class Timetable:
    """What a process has seen of how long jobs take, by kind; safe for threads."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._lock = threading.Lock()

    def learn(self, kind: str, elapsed: float, said: float | None) -> None:
        """Take note of a job that was found done after `elapsed` seconds, and took as many as the upstream `said`.

        Where it says nothing the job may have been done long before: taken for a little less, the next is looked at
        earlier. What it says is at most what has passed.
        """
        with self._lock:
            self._seen[kind].append(0.9 * elapsed if said is None else min(said, elapsed))

    def pauses(self, kind: str, expected: float) -> Iterator[float]:
        """Yield, without end, the seconds to wait before each question. expected: where nothing was seen so far."""
        fast, slow = self._range(kind, expected)
        fast = min(fast, max(LONGEST_FIRST, UNSEEN[1] * expected))  # what was seen may have been an hour of trouble
        yield fast + MARGIN
        step = max(LEAST_STEP, STEP_SHARE * fast, (slow - fast) / 4)
        while True:
            yield min(step, LONGEST_STEP)
            step *= GROWTH

    def _range(self, kind: str, expected: float) -> tuple[float, float]:
        with self._lock:
            seen = sorted(self._seen[kind])
        if not seen:
            return UNSEEN[0] * expected, UNSEEN[1] * expected
        return seen[len(seen) // 10], seen[-1 - len(seen) // 10]
