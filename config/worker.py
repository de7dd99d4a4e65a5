"""`python -m config.worker QUEUE [NUMBER]`: one worker; of several for a queue on one machine, each has its number.

Celery's own command line would load 0.2 s of what is not used here.
"""

import contextlib
import os
import sys
from collections.abc import Mapping
from socket import gethostname
from typing import Any

from django.conf import settings

from config.celery import app
from generations import agenda

SERVED = {"control": ("control", "thumbnails")}
"""Queues of one worker are read in turns: however many thumbnails wait, reconciliation is next."""

GIVES_WAY = {"control": 5}
"""How nice a worker is, as POSIX counts it: on a busy machine thumbnails let those go first whom somebody waits for."""


def options(queue: str) -> Mapping[str, Any]:
    """Return Celery's options for the workers of `queue`. Raises KeyError."""
    return {
        # Engines that wait: threads for those that hand a job over; what waits needs none (generations.agenda).
        "network": {"pool": "threads", "concurrency": settings.NETWORK_THREADS},
        # Engines that calculate: processes, replaced before their memory has grown for ever.
        "compute": {
            "pool": "config.pool:TaskPool",
            "concurrency": settings.COMPUTE_PROCESSES,
            "max_tasks_per_child": 500,
            "max_memory_per_child": settings.COMPUTE_MEMORY_MIB * 1024,
        },
        # Reconciliation, and beside it thumbnails: never behind jobs.
        "control": {"pool": "threads", "concurrency": 4},
        # Receivers, who may be slow: a process of their own, so that they hold up neither jobs nor reconciliation.
        "webhooks": {"pool": "threads", "concurrency": settings.WEBHOOK_THREADS},
    }[queue]


def main() -> None:
    """Run until SIGTERM, which lets running jobs finish."""
    try:
        queue, number = sys.argv[1], "".join(sys.argv[2:3])
        chosen = options(queue)
    except (IndexError, KeyError):
        sys.exit("usage: python -m config.worker network|compute|control|webhooks [NUMBER]")
    os.nice(GIVES_WAY.get(queue, 0))
    worker = app.Worker(
        queues=list(SERVED.get(queue, (queue,))),
        hostname=f"{queue}{number}@{gethostname()}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,  # Celery's, between workers; config.heartbeat is ours
        **chosen,
    )
    with agenda.opened(settings.NETWORK_THREADS) if queue == "network" else contextlib.nullcontext():
        worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
