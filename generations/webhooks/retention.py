"""How long deliveries are kept: their attempts have the bodies that were sent, which grow to more than the runs."""

import math
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations.models import Delivery

BATCH = 500


def purge(until: float = math.inf) -> int:
    """Delete deliveries, with their attempts, WEBHOOK_KEPT_DAYS after their end, until then (of time.monotonic); return
    how many. Safe to run twice and at the same time."""
    purged = 0
    while time.monotonic() < until and (deleted := _purge()):
        purged += deleted
    return purged


def _purge() -> int:
    """Delete a batch, locked, so that none is sent once more meanwhile."""
    before = timezone.now() - timedelta(days=settings.WEBHOOK_KEPT_DAYS)
    with transaction.atomic():
        old = Delivery.objects.filter(ended_at__lt=before).order_by("ended_at").values_list("id", flat=True)
        ids = list(old.select_for_update(skip_locked=True)[:BATCH])
        if ids:
            Delivery.objects.filter(id__in=ids).delete()
    return len(ids)
