"""/api/collections: what the team's people gather, alone or together."""

import uuid
from typing import Annotated

import msgspec
from django.db.models import Prefetch
from django.http import HttpResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import access, collections
from generations.api import filters, pagination, portal_answers, portal_bodies
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.operations import record
from generations.api.pagination import Cursor
from generations.api.portal import PortalView
from generations.models import Collection, CollectionItem, Output, Visibility

MOST = 500
"""Generations that one request puts in or takes out."""

ITEMS = ("added_at", "id")
"""The order of what is in a collection: what was added last comes first."""


class Made(msgspec.Struct, forbid_unknown_fields=True):
    """A new collection."""

    name: str
    visibility: Visibility = Visibility.PRIVATE


class Changed(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be changed of a collection."""

    name: str | None = None
    visibility: Visibility | None = None


class Several(msgspec.Struct, forbid_unknown_fields=True):
    """Generations that are put in or taken out."""

    generations: Annotated[list[uuid.UUID], msgspec.Meta(min_length=1, max_length=MOST)]


class CollectionsView(PortalView):
    """/api/collections: GET, POST {"name", "visibility"}."""

    rights = {"GET": Right.VIEW, "POST": Right.CURATE}
    schema = Described(
        get=schemas.listed(
            "listCollections",
            "The team's collections, and your private ones",
            schemas.COLLECTION,
            problems=frozenset(),
        ),
        post=schemas.writing(
            "createCollection",
            "A new collection",
            record({"name": schemas.NAME, "visibility": schemas.choice(Visibility.values)}, optional=["visibility"]),
            {"name": "Autumn", "visibility": "team"},
            201,
            schemas.COLLECTION_DETAIL,
        ),
    )

    def get(self, request: Request) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (filters.moment, uuid.UUID))
        found = pagination.page(access.collections(self.actor).select_related("owner"), asked)
        return pagination.answer(request, found, lambda row: portal_answers.collection(self.actor, row))

    def post(self, request: Request) -> HttpResponse:
        body = portal_bodies.read(request, Made)
        made = collections.create(self.actor, portal_bodies.name(body.name), body.visibility)
        answer = portal_answers.collection(self.actor, made)
        return Response({**answer, "items": 0}, status=201, headers={"Location": answer["url"]})


class FoundView(PortalView):
    """What the views of one collection share."""

    def find(self, collection_id: uuid.UUID) -> Collection:
        return access.collection(self.actor, collection_id)

    def require_arranging(self, collection: Collection) -> None:
        if not access.may_arrange(self.actor, collection):
            raise PermissionDenied("Only its owner, or an admin of the team, can rename or delete a collection.")


class CollectionView(FoundView):
    """/api/collections/{id}: GET, PATCH {"name", "visibility"}, DELETE (the generations stay)."""

    rights = {"GET": Right.VIEW, "PATCH": Right.CURATE, "DELETE": Right.CURATE}
    schema = Described(
        get=schemas.plain("getCollection", "One collection", schemas.COLLECTION_DETAIL, problems=schemas.FOUND),
        patch=schemas.writing(
            "changeCollection",
            "Rename a collection, or say who sees it",
            record(
                {"name": schemas.NAME, "visibility": schemas.choice(Visibility.values)}, optional=["name", "visibility"]
            ),
            {"visibility": "team"},
            200,
            schemas.COLLECTION_DETAIL,
            problems=schemas.FOUND,
        ),
        delete=schemas.doing(
            "deleteCollection",
            "Delete a collection; what was in it stays",
            None,
            code=204,
            problems=schemas.FOUND,
        ),
    )

    def get(self, request: Request, collection_id: uuid.UUID) -> HttpResponse:
        filters.read(request)
        return self.answer(self.find(collection_id))

    def patch(self, request: Request, collection_id: uuid.UUID) -> HttpResponse:
        found = self.find(collection_id)
        self.require_arranging(found)
        body = portal_bodies.read(request, Changed)
        if body.visibility and body.visibility != found.visibility and found.owner_id != self.actor.user_id:
            raise PermissionDenied("Only its owner can say who sees a collection.")
        found.name = found.name if body.name is None else portal_bodies.name(body.name)
        found.visibility = body.visibility or found.visibility
        found.save(update_fields=["name", "visibility"])
        return self.answer(found)

    def delete(self, request: Request, collection_id: uuid.UUID) -> HttpResponse:
        found = self.find(collection_id)
        self.require_arranging(found)
        found.delete()
        return Response(status=204)

    def answer(self, found: Collection) -> Response:
        items = collections.items(found).count()
        return Response({**portal_answers.collection(self.actor, found), "items": items})


class ItemsView(FoundView):
    """/api/collections/{id}/items: GET, POST {"generations": [id, …]}."""

    rights = {"GET": Right.VIEW, "POST": Right.CURATE}
    schema = Described(
        get=schemas.listed(
            "listCollectionItems",
            "What is in a collection, by when it was added",
            schemas.ITEM,
            problems=schemas.FOUND,
        ),
        post=schemas.writing(
            "addToCollection",
            "Put up to 500 generations in",
            schemas.SEVERAL,
            {"generations": [schemas.ID]},
            200,
            record({"added": schemas.WHOLE}),
            problems=schemas.FOUND,
        ),
    )

    def get(self, request: Request, collection_id: uuid.UUID) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (filters.moment, int))
        outputs = Prefetch("generation__outputs", Output.objects.order_by("number"))
        rows = collections.items(self.find(collection_id)).select_related("generation__user", "generation__api_key")
        found = pagination.page(rows.prefetch_related(outputs), asked, ITEMS)
        return pagination.answer(request, found, self._show, cursor=_cursor)

    def post(self, request: Request, collection_id: uuid.UUID) -> HttpResponse:
        found = self.find(collection_id)
        body = portal_bodies.read(request, Several)
        try:
            return Response({"added": collections.add(found, body.generations)})
        except collections.NotThere as error:
            named = ", ".join(str(each) for each in error.ids[:10])
            raise portal_bodies.wrong("generations", named, "the team has no such generations") from error

    def _show(self, item: CollectionItem) -> portal_answers.Json:
        return {
            "added_at": portal_answers.moment(item.added_at),
            "generation": portal_answers.summary(self.actor, item.generation),
        }


class TakeOutView(FoundView):
    """POST /api/collections/{id}/items/remove {"generations": [id, …]}: those that are not in it are no error."""

    rights = {"POST": Right.CURATE}
    schema = Described(
        post=schemas.writing(
            "takeOutOfCollection",
            "Take up to 500 generations out",
            schemas.SEVERAL,
            {"generations": [schemas.ID]},
            200,
            record({"removed": schemas.WHOLE}),
            problems=schemas.FOUND,
        )
    )

    def post(self, request: Request, collection_id: uuid.UUID) -> HttpResponse:
        found = self.find(collection_id)
        body = portal_bodies.read(request, Several)
        return Response({"removed": collections.take_out(found, body.generations)})


def _cursor(item: CollectionItem, newer: bool) -> Cursor:
    return Cursor(pagination.place(item, ITEMS), newer)
