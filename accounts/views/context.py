"""What every page's header shows."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import ledger
from accounts.access import Actor, actor_of
from accounts.ledger import Amounts
from accounts.models import Team
from accounts.views import session


def team(request: HttpRequest) -> dict[str, Any]:
    """`team`, `teams`, `actor` and `balance` (ledger.Amounts), read when a template first asks for them.

    False in a template, all of them, for the anonymous and for who is in no team. Two queries at most.
    """
    return {
        "team": SimpleLazyObject(lambda: _team(request)),
        "teams": SimpleLazyObject(lambda: [place.team for place in session.memberships(request)]),
        "actor": SimpleLazyObject(lambda: _actor(request)),
        "balance": SimpleLazyObject(lambda: _balance(request)),
    }


def _team(request: HttpRequest) -> Team | None:
    place = session.membership(request)
    return place.team if place else None


def _actor(request: HttpRequest) -> Actor | None:
    place = session.membership(request)
    return actor_of(place) if place else None


def _balance(request: HttpRequest) -> Amounts | None:
    place = session.membership(request)
    return ledger.balance(place.team_id) if place else None
