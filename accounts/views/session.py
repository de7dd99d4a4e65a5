"""Pages that ask who acts in the browser: decorators over accounts.session."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from accounts.access import Actor, Right, refusal
from accounts.session import KEY, choose, current, membership, memberships

__all__ = [
    "KEY",
    "choose",
    "current",
    "is_operator",
    "membership",
    "memberships",
    "operator_required",
    "require",
    "requires",
    "team_required",
]

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


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
        raise PermissionDenied(refusal(actor, right))
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
