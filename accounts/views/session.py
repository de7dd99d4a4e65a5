"""Who acts in the browser, and for which of their teams."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from accounts import queries
from accounts.access import Actor, Right, actor_of
from accounts.models import Membership, User

KEY = "team"
"""the session's name for the id of the team chosen"""

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


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


def team_required(view: View[P]) -> View[P]:
    """Send the anonymous to sign in, and refuse who is in no team."""
    return requires(Right.VIEW)(view)


def requires(right: Right) -> Callable[[View[P]], View[P]]:
    """As team_required, and refuse (403) who lacks `right`."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            require(request, right)
            return view(request, *args, **kwargs)

        return login_required(checked)

    return decorate


def require(request: HttpRequest, right: Right) -> Actor:
    """The actor of this request; raise PermissionDenied where they lack `right`."""
    actor = current(request)
    if not actor.may(right):
        raise PermissionDenied(f"role: {actor.role}; it lacks the right {right}")
    return actor


def operator_required(view: View[P]) -> View[P]:
    """Send the anonymous to sign in; for everybody but the operator there is nothing here (404)."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_operator(request):
            raise Http404("only the operator has this page")
        return view(request, *args, **kwargs)

    return login_required(checked)


def is_operator(request: HttpRequest) -> bool:
    """Does whoever is signed in run the installation?"""
    return bool(getattr(getattr(request, "user", None), "is_staff", False))
