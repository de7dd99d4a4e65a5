"""Who acts in the browser, and for which of their teams; pages and the portal's resources ask here."""

from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import queries
from accounts.access import Actor, actor_of
from accounts.models import Membership, User

KEY = "team"
"""the session's name for the id of the team chosen"""


class _Seen(HttpRequest):
    """A request whose user's memberships were read."""

    memberships: list[Membership]


def memberships(request: HttpRequest) -> list[Membership]:
    """The places of whoever is signed in, read once a request; none for an anonymous one."""
    seen = cast(_Seen, request)
    if not hasattr(seen, "memberships"):
        user = getattr(request, "user", None)  # error pages may come from before the middleware that sets it
        seen.memberships = queries.memberships(user) if isinstance(user, User) else []
    return seen.memberships


def membership(request: HttpRequest) -> Membership | None:
    """The place in the team chosen in this session, else in the first one; None for who is in no team."""
    places = memberships(request)
    chosen = request.session.get(KEY) if places else None
    return next((place for place in places if place.team_id == chosen), places[0] if places else None)


def current(request: HttpRequest) -> Actor:
    """The actor of this request; raise PermissionDenied for who is in no team."""
    place = membership(request)
    if place is None:
        raise PermissionDenied(
            "team: you are in none; the operator of this studio adds you to one with manage.py add_member"
        )
    return actor_of(place)


def choose(request: HttpRequest, team_id: int) -> bool:
    """Act for another team from now on; False where the user is not in it."""
    if all(place.team_id != team_id for place in memberships(request)):
        return False
    request.session[KEY] = team_id
    return True
