"""Input images that serve nothing any more.

An image is stored once a team, however many generations it serves, and which those are is written in the generations
alone: to ask for one image means to read all of the team's since it came. So images are dropped where they lose an
upload or a generation, and `sweep` asks for many of a team's at once, in two looks with GRACE between them. After the
first, nothing that comes in finds an image by its content; what had found it before has made its generation by the
second.
"""

import json
import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from generations.models import Asset, Upload

log = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""Longer than any request takes from its pictures to its generation."""
BATCH = 5000
"""Images of a team that are asked for at a time."""
FORGOTTEN = "forgotten-"
"""What the digest of an image begins with that no content leads to any more."""

_SERVING = {
    "postgresql": """
        SELECT DISTINCT input.value FROM generations_generation AS generation,
            jsonb_each_text(generation.inputs) AS input
        WHERE generation.team_id = %s AND generation.created_at >= %s AND input.value = ANY(%s)
    """,
    "sqlite": """
        SELECT DISTINCT input.value FROM generations_generation AS generation, json_each(generation.inputs) AS input
        WHERE generation.team_id = %s AND generation.created_at >= %s
        AND input.value IN (SELECT value FROM json_each(%s))
    """,
}


def drop(asset_ids: Iterable[object], *, at: datetime | None = None) -> None:
    """Note that images lost an upload or a generation, and may serve nothing any more; `at`: when to look, else now."""
    Asset.objects.filter(id__in=list(asset_ids), dropped_at=None).update(dropped_at=at or timezone.now())


def next_hour() -> datetime:
    """Return the next full hour: what is dropped in one is looked for together."""
    return timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def sweep() -> None:
    """Take the look that is due at the dropped images of each team. Safe to run twice."""
    now = timezone.now()
    for team_id in Asset.objects.filter(dropped_at__lte=now).values_list("team_id", flat=True).distinct():
        dropped = Asset.objects.filter(team_id=team_id, dropped_at__lte=now).order_by("dropped_at")
        first = dropped.exclude(sha256__startswith=FORGOTTEN)
        second = dropped.filter(sha256__startswith=FORGOTTEN, dropped_at__lte=now - GRACE)
        _look([*first[:BATCH], *second[:BATCH]], now)


def _look(assets: Sequence[Asset], now: datetime) -> None:
    """Keep what serves something, and take the rest one step further."""
    needed = _needed(assets)
    for asset in assets:
        same = Asset.objects.filter(id=asset.id, dropped_at=asset.dropped_at)
        if asset.id in needed:
            same.update(dropped_at=None)
        elif asset.sha256.startswith(FORGOTTEN):
            _delete(asset)
        else:
            same.update(dropped_at=now, sha256=FORGOTTEN + asset.id.hex)


def _delete(asset: Asset) -> None:
    """The file first: what dies in between begins anew, and no file is left that nobody knows of."""
    default_storage.delete(asset.file)
    asset.delete()
    log.info("the picture %s of team %s, which served nothing any more, is deleted", asset.id, asset.team_id)


def _needed(assets: Sequence[Asset]) -> set[uuid.UUID]:
    """Return the ids of those, all of one team's, that an upload or a generation names; two queries."""
    if not assets:
        return set()
    ids = [asset.id for asset in assets]
    uploads = set(Upload.objects.filter(asset__in=ids).values_list("asset_id", flat=True))
    oldest = timezone.now() - timedelta(seconds=settings.UPLOAD_SECONDS)
    recent = {asset.id for asset in assets if asset.uploaded_at and asset.uploaded_at >= oldest}
    return uploads | recent | _serving(assets)


def _serving(assets: Sequence[Asset]) -> set[uuid.UUID]:
    """Return the ids of those that a generation names, which is no older than they are."""
    ids = [str(asset.id) for asset in assets]
    # Its clock was another machine's, perhaps.
    since = min(asset.created_at for asset in assets) - timedelta(minutes=1)
    given = ids if connection.vendor == "postgresql" else json.dumps(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _SERVING[connection.vendor],
            [assets[0].team_id, connection.ops.adapt_datetimefield_value(since), given],
        )
        return {uuid.UUID(row[0]) for row in cursor.fetchall()}
