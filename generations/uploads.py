"""Files that are uploaded for a day, to be named by address in later requests.

An upload is a name for an asset, which others may share. Where the last name of an asset is gone, so is the picture,
unless a generation needs it. Nobody is asked that while a request waits: `purge` finds out, in two looks with GRACE
between them. After the first, nothing that comes in finds the asset any more; what had found it before has made its
generation by the second.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.access import Actor
from generations import catalogue, inputs
from generations.models import Asset, Generation, Upload

log = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""Longer than any request takes from its pictures to its generation."""
BATCH = 100
FORGOTTEN = "forgotten-"
"""What the digest of an asset begins with that no content leads to any more."""


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
    _drop([upload.asset_id])


def purge() -> None:
    """End the uploads whose time is over, and delete pictures that have lost their last name and that no run needs."""
    over = Upload.objects.filter(created_at__lt=_oldest()).order_by("created_at")
    ended = list(over.values_list("id", "asset_id")[:BATCH])
    if ended:
        Upload.objects.filter(id__in=[upload_id for upload_id, _ in ended]).delete()
        _drop({asset_id for _, asset_id in ended})
    now = timezone.now()
    dropped = Asset.objects.filter(dropped_at__lte=now).order_by("dropped_at")
    for asset in dropped.exclude(sha256__startswith=FORGOTTEN)[:BATCH]:
        _forget(asset, now)
    for asset in dropped.filter(sha256__startswith=FORGOTTEN, dropped_at__lte=now - GRACE)[:BATCH]:
        _remove(asset)


def _drop(asset_ids: Iterable[Any]) -> None:
    """Note of those of the assets that nothing names any more since when that is so."""
    nameless = Asset.objects.filter(id__in=list(asset_ids), uploads__isnull=True)
    Asset.objects.filter(id__in=list(nameless.values_list("id", flat=True))).update(dropped_at=timezone.now())


def _forget(asset: Asset, now: datetime) -> None:
    """The first look: let nothing that comes in find the asset by its content."""
    kept = _is_needed(asset)
    change: dict[str, Any] = {"dropped_at": None} if kept else {"dropped_at": now, "sha256": FORGOTTEN + asset.id.hex}
    Asset.objects.filter(id=asset.id, dropped_at=asset.dropped_at).update(**change)


def _remove(asset: Asset) -> None:
    """The second look: delete what nobody found in the meantime."""
    if _is_needed(asset):
        Asset.objects.filter(id=asset.id).update(dropped_at=None)
        return
    asset.delete()
    default_storage.delete(asset.file)
    log.info("the picture %s of team %s, which no run used, is deleted", asset.id, asset.team_id)


def _is_needed(asset: Asset) -> bool:
    """Return whether an upload or a generation names the asset; none of those is older than it."""
    if asset.uploads.exists() or (asset.uploaded_at and asset.uploaded_at >= _oldest()):
        return True
    names = {name for model in catalogue.MODELS.values() for name in model.image_names}
    uses = Q()
    for name in names:
        uses |= Q(**{f"inputs__{name}": str(asset.id)})
    since = asset.created_at - timedelta(seconds=1)  # its clock was another machine's, perhaps
    return Generation.objects.filter(uses, team_id=asset.team_id, created_at__gte=since).exists()


def _oldest() -> datetime:
    return timezone.now() - timedelta(seconds=settings.UPLOAD_SECONDS)
