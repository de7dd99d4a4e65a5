"""The Segmind dialect's record: what a team asked for, what came of it, and what there is to ask.

Pages are turned by number here, as the dialect's clients do it, and reach history.DEPTH rows; older ones are found
with a narrower window.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import TypeVar

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import ledger, queries
from accounts.access import Right
from generations import access, catalogue, history
from generations.api import segmind_history_answers
from generations.api.segmind import SegmindView
from generations.catalogue import wording
from generations.history import Order, Page, Wanted
from generations.models.generation import Status

PAGE = 20
MOST = 100
"""Rows of a page."""

USUAL_DAYS = 7
MOST_DAYS = 31
"""What a window of the history spans, where nothing is said and at most."""

STATUSES: Mapping[str, tuple[Status, ...]] = MappingProxyType(
    {
        "COMPLETED": (Status.SUCCEEDED,),
        "FAILED": (Status.FAILED, Status.CANCELED),
        "PENDING": (Status.QUEUED, Status.RUNNING),
    }
)
ORDERS: Mapping[str, Order] = MappingProxyType(
    {"model_created": Order.CREATED, "model_name": Order.MODEL, "credits_deduction": Order.COST}
)
DIRECTIONS: Mapping[str, bool] = MappingProxyType({"desc": True, "asc": False})

Value = TypeVar("Value")


class RecordView(SegmindView):
    """What anyone of the team may read."""

    right = Right.VIEW


class HistoryView(RecordView):
    """GET /inference-request/request-history: every request, whatever became of it."""

    def get(self, request: Request) -> HttpResponse:
        said = request.query_params
        number, count = _whole(said, "page", 1), _whole(said, "per_page", PAGE, most=MOST)
        page = _page(self._wanted(said), number, count)
        return Response(segmind_history_answers.history(page, number, count))

    def _wanted(self, said: QueryDict) -> Wanted:
        since, until = _window(said)
        return Wanted(
            team_id=self.actor.team_id,
            since=_midnight(since),
            until=_midnight(until + timedelta(days=1)),
            models=_slugs_with(said.get("model_name", "")),
            statuses=_choice(said, "status", STATUSES, ()),
            user_id=_person(said),
            order=_choice(said, "sort_by", ORDERS, Order.CREATED),
            descending=_choice(said, "sort_order", DIRECTIONS, True),
        )


class HistoryEntryView(RecordView):
    """GET /inference-request/request-history/{id}: one request, of any age."""

    def get(self, request: Request, request_id: uuid.UUID) -> HttpResponse:
        return Response(segmind_history_answers.entry(history.of(access.generation(self.actor, request_id))))


class GenerationsView(RecordView):
    """GET /inference-request/generations: requests that have pictures."""

    def get(self, request: Request) -> HttpResponse:
        said = request.query_params
        number = _whole(said, "page", 1)
        wanted = Wanted(
            team_id=self.actor.team_id,
            since=_optional_day(said, "start_date", 0),
            until=_optional_day(said, "end_date", 1),
            models=_slug(said),
            user_id=_person(said),
            pictured=True,
        )
        return Response(segmind_history_answers.generations(_page(wanted, number, PAGE), number, PAGE))


class RecentView(RecordView):
    """GET /inference-request/recent-generations: a model's newest pictures."""

    def get(self, request: Request) -> HttpResponse:
        slugs = _slug(request.query_params)
        if not slugs:
            raise ParseError(f"model_name is required: one of {', '.join(catalogue.MODELS)}")
        wanted = Wanted(team_id=self.actor.team_id, models=slugs, pictured=True)
        return Response(segmind_history_answers.generations(_page(wanted, 1, PAGE), 1, PAGE))


class ModelsView(RecordView):
    """GET /inference-model-information/list."""

    def get(self, request: Request) -> HttpResponse:
        return Response(segmind_history_answers.models(catalogue.MODELS.values()))


class AccountView(RecordView):
    """GET /api/auth/authenticate: whose key it is, and what its team has."""

    def get(self, request: Request) -> HttpResponse:
        balance, used = ledger.balance(self.actor.team_id), queries.used(self.actor.team_id)
        return Response(segmind_history_answers.account(self.actor, queries.person(self.actor), balance, used))


def _page(wanted: Wanted, number: int, count: int) -> Page:
    if number * count > history.DEPTH:
        raise ParseError(
            f"page: {number} is too deep; pages reach {history.DEPTH:,} rows, which is {history.DEPTH // count:,} "
            f"pages of {count}: for older rows narrow the dates"
        )
    try:
        return history.page(wanted, (number - 1) * count, count)
    except history.TooMany:
        raise ParseError(
            f"sort_by: credits_deduction puts {history.SORTABLE:,} requests in order at most, and there are more; "
            "narrow the dates or name a model"
        ) from None


# --- what the query says ------------------------------------------------------------------------------------


def _whole(said: QueryDict, name: str, default: int, *, most: int | None = None) -> int:
    given = said.get(name, "")
    if not given:
        return default
    value = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    if value < 1 or (most is not None and value > most):
        allowed = f"from 1 to {most}" if most else "from 1 on"
        raise ParseError(f"{name} must be a whole number {allowed}; got {wording.shown(given)}")
    return value


def _choice(said: QueryDict, name: str, choices: Mapping[str, Value], default: Value) -> Value:
    given = said.get(name, "")
    if given and given not in choices:
        raise ParseError(f"{name} must be one of {', '.join(choices)}; got {wording.shown(given)}")
    return choices[given] if given else default


def _slugs_with(part: str) -> Sequence[str]:
    """Return the slugs that have a text in them; where none has, one that no request has."""
    return [slug for slug in catalogue.MODELS if part in slug] or [""] if part else ()


def _slug(said: QueryDict) -> tuple[str, ...]:
    given = said.get("model_name", "")
    return (_choice(said, "model_name", {slug: slug for slug in catalogue.MODELS}, ""),) if given else ()


def _day(said: QueryDict, name: str, default: Callable[[], date]) -> date:
    given = said.get(name, "")
    if not given:
        return default()
    try:
        day = datetime.strptime(given, "%Y-%m-%d").date()
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 9000:
        raise ParseError(f"{name} must be a day as YYYY-MM-DD; got {wording.shown(given)}")
    return day


def _optional_day(said: QueryDict, name: str, later: int) -> datetime | None:
    """Return the midnight with which a day begins or, `later` by one, ends; None where it is not given."""
    if not said.get(name, ""):
        return None
    return _midnight(_day(said, name, date.today) + timedelta(days=later))


def _window(said: QueryDict) -> tuple[date, date]:
    """Return the first and the last day of a history."""
    until = _day(said, "to_date", lambda: timezone.now().date())
    since = _day(said, "from_date", lambda: until - timedelta(days=USUAL_DAYS))
    if since > until:
        raise ParseError(f"from_date: {since} comes after to_date, {until}")
    if (until - since).days > MOST_DAYS:
        raise ParseError(f"from_date: {since} to {until} are more than the {MOST_DAYS} days that a history may span")
    return since, until


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _person(said: QueryDict) -> int | None:
    """Return the number of the person whose requests are wanted; 0 for nobody that is known."""
    number, email = said.get("user_id", ""), said.get("user_email", "")
    if number and email:
        raise ParseError("user_id and user_email say the same; send one of them")
    if email:
        return queries.person_called(email) or 0
    return _whole(said, "user_id", 0) or None
