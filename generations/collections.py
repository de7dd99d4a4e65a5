"""What is done with collections."""

import uuid
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.access import Actor
from generations.models import Collection, CollectionItem, Generation, Visibility
from generations.models.generation import KEPT, Status

COVERS = 4
"""Pictures that a list shows of a collection."""


class NotThere(Exception):
    """Some of the generations are none of the team's, or were removed."""

    def __init__(self, ids: Sequence[uuid.UUID]) -> None:
        super().__init__(", ".join(map(str, ids)))
        self.ids = ids


def create(actor: Actor, name: str, visibility: str = Visibility.PRIVATE) -> Collection:
    """Make a collection of the actor's."""
    return Collection.objects.create(team_id=actor.team_id, owner_id=actor.user_id, name=name, visibility=visibility)


def add(collection: Collection, ids: Several[uuid.UUID]) -> int:
    """Put generations in, those that are in it already left as they are; return how many are new.

    Raises NotThere, and then nothing is put in.
    """
    kept = Generation.objects.filter(KEPT, team_id=collection.team_id, id__in=ids)
    there = set(kept.values_list("id", flat=True))
    if missing := [each for each in ids if each not in there]:
        raise NotThere(missing)
    before = collection.items.filter(generation__in=there).count()
    now = timezone.now()
    items = [CollectionItem(collection=collection, generation_id=each, added_at=now) for each in dict.fromkeys(ids)]
    CollectionItem.objects.bulk_create(items, ignore_conflicts=True)
    return len(there) - before


def take_out(collection: Collection, ids: Several[uuid.UUID]) -> int:
    """Take generations out; return how many were in it."""
    taken, _ = collection.items.filter(generation__in=ids).delete()
    return taken


def items(collection: Collection) -> QuerySet[CollectionItem]:
    """Return what is in it and was not removed, in no order."""
    return collection.items.filter(generation__removed_at=None)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a list shows of a collection: how many runs with pictures, and the first pictures of the last ones."""

    items: int
    covers: list[uuid.UUID]


def shown(ids: Several[uuid.UUID]) -> Mapping[uuid.UUID, Shown]:
    """Return what a list shows of collections, at two queries whatever they hold."""
    pictured = CollectionItem.objects.filter(
        collection__in=ids, generation__removed_at=None, generation__status=Status.SUCCEEDED
    )
    counted = dict(pictured.values_list("collection").annotate(Count("id")).values_list("collection", "id__count"))
    found = {each: Shown(counted.get(each, 0), []) for each in ids}
    place = Window(RowNumber(), partition_by="collection", order_by=("-added_at", "-id"))
    last = pictured.annotate(place=place).filter(place__lte=COVERS).order_by("collection", "place")
    rows = last.filter(generation__outputs__number=0).values_list("collection", "generation__outputs__id")
    for collection_id, output_id in rows:
        found[collection_id].covers.append(output_id)
    return found
