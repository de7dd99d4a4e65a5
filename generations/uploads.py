"""Files that are uploaded for a day, to be named by address in later requests.

An upload is a name for an asset, which others may share. Where the last name of an asset is gone, so is the picture,
unless a generation needs it (generations.orphans).
"""

import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import Actor
from generations import inputs, orphans
from generations.models import Asset, Upload

BATCH = 100


def create(actor: Actor, given: Any, *, name: str, metadata: Mapping[str, Any]) -> Upload:
    """Keep a picture under a new address. Raises inputs.Unusable."""
    asset = inputs.store(actor.team_id, given)
    return Upload.objects.create(
        team_id=actor.team_id, asset=asset, name=name, metadata=metadata, created_at=timezone.now()
    )


def current(team_id: int) -> QuerySet[Upload]:
    """Return the team's uploads whose time is not over, with their assets."""
    return Upload.objects.select_related("asset").filter(team_id=team_id, created_at__gte=_oldest())


def expires_at(upload: Upload) -> datetime:
    """Return when an upload's address ends."""
    return upload.created_at + timedelta(seconds=settings.UPLOAD_SECONDS)


def delete(upload: Upload) -> None:
    """End an upload's address now; runs that used the picture keep it."""
    Upload.objects.filter(id=upload.id).delete()
    orphans.doubt([upload.asset_id])


def purge(until: float = math.inf) -> None:
    """End the addresses whose time is over, and doubt the pictures behind them, until then (of time.monotonic)."""
    over = Upload.objects.filter(created_at__lt=_oldest()).order_by("created_at").values_list("id", "asset_id")
    while time.monotonic() < until and (ended := list(over[:BATCH])):
        with transaction.atomic():
            Upload.objects.filter(id__in=[upload_id for upload_id, _ in ended]).delete()
            orphans.doubt({asset_id for _, asset_id in ended})
    old = Asset.objects.filter(uploaded_at__lt=_oldest())
    while time.monotonic() < until and (ids := list(old.order_by("uploaded_at").values_list("id", flat=True)[:BATCH])):
        with transaction.atomic():
            old.filter(id__in=ids).update(uploaded_at=None)
            orphans.doubt(ids)


def _oldest() -> datetime:
    return timezone.now() - timedelta(seconds=settings.UPLOAD_SECONDS)
