"""Whether the web lives, and whether a job that is submitted now would be run."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import Error
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from config import celery, heartbeat
from config.database import direct_connection
from generations import routing
from generations.models import Heartbeat

OK = "ok"
KEEP_READY = 1.0
"""seconds that a good result is answered again"""
KEEP_NOT_READY = 0.25
"""and a bad one: a start is waited for"""


@require_safe
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer 200: this process takes requests. Looks at nothing else."""
    return JsonResponse({"status": OK})


@dataclass(frozen=True, slots=True)
class _Result:
    checks: Mapping[str, str]
    is_ready: bool
    until: float


class _Probe:
    """Looks once for all who ask at the same moment and shortly after: whoever asks may be anybody."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last: _Result | None = None

    def result(self) -> _Result:
        with self.lock:
            if self.last is None or time.monotonic() >= self.last.until:
                checks = _checks()
                is_ready = all(result == OK for result in checks.values())
                keep = KEEP_READY if is_ready else KEEP_NOT_READY
                self.last = _Result(checks, is_ready, time.monotonic() + keep)
            return self.last

    def forget(self) -> None:
        self.last = None


probe = _Probe()
"""this process's"""


@require_safe
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer 200 where a job submitted now would be run, 503 otherwise; each check says "ok" or what is wrong."""
    result = probe.result()
    status = OK if result.is_ready else "not ready"
    return JsonResponse({"status": status, "checks": dict(result.checks)}, status=200 if result.is_ready else 503)


def _checks() -> dict[str, str]:
    checks = {"database": _database(), "broker": _broker()}
    if checks["database"] == OK:
        checks.update(_workers())
    return checks


def _database() -> str:
    """Look on a connection of its own: the pool would wait long for a database that is away."""

    def select() -> None:
        with direct_connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return _outcome(select, Error)


def _broker() -> str:
    def connect() -> None:
        with celery.app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)

    return _outcome(connect, OSError, OperationalError)


def _workers() -> dict[str, str]:
    """Return a check for each queue that the configured engines need, and the one that keeps house."""
    seen = dict(Heartbeat.objects.values_list("queue").annotate(Max("at")))
    oldest = timezone.now() - timedelta(seconds=heartbeat.STALE_SECONDS)
    checks = {}
    for queue in sorted({"control", *routing.queues()}):
        at = seen.get(queue)
        checks[f"worker:{queue}"] = OK if at and at > oldest else f"no sign of life since {at or 'the start'}"
    return checks


def _outcome(check: Callable[[], None], *errors: type[Exception]) -> str:
    try:
        check()
    except errors as error:
        return type(error).__name__  # its text may hold addresses and names; this page is public
    return OK
