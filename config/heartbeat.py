"""Workers say that they live: one row per worker and queue, written while it is connected to its broker."""

import logging
import threading
from typing import Any

from celery import bootsteps
from django.db import Error
from django.utils import timezone

from config.database import direct_connection

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
STALE_SECONDS = 15.0
"""A worker whose row is older is taken for dead."""


class Heartbeat(bootsteps.StartStopStep):
    """A step of Celery's consumer: started with each connection to the broker, stopped when that is lost."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.pulse: Pulse | None = None

    def start(self, parent: Any) -> None:
        self.pulse = Pulse(parent.hostname, sorted(parent.app.amqp.queues.consume_from))
        self.pulse.start()

    def stop(self, parent: Any) -> None:
        if self.pulse is not None:
            self.pulse.stop()
            self.pulse = None

    shutdown = stop


class Pulse:
    """Writes the rows of `worker` from a thread of its own: a slow database must not hold up its messages."""

    def __init__(self, worker: str, queues: list[str], every: float = EVERY_SECONDS) -> None:
        self.rows = [(f"{worker}/{queue}", queue) for queue in queues]
        self.every = every
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """End the thread and remove the rows, so that nobody counts on a worker that left in good order."""
        if self.ended.is_set():
            return
        self.ended.set()
        self.thread.join(timeout=5)
        _try(self._remove)

    def _run(self) -> None:
        healthy = True
        while not self.ended.is_set():
            healthy = _try(self.beat, quiet=not healthy)
            self.ended.wait(self.every)

    def beat(self) -> None:
        """Write the rows once. Raises django.db.Error."""
        with direct_connection() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO generations_heartbeat (worker, queue, at) VALUES (%s, %s, %s)"
                " ON CONFLICT (worker) DO UPDATE SET queue = excluded.queue, at = excluded.at",
                [
                    (worker, queue, connection.ops.adapt_datetimefield_value(timezone.now()))
                    for worker, queue in self.rows
                ],
            )

    def _remove(self) -> None:
        with direct_connection() as connection, connection.cursor() as cursor:
            cursor.executemany("DELETE FROM generations_heartbeat WHERE worker = %s", [(w,) for w, _ in self.rows])


def _try(write: Any, *, quiet: bool = False) -> bool:
    try:
        write()
    except Error as error:
        if not quiet:
            logger.warning("the heartbeat could not be written, and is tried again: %s", error)
        return False
    return True
