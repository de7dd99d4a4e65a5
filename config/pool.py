"""Celery's pool of processes, for the broker that is a folder, with a lock that ends with the process that holds it.

Idle processes wait for work in one queue, and one of them holds its lock. billiard's is a semaphore: where that process
is killed (memory ran out), nobody ever gets it, and the worker lives on without doing anything.
"""

import fcntl
import tempfile

from billiard import pool
from celery.concurrency import prefork


class FileLock:
    """Between processes that were forked after its making. The system gives it back for one that was killed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  as long as the lock

    def acquire(self) -> bool:
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class BlockingPool(pool.Pool):
    def _setup_queues(self) -> None:
        super()._setup_queues()  # type: ignore[misc]  # its types leave out what is not public
        vars(self)["_inqueue"]._rlock = FileLock()


class TaskPool(prefork.TaskPool):
    BlockingPool = BlockingPool
