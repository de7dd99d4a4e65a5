"""/api/keys: API keys, one's own or, with the right to manage them, the team's."""

from datetime import datetime
from typing import Annotated

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import keys, queries
from accounts.access import Right
from accounts.models import ApiKey, Membership
from accounts.models.key import DEFAULT_SCOPES
from generations.api import filters, pagination, portal_answers, portal_bodies
from generations.api.pagination import Cursor
from generations.api.portal import PortalView

ORDER = ("id",)


class Made(msgspec.Struct, forbid_unknown_fields=True):
    """A new key."""

    name: str
    scopes: list[str] = msgspec.field(default_factory=lambda: list(DEFAULT_SCOPES))
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class KeysView(PortalView):
    """/api/keys: GET, POST {"name", "scopes", "expires_at"}. The answer to that POST alone has the key itself."""

    rights = {"GET": Right.CREATE_KEYS, "POST": Right.CREATE_KEYS}

    def get(self, request: Request) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (int,))
        found = pagination.page(queries.keys(self.actor), asked, ORDER)
        return pagination.answer(request, found, _show, cursor=lambda row, newer: Cursor((row.pk,), newer))

    def post(self, request: Request) -> HttpResponse:
        body = portal_bodies.read(request, Made)
        name = portal_bodies.name(body.name)
        if body.expires_at and body.expires_at <= timezone.now():
            raise portal_bodies.wrong("expires_at", body.expires_at.isoformat(), "a time in the future is allowed")
        place = Membership.objects.select_related("user").get(team_id=self.actor.team_id, user_id=self.actor.user_id)
        try:
            made, raw = keys.create(place, name=name, scopes=body.scopes, expires_at=body.expires_at)
        except ValueError as error:
            raise portal_bodies.refused("scopes", str(error)) from error
        return Response({**_show(made), "key": raw}, status=201)


class KeyView(PortalView):
    """DELETE /api/keys/{id}: revokes it; a second time changes nothing."""

    rights = {"DELETE": Right.CREATE_KEYS}

    def delete(self, request: Request, key_id: int) -> HttpResponse:
        found = queries.keys(self.actor).filter(pk=key_id).first()
        if found is None:
            raise Http404("There is no such key.")
        keys.revoke(found)
        return Response(status=204)


def _show(row: ApiKey) -> portal_answers.Json:
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "member": portal_answers.member(row.membership.user),
        "scopes": row.scopes,
        "is_active": row.is_active,
        "created_at": portal_answers.moment(row.created_at),
        "expires_at": portal_answers.moment(row.expires_at),
        "revoked_at": portal_answers.moment(row.revoked_at),
        "last_used_at": portal_answers.moment(row.last_used_at),
    }
