"""/api/generations: what the team made, and what is done with it."""

import uuid

import msgspec
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import access, catalogue, favourites, finishing, prompts, queries, removal, selection
from generations.api import filters, pagination, portal_answers, portal_bodies, problems
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.operations import record
from generations.api.pagination import Asked, Page
from generations.api.portal import PortalView
from generations.models import Generation, Output
from generations.models.generation import KEPT, Door, Status
from generations.selection import Selection

FILTERS = {
    "model": filters.one_of(list(catalogue.MODELS)),
    "status": filters.one_of(Status.values),
    "door": filters.one_of(Door.values),
    "engine": filters.text(40),
    "member": filters.whole(1),
    "key": filters.whole(1),
    "favourite": filters.truth,
    "collection": filters.identifier,
    "created_after": filters.moment,
    "created_before": filters.moment,
}
SEARCH = {"search": filters.text(200)}
PLACE = (filters.moment, uuid.UUID)
"""What a place of the list is: when it was created, and the id."""


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """What can be changed of a generation."""

    favourite: bool


class GenerationsView(PortalView):
    """GET /api/generations."""

    rights = {"GET": Right.VIEW}
    schema = Described(
        get=schemas.listed(
            "listGenerations",
            "What the team made",
            schemas.GENERATION,
            FILTERS,
            SEARCH,
            problems=schemas.FOUND,
        )
    )

    def get(self, request: Request) -> HttpResponse:
        values = filters.read(request, FILTERS, SEARCH, pagination.PARAMETERS)
        asked = pagination.read(values, PLACE)
        found = self._search(values, asked) if "search" in values else self._list(values, asked)
        return pagination.answer(request, found, lambda row: portal_answers.summary(self.actor, row))

    def _list(self, values: dict[str, object], asked: Asked) -> Page[Generation]:
        if isinstance(wanted := values.get("collection"), uuid.UUID):
            access.collection(self.actor, wanted)
        given = {name: value for name, value in values.items() if name in FILTERS}
        rows = selection.select(Selection(team_id=self.actor.team_id, **given))  # type: ignore[arg-type]
        return pagination.page(_with_all(rows), asked)

    def _search(self, values: dict[str, object], asked: Asked) -> Page[Generation]:
        """Find words in prompts as the gallery does: among what succeeded, of one model or of all."""
        if more := set(values) & set(FILTERS) - {"model"}:
            raise ParseError(f"search: goes with model alone, not with {', '.join(sorted(more))}")
        words, model = str(values["search"]).split(), str(values.get("model", ""))
        if not words:
            raise ParseError("search: has no word")
        wanted = prompts.Query(self.actor.team_id, words, model)
        beyond = (asked.cursor.place[0], asked.cursor.place[1]) if asked.cursor else None
        ids = prompts.find(wanted, asked.limit + 1, beyond=beyond, oldest_first=asked.newer)
        rows = {row.id: row for row in _with_all(Generation.objects.filter(KEPT, id__in=ids))}
        return pagination.cut([rows[each] for each in ids if each in rows], asked)


class FoundView(PortalView):
    """What the views of one generation share."""

    def find(self, generation_id: uuid.UUID) -> Generation:
        """Return it. Raises Http404; problems.Removed where it was removed and may still be had back."""
        try:
            return access.generation(self.actor, generation_id)
        except Http404:
            removed = access.removed(self.actor, generation_id)
            if removed is None or removed.removed_at is None:
                raise
            raise problems.Removed(removed.removed_at) from None

    def require_removable(self, generation: Generation) -> None:
        """Raises PermissionDenied where the caller may neither remove it nor bring it back."""
        if not access.may_remove(self.actor, generation):
            raise PermissionDenied("Only who started a run, or an admin of the team, can remove or restore it.")

    def answer(self, generation: Generation) -> Response:
        return Response(portal_answers.detail(self.actor, queries.run(generation)))


class GenerationView(FoundView):
    """/api/generations/{id}: GET, PATCH {"favourite"}, DELETE."""

    rights = {"GET": Right.VIEW, "PATCH": Right.CURATE, "DELETE": Right.CURATE}
    schema = Described(
        get=schemas.plain(
            "getGeneration",
            "One generation, with its attempts",
            schemas.DETAIL,
            problems=schemas.OF_GENERATION,
        ),
        patch=schemas.writing(
            "changeGeneration",
            "Mark one of the team's favourites, or unmark it",
            record({"favourite": schemas.TRUTH}),
            {"favourite": True},
            200,
            schemas.DETAIL,
            problems=schemas.OF_GENERATION,
        ),
        delete=schemas.doing(
            "removeGeneration",
            "Remove a generation: hidden at once, deleted for good after a while",
            schemas.REMOVED,
            problems=schemas.OF_GENERATION | {"still_running"},
        ),
    )

    def get(self, request: Request, generation_id: uuid.UUID) -> HttpResponse:
        filters.read(request)
        return self.answer(self.find(generation_id))

    def patch(self, request: Request, generation_id: uuid.UUID) -> HttpResponse:
        """Mark or unmark one of the team's favourites, which are the same for all of its people."""
        found = self.find(generation_id)
        change = portal_bodies.read(request, Change)
        if change.favourite == (found.favourite_at is not None):
            return self.answer(found)
        favourites.mark([generation_id], favourite=change.favourite)
        return self.answer(self.find(generation_id))

    def delete(self, request: Request, generation_id: uuid.UUID) -> HttpResponse:
        """Remove it: hidden at once, purged after REMOVED_KEPT_SECONDS."""
        self.require_removable(self.find(generation_id))
        removed_at = removal.remove(generation_id)
        if removed_at is None:  # somebody else removed it just now
            self.find(generation_id)
        return Response(
            {
                "id": str(generation_id),
                "removed_at": portal_answers.moment(removed_at),
                "restorable_until": portal_answers.moment(removed_at and removed_at + removal.kept_for()),
                "restore_url": portal_answers.absolute("portal-generation-restore", generation_id),
            }
        )


class CancelView(FoundView):
    """POST /api/generations/{id}/cancel; one that has ended stays as it is."""

    rights = {"POST": Right.VIEW}
    schema = Described(
        post=schemas.doing(
            "cancelGeneration",
            "Cancel a generation that has not ended",
            schemas.DETAIL,
            problems=schemas.OF_GENERATION,
        )
    )

    def post(self, request: Request, generation_id: uuid.UUID) -> HttpResponse:
        found = self.find(generation_id)
        if not access.may_cancel(self.actor, found):
            raise PermissionDenied("Only who started a run, or an admin of the team, can cancel it.")
        finishing.cancel(generation_id)
        return self.answer(self.find(generation_id))


class RestoreView(FoundView):
    """POST /api/generations/{id}/restore; one that was not removed stays as it is."""

    rights = {"POST": Right.CURATE}
    schema = Described(
        post=schemas.doing(
            "restoreGeneration",
            "Bring a removed generation back, for as long as it is kept",
            schemas.DETAIL,
            problems=schemas.OF_GENERATION,
        )
    )

    def post(self, request: Request, generation_id: uuid.UUID) -> HttpResponse:
        removed = access.removed(self.actor, generation_id)
        if removed:
            self.require_removable(removed)
            removal.restore(generation_id)
        return self.answer(self.find(generation_id))


def _with_all(rows: QuerySet[Generation]) -> QuerySet[Generation]:
    """Load what a summary shows, at two queries whatever the rows."""
    outputs = Prefetch("outputs", Output.objects.order_by("number"))
    return rows.select_related("user", "api_key").prefetch_related(outputs)
