"""/api/keys: API keys, one's own or, with the right to manage them, the team's."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.http import Http404, HttpResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import credits, keys, queries
from accounts.access import SCOPES, Right
from accounts.models import ApiKey, Membership
from accounts.models.key import DEFAULT_SCOPES
from accounts.queries import Spending, Spent
from generations.api import filters, pagination, portal_answers, portal_bodies
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.operations import record
from generations.api.pagination import Cursor
from generations.api.portal import PortalView

ORDER = ("id",)


class Made(msgspec.Struct, forbid_unknown_fields=True):
    """A new key."""

    name: str
    scopes: list[str] = msgspec.field(default_factory=lambda: list(DEFAULT_SCOPES))
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    models: list[str] = []
    rate_limit: int | None = None
    daily: float | None = None
    monthly: float | None = None


class Limited(msgspec.Struct, forbid_unknown_fields=True):
    """What a key is limited to, all of it: what is left out is no limit."""

    models: list[str] = []
    rate_limit: int | None = None
    daily: float | None = None
    monthly: float | None = None


class ShownView(PortalView):
    """What the views of keys share."""

    def shown(self, row: ApiKey) -> portal_answers.Json:
        """Return one key, with what it has used; two queries."""
        return _show(row, queries.key_spending(self.actor.team_id, [row.pk])[row.pk])


class KeysView(ShownView):
    """/api/keys: GET, and POST, whose answer alone has the key itself.

    A key with the scope manage makes keys within its own scopes, models and limits (accounts.keys).
    """

    rights = {"GET": Right.CREATE_KEYS, "POST": Right.CREATE_KEYS}
    schema = Described(
        get=schemas.listed("listKeys", "Your API keys, or the team's", schemas.KEY, problems=frozenset()),
        post=schemas.writing(
            "createKey",
            "A new API key, shown in this answer alone",
            record(
                {
                    "name": schemas.NAME,
                    "scopes": schemas.several(schemas.choice(SCOPES)),
                    "expires_at": schemas.NO_TIME,
                    **schemas.LIMITS,
                },
                optional=["scopes", "expires_at", *schemas.LIMITS],
            ),
            {"name": "Web shop", "scopes": ["generate"], "daily": 5},
            201,
            schemas.NEW_KEY,
        ),
    )

    def get(self, request: Request) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (int,))
        found = pagination.page(queries.keys(self.actor), asked, ORDER)
        spent = queries.key_spending(self.actor.team_id, [row.pk for row in found.rows])
        return pagination.answer(
            request, found, lambda row: _show(row, spent[row.pk]), cursor=lambda row, newer: Cursor((row.pk,), newer)
        )

    def post(self, request: Request) -> HttpResponse:
        body = portal_bodies.read(request, Made)
        name = portal_bodies.name(body.name)
        place = Membership.objects.select_related("user").get(team_id=self.actor.team_id, user_id=self.actor.user_id)
        try:
            made, raw = keys.create(
                place,
                name=name,
                scopes=body.scopes,
                expires_at=body.expires_at,
                **_limits(body),
                by=self.actor,
            )
        except keys.InvalidKey as error:
            raise portal_bodies.refused(error.field, str(error)) from error
        return Response({**self.shown(made), "key": raw}, status=201)


class KeyView(ShownView):
    """/api/keys/{number}: GET, PATCH of all its limits, DELETE, which revokes it; a second time changes nothing."""

    rights = {"GET": Right.CREATE_KEYS, "PATCH": Right.CREATE_KEYS, "DELETE": Right.CREATE_KEYS}
    schema = Described(
        get=schemas.plain("getKey", "One API key", schemas.KEY, problems=schemas.FOUND),
        patch=schemas.writing(
            "limitKey",
            "Set all limits of an API key: one that is left out is none",
            record(schemas.LIMITS, optional=schemas.LIMITS),
            {"models": ["bg-replace"], "rate_limit": 60, "daily": 5},
            200,
            schemas.KEY,
            problems=schemas.FOUND,
        ),
        delete=schemas.doing("revokeKey", "Revoke an API key", None, code=204, problems=schemas.FOUND),
    )

    def get(self, request: Request, number: int) -> HttpResponse:
        filters.read(request)
        return Response(self.shown(self.find(number)))

    def patch(self, request: Request, number: int) -> HttpResponse:
        found = self.find(number)
        if self.actor.key_id:
            raise PermissionDenied("key: only people change what a key is limited to")
        body = portal_bodies.read(request, Limited)
        try:
            keys.limit(found, **_limits(body))
        except keys.InvalidKey as error:
            raise portal_bodies.refused(error.field, str(error)) from error
        return Response(self.shown(found))

    def delete(self, request: Request, number: int) -> HttpResponse:
        keys.revoke(self.find(number))
        return Response(status=204)

    def find(self, number: int) -> ApiKey:
        """Return a key that the caller may see: one's own, or any with the right to manage keys. Raises Http404."""
        found = queries.keys(self.actor).filter(pk=number).first()
        if found is None:
            raise Http404("There is no such key.")
        return found


def _limits(body: Made | Limited) -> dict[str, Any]:
    """Return the limits as accounts.keys takes them: credits in millionths."""
    return {
        "models": body.models,
        "rate_limit": body.rate_limit,
        "daily": _millionths("daily", body.daily),
        "monthly": _millionths("monthly", body.monthly),
    }


def _millionths(field: str, given: float | None) -> int | None:
    if given is None:
        return None
    try:
        return credits.parse(repr(given))
    except ValueError:
        raise portal_bodies.wrong(field, given, "credits with at most six decimals are allowed") from None


def _spent(spent: Spent) -> portal_answers.Json:
    return {"used": portal_answers.credits(spent.used), "limit": portal_answers.credits(spent.limit)}


def _show(row: ApiKey, spending: Spending) -> portal_answers.Json:
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "member": portal_answers.member(row.membership.user),
        "made_by_key": row.parent_id,
        "scopes": row.scopes,
        "models": row.models,
        "rate_limit": row.rate_limit,
        "day": _spent(spending.day),
        "month": _spent(spending.month),
        "is_active": row.is_active,
        "created_at": portal_answers.moment(row.created_at),
        "expires_at": portal_answers.moment(row.expires_at),
        "revoked_at": portal_answers.moment(row.revoked_at),
        "last_used_at": portal_answers.moment(row.last_used_at),
    }
