"""Input images that serve nothing any more.

An image is stored once a team, however many generations it serves, and which those are is written in the generations
alone: to ask for one image means to read all of the team's since it came. So images are doubted when a generation is
purged or an upload ends, and asked for together, once an hour at most. One that nothing has is then hidden from new
uploads of the same picture, and deleted an hour later if it still serves nothing: a request that had found it has ended
by then.
"""

import json
import logging
import math
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Min, QuerySet
from django.utils import timezone

from generations.models import Asset

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
SETTLED = timedelta(minutes=10)
"""When a team's turn comes, all of its images are asked for that were doubted so long ago."""

AFTERWARDS = 5.0
"""Seconds for which a team's images are deleted once they were asked for, however long that took."""

HIDDEN = "-"
"""Begins the digest of a hidden image: no picture has it."""

_USED = {
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


def doubt(asset_ids: Iterable[uuid.UUID]) -> None:
    """Note that images lost a generation that they served, or an address."""
    Asset.objects.filter(id__in=list(asset_ids), doubtful_at=None).update(doubtful_at=timezone.now())


def sweep(until: float = math.inf) -> None:
    """Hide, then delete, the doubtful images that serve nothing, of each team whose turn has come, until then (of
    time.monotonic). A team of which one cannot be asked for, or deleted, has its turn again in an hour."""
    now = timezone.now()
    doubted = Asset.objects.filter(doubtful_at__lt=now - HOUR).values("team_id").annotate(first=Min("doubtful_at"))
    for team_id in doubted.order_by("first").values_list("team_id", flat=True):
        if time.monotonic() >= until:
            return
        try:
            _sweep_team(team_id, now, until)
        except (OperationalError, InterfaceError):  # the database is away
            raise
        except Exception:
            log.exception("the images of team %s cannot be asked for, in an hour again", team_id)
            Asset.objects.filter(team_id=team_id, doubtful_at__lt=now).update(doubtful_at=now)


def _sweep_team(team_id: int, now: datetime, until: float) -> None:
    settled = Asset.objects.filter(team_id=team_id, doubtful_at__lt=now - SETTLED)
    hidden = [asset for asset in settled if asset.sha256.startswith(HIDDEN)]
    doubtful = [asset for asset in settled if not asset.sha256.startswith(HIDDEN)]
    used = _used(team_id, [*hidden, *doubtful]) | _named(settled)
    until = max(until, time.monotonic() + AFTERWARDS)
    for asset in (*doubtful, *hidden):
        if str(asset.id) in used or asset.uploaded_at:  # whose time ends: then it is doubted again
            Asset.objects.filter(id=asset.id).update(doubtful_at=None)
        elif not asset.sha256.startswith(HIDDEN):
            Asset.objects.filter(id=asset.id, uploaded_at=None).update(sha256=HIDDEN + asset.id.hex, doubtful_at=now)
        elif time.monotonic() < until:
            _delete(asset, now)


def _delete(asset: Asset, now: datetime) -> None:
    """Delete what was hidden an hour ago, the file first: what dies in between begins anew."""
    if not asset.doubtful_at or asset.doubtful_at >= now - HOUR:
        return
    try:
        default_storage.delete(asset.file)
        asset.delete()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("image %s cannot be deleted, in an hour again", asset.id)
        Asset.objects.filter(id=asset.id).update(doubtful_at=now)


def _named(assets: QuerySet[Asset]) -> set[str]:
    """Return the ids of those that uploads name."""
    return {str(asset_id) for asset_id in assets.filter(uploads__isnull=False).values_list("id", flat=True)}


def _used(team_id: int, assets: Sequence[Asset]) -> set[str]:
    """Return the ids of those that serve a generation, by one pass over the team's since the oldest of them came."""
    if not assets:
        return set()
    since = min(asset.created_at for asset in assets)
    ids = [str(asset.id) for asset in assets]
    with connection.cursor() as cursor:
        given = ids if connection.vendor == "postgresql" else json.dumps(ids)
        cursor.execute(_USED[connection.vendor], [team_id, connection.ops.adapt_datetimefield_value(since), given])
        return {row[0] for row in cursor.fetchall()}
