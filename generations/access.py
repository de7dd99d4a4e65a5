"""Fetch or 404, within the actor's team: the one place where a row is found by an id from outside."""

import uuid
from collections.abc import Collection as Several
from collections.abc import Sequence
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import Http404

from accounts.access import Actor, Right
from generations import uploads
from generations.models import Asset, Collection, Delivery, Generation, Output, Upload, Visibility, Webhook
from generations.models.generation import KEPT
from generations.webhooks import listing

Row = TypeVar("Row")
Many = TypeVar("Many", bound=Model)


def generation(actor: Actor, generation_id: uuid.UUID) -> Generation:
    """Return a generation of the actor's team that was not removed. Raises Http404."""
    return _found(actor, Generation.objects.filter(KEPT, id=generation_id, team_id=actor.team_id).first())


def generations(actor: Actor, ids: Several[uuid.UUID]) -> Sequence[Generation]:
    """Return generations of the actor's team that were not removed. Raises Http404 where one of them is not there."""
    return _all(actor, Generation.objects.filter(KEPT, id__in=ids, team_id=actor.team_id), ids)


def several_removed(actor: Actor, ids: Several[uuid.UUID]) -> Sequence[Generation]:
    """Return generations of the actor's team that are not purged, removed or not. Raises Http404 as `generations`."""
    return _all(actor, Generation.objects.filter(id__in=ids, team_id=actor.team_id, purged_at=None), ids)


def outputs(actor: Actor, ids: Sequence[uuid.UUID]) -> Sequence[Output]:
    """Return outputs of the actor's team as they are asked for, with their generations and who started those. Raises
    Http404 where one of them is not there, or was removed."""
    rows = Output.objects.select_related("generation__user").filter(generation__removed_at=None)
    found = {row.id: row for row in _all(actor, rows.filter(id__in=ids, generation__team_id=actor.team_id), ids)}
    return [found[each] for each in ids]


def removed(actor: Actor, generation_id: uuid.UUID) -> Generation | None:
    """Return a generation of the actor's team that was removed and is not purged, None for any other."""
    rows = Generation.objects.filter(id=generation_id, team_id=actor.team_id, removed_at__isnull=False, purged_at=None)
    return rows.first() if actor.may(Right.VIEW) else None


def output(actor: Actor, output_id: uuid.UUID) -> Output:
    """Return an output of the actor's team, with its generation, that was not removed. Raises Http404."""
    rows = Output.objects.select_related("generation").filter(generation__removed_at=None)
    return _found(actor, rows.filter(id=output_id, generation__team_id=actor.team_id).first())


def asset(actor: Actor, asset_id: uuid.UUID) -> Asset:
    """Return an input image of the actor's team. Raises Http404."""
    return _found(actor, Asset.objects.filter(id=asset_id, team_id=actor.team_id).first())


def webhook(actor: Actor, webhook_id: uuid.UUID) -> Webhook:
    """Return an address that the actor's team registered. Raises Http404."""
    return _found(actor, Webhook.objects.filter(id=webhook_id, team_id=actor.team_id, generation=None).first())


def delivery(actor: Actor, key: uuid.UUID) -> Delivery:
    """Return a delivery of the actor's team. Raises Http404."""
    return _found(actor, listing.deliveries(actor.team_id).filter(key=key).first())


def may_see_secret(actor: Actor) -> bool:
    """Return whether the actor may see what the team's webhooks are signed with: who receives them has to know it."""
    return actor.may(Right.GENERATE) or actor.may(Right.MANAGE_WEBHOOKS)


def upload(actor: Actor, upload_id: uuid.UUID) -> Upload:
    """Return a file that the actor's team uploaded and whose time is not over, with its asset. Raises Http404."""
    found = uploads.current(actor.team_id).filter(id=upload_id).first()
    return _found(actor, found, "There is no such file; it may have expired, or was deleted.")


def file(actor: Actor, file_id: uuid.UUID) -> Asset:
    """Return an input image by its own id or by that of an upload of it. Raises Http404."""
    try:
        return asset(actor, file_id)
    except Http404:
        return upload(actor, file_id).asset


def collection(actor: Actor, collection_id: uuid.UUID) -> Collection:
    """Return a collection that the actor sees: the team's, or their own private one. Raises Http404."""
    return _found(actor, collections(actor).filter(id=collection_id).first(), "There is no such collection.")


def collections(actor: Actor) -> QuerySet[Collection]:
    """Return the collections that the actor sees: the team's, and their own private ones."""
    seen = Q(visibility=Visibility.TEAM) | Q(owner_id=actor.user_id)
    return Collection.objects.filter(seen, team_id=actor.team_id)


def may_arrange(actor: Actor, collection: Collection) -> bool:
    """Return whether the actor may rename or delete a collection that they see: one's own, or any with the right to
    manage runs."""
    own = collection.owner_id == actor.user_id and actor.may(Right.CURATE)
    return own or actor.may(Right.MANAGE_RUNS)


def may_cancel(actor: Actor, generation: Generation) -> bool:
    """Return whether the actor may cancel it: one's own, or anyone's with the right to manage runs."""
    own = generation.user_id == actor.user_id and (actor.may(Right.GENERATE) or actor.may(Right.CURATE))
    return own or actor.may(Right.MANAGE_RUNS)


def may_remove(actor: Actor, generation: Generation) -> bool:
    """Return whether the actor may remove it and bring it back: one's own, or anyone's with the right to manage runs.
    To have started it is not enough: a key that only generates deletes nothing."""
    own = generation.user_id == actor.user_id and actor.may(Right.CURATE)
    return own or actor.may(Right.MANAGE_RUNS)


def _all(actor: Actor, rows: QuerySet[Many], ids: Several[uuid.UUID]) -> Sequence[Many]:
    found = list(rows)
    if len(found) < len(set(ids)) or not actor.may(Right.VIEW):
        raise Http404("Some of these are not there; they may have been removed.")
    return found


def _found(actor: Actor, row: Row | None, otherwise: str = "") -> Row:
    if row is None or not actor.may(Right.VIEW):
        raise Http404(otherwise)
    return row
