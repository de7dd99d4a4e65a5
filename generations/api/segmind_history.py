"""The Segmind dialect's record: what a team asked for, what came of it, and what there is to ask.

Pages are turned by number here, as the dialect's clients do it, and reach history.DEPTH rows; older ones are found
with a narrower window.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import ledger, queries
from accounts.access import Right
from generations import access, catalogue, history
from generations.api import filters, segmind_history_answers, segmind_history_schema
from generations.api.segmind import SegmindView
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

PAGES = {"page": filters.whole(1)}
PERSON = {"user_id": filters.whole(1), "user_email": filters.text(254)}
HISTORY = {
    **PAGES,
    **PERSON,
    "per_page": filters.whole(1, MOST),
    "from_date": filters.day,
    "to_date": filters.day,
    "model_name": filters.text(40),
    "status": filters.one_of(STATUSES),
    "sort_by": filters.one_of(ORDERS),
    "sort_order": filters.one_of(DIRECTIONS),
}
GENERATIONS = {
    **PAGES,
    "user_id": PERSON["user_id"],
    "start_date": filters.day,
    "end_date": filters.day,
    "model_name": filters.one_of(catalogue.MODELS),
}
RECENT = {"model_name": GENERATIONS["model_name"]}


class RecordView(SegmindView):
    """What anyone of the team may read. Names that a query has beside the known ones are left alone, as in bodies."""

    rights = {"GET": Right.VIEW}


class HistoryView(RecordView):
    """GET /inference-request/request-history: every request, whatever became of it."""

    schema = segmind_history_schema.HISTORY

    def get(self, request: Request) -> HttpResponse:
        said = filters.read(request, HISTORY, unknown="ignore")
        number, count = said.get("page", 1), said.get("per_page", PAGE)
        return Response(segmind_history_answers.history(_page(self._wanted(said), number, count), number, count))

    def _wanted(self, said: Mapping[str, Any]) -> Wanted:
        since, until = _window(said)
        return Wanted(
            team_id=self.actor.team_id,
            since=_midnight(since),
            until=_midnight(until + timedelta(days=1)),
            models=_slugs_with(said.get("model_name", "")),
            statuses=STATUSES[said["status"]] if "status" in said else (),
            user_id=_person(said),
            order=ORDERS[said.get("sort_by", "model_created")],
            descending=DIRECTIONS[said.get("sort_order", "desc")],
        )


class HistoryEntryView(RecordView):
    """GET /inference-request/request-history/{id}: one request, of any age."""

    schema = segmind_history_schema.ENTRY

    def get(self, request: Request, request_id: uuid.UUID) -> HttpResponse:
        return Response(segmind_history_answers.entry(history.of(access.generation(self.actor, request_id))))


class GenerationsView(RecordView):
    """GET /inference-request/generations: requests that have pictures."""

    schema = segmind_history_schema.GENERATIONS

    def get(self, request: Request) -> HttpResponse:
        said = filters.read(request, GENERATIONS, unknown="ignore")
        number = said.get("page", 1)
        wanted = Wanted(
            team_id=self.actor.team_id,
            since=_midnight(said["start_date"]) if "start_date" in said else None,
            until=_midnight(said["end_date"] + timedelta(days=1)) if "end_date" in said else None,
            models=[said["model_name"]] if "model_name" in said else (),
            user_id=said.get("user_id"),
            pictured=True,
        )
        return Response(segmind_history_answers.generations(_page(wanted, number, PAGE), number, PAGE))


class RecentView(RecordView):
    """GET /inference-request/recent-generations: a model's newest pictures."""

    schema = segmind_history_schema.RECENT

    def get(self, request: Request) -> HttpResponse:
        said = filters.read(request, RECENT, unknown="ignore")
        if "model_name" not in said:
            raise ParseError(f"model_name is required: one of {', '.join(catalogue.MODELS)}")
        wanted = Wanted(team_id=self.actor.team_id, models=[said["model_name"]], pictured=True)
        return Response(segmind_history_answers.generations(_page(wanted, 1, PAGE), 1, PAGE))


class ModelsView(RecordView):
    """GET /inference-model-information/list."""

    schema = segmind_history_schema.MODELS

    def get(self, request: Request) -> HttpResponse:
        return Response(segmind_history_answers.models(catalogue.MODELS.values()))


class AccountView(RecordView):
    """GET /api/auth/authenticate: whose key it is, and what its team has."""

    schema = segmind_history_schema.ACCOUNT

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


def _window(said: Mapping[str, Any]) -> tuple[date, date]:
    """Return the first and the last day of a history."""
    until: date = said.get("to_date", timezone.now().date())
    since: date = said.get("from_date", until - timedelta(days=USUAL_DAYS))
    if since > until:
        raise ParseError(f"from_date: {since} comes after to_date, {until}")
    if (until - since).days > MOST_DAYS:
        raise ParseError(f"from_date: {since} to {until} are more than the {MOST_DAYS} days that a history may span")
    return since, until


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _slugs_with(part: str) -> Sequence[str]:
    """Return the slugs that have a text in them; where none has, one that no request has."""
    return [slug for slug in catalogue.MODELS if part in slug] or [""] if part else ()


def _person(said: Mapping[str, Any]) -> int | None:
    """Return the number of the person whose requests are wanted; 0 for nobody that is known."""
    if "user_id" in said and "user_email" in said:
        raise ParseError("user_id and user_email say the same; send one of them")
    if "user_email" in said:
        return queries.person_called(said["user_email"]) or 0
    return said.get("user_id")
