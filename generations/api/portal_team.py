"""/api/account, /api/teams, /api/members: who asks, for which team, and who else is in it."""

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import ledger, session
from accounts.access import Right
from accounts.models import ApiKey, Membership, Team
from generations.api import filters, pagination, portal_answers
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.operations import record
from generations.api.pagination import Cursor
from generations.api.portal import PortalView


class AccountView(PortalView):
    """GET /api/account: who asks, for which team, as what, and what the team has."""

    rights = {"GET": Right.VIEW}
    schema = Described(get=schemas.plain("getAccount", "Who you are, for which team, and its balance", schemas.ACCOUNT))

    def get(self, request: Request) -> HttpResponse:
        filters.read(request)
        actor = self.actor
        place = Membership.objects.select_related("team", "user").get(team_id=actor.team_id, user_id=actor.user_id)
        key = ApiKey.objects.filter(pk=actor.key_id).first() if actor.key_id else None
        body = {
            "user": _person(place),
            "team": _team(place.team, place.role),
            "key": portal_answers.key(key),
            "rights": sorted(actor.rights),
            "balance": portal_answers.balance(ledger.balance(actor.team_id)),
        }
        return Response(body)


class TeamsView(PortalView):
    """GET /api/teams: those that whoever is signed in can act for; to a key, its own."""

    rights = {"GET": Right.VIEW}
    schema = Described(
        get=schemas.plain(
            "listTeams",
            "The teams that you can act for",
            record({"next": {"type": "null"}, "previous": {"type": "null"}, "results": schemas.several(schemas.TEAM)}),
        )
    )

    def get(self, request: Request) -> HttpResponse:
        filters.read(request)
        if self.actor.key_id:
            mine = Membership.objects.filter(team_id=self.actor.team_id, user_id=self.actor.user_id)
            places = list(mine.select_related("team"))
        else:
            places = session.memberships(request._request)
        rows = [
            {**_team(place.team, place.role), "is_current": place.team_id == self.actor.team_id} for place in places
        ]
        return Response({"next": None, "previous": None, "results": rows})


class MembersView(PortalView):
    """GET /api/members: the people of the team, who came last first."""

    rights = {"GET": Right.VIEW}
    schema = Described(
        get=schemas.listed("listMembers", "The people of the team", schemas.PERSON, problems=frozenset())
    )

    def get(self, request: Request) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (int,))
        rows = Membership.objects.filter(team_id=self.actor.team_id).select_related("user")
        found = pagination.page(rows, asked, ("id",))
        return pagination.answer(request, found, _member, cursor=lambda row, newer: Cursor((row.pk,), newer))


def _member(place: Membership) -> portal_answers.Json:
    return {**_person(place), "role": place.role, "joined_at": portal_answers.moment(place.created_at)}


def _person(place: Membership) -> portal_answers.Json:
    return {"id": place.user_id, "name": place.user.name or None, "email": place.user.email}


def _team(team: Team, role: str) -> portal_answers.Json:
    return {"id": team.pk, "name": team.name, "slug": team.slug, "role": role}
