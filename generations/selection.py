"""Which generations of a team a list wants. Each filter has an index of its own (models.generation)."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from generations.models import CollectionItem, Generation
from generations.models.generation import ACTIVE, KEPT, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a generation has to be; None for whatever. member, key: ids. created_after and _before leave that moment
    itself out."""

    team_id: int
    model: str | None = None
    status: str | None = None
    door: str | None = None
    engine: str | None = None
    member: int | None = None
    key: int | None = None
    favourite: bool | None = None
    collection: uuid.UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def select(wanted: Selection) -> QuerySet[Generation]:
    """Return the generations, in no order."""
    rows = Generation.objects.filter(KEPT, team_id=wanted.team_id)
    given = {
        "model": wanted.model,
        "door": wanted.door,
        "user_id": wanted.member,
        "api_key_id": wanted.key,
        "created_at__gt": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    rows = rows.filter(**{column: value for column, value in given.items() if value is not None})
    if wanted.status is not None:
        rows = rows.filter(_of_status(Status(wanted.status)))
    if wanted.engine is not None:
        rows = rows.filter(engine__gt="", engine=wanted.engine)
    if wanted.favourite is not None:
        rows = rows.filter(favourite_at__isnull=not wanted.favourite)
    if wanted.collection is not None:
        rows = rows.filter(id__in=CollectionItem.objects.filter(collection=wanted.collection).values("generation_id"))
    return rows


def _of_status(status: Status) -> Q:
    """Name the condition of the index that has them as well."""
    if status in ACTIVE:
        return Q(status=status, status__in=ACTIVE)
    return Q(status=status)
