"""Keeping leases alive: one thread a process renews, in one statement, all that the process works on."""

import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from generations.leases import Claim
from generations.models import Attempt

log = logging.getLogger(__name__)

_held: dict[uuid.UUID, Claim] = {}
_starting = threading.Lock()
_keeper: int | None = None
"""The process whose thread runs."""


@contextlib.contextmanager
def renewed(claim: Claim) -> Iterator[None]:
    """Keep the lease alive until the block ends; `claim.lost` is set once somebody else has the attempt."""
    _ensure_keeper()
    _held[claim.lease] = claim
    try:
        yield
    finally:
        _held.pop(claim.lease, None)


def _ensure_keeper() -> None:
    """Start the thread once per process: workers fork, and a thread does not survive that."""
    global _keeper
    if _keeper == os.getpid():
        return
    with _starting:
        if _keeper != os.getpid():
            _held.clear()  # what the parent works on is the parent's
            threading.Thread(target=_keep, name="leases", daemon=True).start()
            _keeper = os.getpid()


def _keep() -> None:
    while True:
        time.sleep(settings.LEASE_RENEWAL)
        try:
            claims = [claim for claim in _held.copy().values() if not claim.lost.is_set()]
            if claims:
                renew(claims)
        except Exception:  # a thread that ended here would let every lease of the process run out
            log.exception("leases could not be renewed")


def renew(claims: Sequence[Claim]) -> None:
    """Renew the leases of `claims`; a database that is away for a moment is asked again the next time."""
    mine = Attempt.objects.filter(
        id__in=[each.attempt.id for each in claims], lease__in=[each.lease for each in claims]
    )
    try:
        if mine.update(lease_until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)) == len(claims):
            return
        kept = set(mine.values_list("lease", flat=True))
    except Exception:
        log.warning("the leases of %d attempts could not be renewed", len(claims), exc_info=True)
        return
    finally:
        connection.close()
    for claim in claims:
        if claim.lease not in kept:
            claim.lost.set()
