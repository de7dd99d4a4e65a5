"""Jobs that wait, without a thread each: a worker's few threads go on with one once its time has come.

Only a worker of engines that wait has an agenda; elsewhere a job waits in the thread that carries it out.
"""

import contextlib
import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from generations.engines import base

log = logging.getLogger(__name__)

PATIENCE = 8.0
"""Seconds that a worker which is to stop goes on with what waits; the rest is handed to others."""

AGAIN = 1.0
"""Seconds after which a thread is asked for again, where none could be had."""

Steps = Generator[float, None, None]
"""Yields the seconds until it wants to go on; takes RateLimited for the word that it has to do so elsewhere."""

_open: "Agenda | None" = None


def carry_out(steps: Steps) -> None:
    """Carry out a job, here or, after its first pause, in the threads of the agenda."""
    if _open:
        _open.go_on(steps)
        return
    for pause in steps:
        time.sleep(pause)


@contextlib.contextmanager
def opened(threads: int) -> Iterator[None]:
    """Have jobs of this process wait without a thread until the block ends."""
    global _open
    _open = Agenda(threads)
    try:
        yield
    finally:
        _open.close(PATIENCE)
        _open = None


class Agenda:
    """What waits, by the moment at which it goes on."""

    def __init__(self, threads: int) -> None:
        self._waiting: list[tuple[float, int, Steps]] = []
        self._number = itertools.count()
        self._due: deque[Steps] = deque()
        self._busy = 0
        self._closed = False
        self._news = threading.Condition()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="agenda")
        self._clock = threading.Thread(target=self._run, name="agenda", daemon=True)
        self._clock.start()

    def go_on(self, steps: Steps) -> None:
        """Go on with a job in this thread until it wants to wait, or has ended."""
        pause = next(steps, None)
        if pause is None:
            return
        with self._news:
            if not self._closed:
                heapq.heappush(self._waiting, (time.monotonic() + pause, next(self._number), steps))
                if self._waiting[0][2] is steps:
                    self._news.notify_all()
                return
        _hand_over(steps)

    def close(self, patience: float) -> None:
        """Go on for so many seconds; then let other workers take up what waits, and return."""
        with self._news:
            self._news.wait_for(lambda: not self._waiting and not self._busy, patience)
            self._closed = True
            left = [steps for _, _, steps in self._waiting]
            self._waiting.clear()
            self._news.notify_all()
        self._clock.join()
        for steps in left:
            self._give_to_a_thread(steps)
        self._pool.shutdown()

    def _run(self) -> None:
        try:
            while (steps := self._next()) is not None:
                self._give_to_a_thread(steps)
        except Exception:
            log.exception("the clock of the agenda broke; what waits is handed to other workers")
            self._give_up()

    def _next(self) -> Steps | None:
        """Return the next job, once its time has come; None at the end."""
        with self._news:
            while not self._closed:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    self._busy += 1
                    return heapq.heappop(self._waiting)[2]
                self._news.wait(left)
        return None

    def _give_to_a_thread(self, steps: Steps) -> None:
        """Have the pool go on with a job; where it gets no thread, ask again in a while, or do it here at the end.

        The pool keeps a call though it has no thread for it: so calls bring no job along, and take what is due.
        """
        self._due.append(steps)
        while True:
            try:
                self._pool.submit(self._resume)
                return
            except Exception:
                log.exception("no thread for a job that waited; asked for again in %s s", AGAIN)
            with self._news:
                is_closed = self._news.wait_for(lambda: self._closed, AGAIN)
            if is_closed:
                self._resume()
                return

    def _resume(self) -> None:
        try:
            steps = self._due.popleft()
        except IndexError:  # another call took it
            return
        _safely(_hand_over if self._closed else self.go_on, steps)
        with self._news:
            self._busy -= 1
            if not self._busy and not self._waiting:
                self._news.notify_all()

    def _give_up(self) -> None:
        """Hand over what waits, and from here on each job that wants to wait."""
        with self._news:
            self._closed = True
            left = [*self._due, *(steps for _, _, steps in self._waiting)]
            self._due.clear()
            self._waiting.clear()
            self._news.notify_all()
        for steps in left:
            _safely(_hand_over, steps)


def _hand_over(steps: Steps) -> None:
    with contextlib.suppress(StopIteration):
        steps.throw(base.RateLimited("The worker that waited stops.", after=0.0))


def _safely(act: Callable[[Steps], None], steps: Steps) -> None:
    """Act in a thread of the pool, which nobody asks how it went, and keep no connection."""
    try:
        act(steps)
    except Exception:
        log.exception("a job that waited broke; another worker takes it up")
    finally:
        connection.close()
