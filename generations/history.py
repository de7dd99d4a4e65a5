"""A team's requests by page number, one row per picture: for clients that count pages.

Pages that are turned by a number read all rows before them, so their depth is bounded; and nothing here counts rows.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce

from generations.models import Generation, Output
from generations.models.generation import KEPT, Status

DEPTH = 10_000
"""Rows that pages reach."""

SORTABLE = 50_000
"""Requests that are put in an order that no index has."""


class Order(StrEnum):
    CREATED = "created"
    MODEL = "model"
    COST = "cost"


class TooMany(Exception):
    """More than SORTABLE requests are to be put in order of their cost."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests. since, until: the first moment, and the one after the last. models, statuses: () for any.

    pictured: only those that have pictures.
    """

    team_id: int
    since: datetime | None = None
    until: datetime | None = None
    models: Sequence[str] = ()
    statuses: Sequence[Status] = ()
    user_id: int | None = None
    pictured: bool = False
    order: Order = Order.CREATED
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A request, and one of its pictures; None where it has none."""

    generation: Generation
    output: Output | None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and whether others follow."""

    rows: Sequence[Row]
    more: bool


def page(wanted: Wanted, start: int, count: int) -> Page:
    """Return `count` rows from the row `start` (0: the first) on; four queries at most. Raises TooMany."""
    found = _found(wanted)
    if wanted.order is Order.COST and found.order_by("-created_at")[SORTABLE : SORTABLE + 1].exists():
        raise TooMany
    picked = list(_ordered(wanted, found).values_list("id", "outputs__id")[start : start + count + 1])
    return Page(_rows(picked[:count]), more=len(picked) > count)


def of(generation: Generation) -> Sequence[Row]:
    """Return the rows of one request: one at least."""
    outputs = generation.outputs.order_by("number")
    return [Row(generation, output) for output in outputs] or [Row(generation, None)]


def _found(wanted: Wanted) -> QuerySet[Generation]:
    rows = Generation.objects.filter(KEPT, team_id=wanted.team_id)
    given = {
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
        "model__in": wanted.models or None,
        "status__in": wanted.statuses or None,
        "user_id": wanted.user_id,
        "outputs__isnull": False if wanted.pictured else None,
    }
    return rows.filter(**{name: value for name, value in given.items() if value is not None})


def _ordered(wanted: Wanted, rows: QuerySet[Generation]) -> QuerySet[Generation]:
    """Put requests in order, in either direction as an index has them; a request's pictures always come as numbered."""
    if wanted.order is Order.COST:
        rows = rows.alias(paid=Coalesce(F("cost"), Value(0)))
    sign = "-" if wanted.descending else ""
    return rows.order_by(*(sign + name for name in _ORDERS[wanted.order]), "outputs__number")


_ORDERS: Mapping[Order, Sequence[str]] = MappingProxyType(
    {
        Order.CREATED: ("created_at", "id"),
        Order.MODEL: ("model", "created_at", "id"),
        Order.COST: ("paid", "created_at", "id"),
    }
)


def _rows(picked: Sequence[tuple[uuid.UUID, uuid.UUID | None]]) -> Sequence[Row]:
    """Return the rows that two lists of ids name; a request that was deleted meanwhile is left out."""
    generations = Generation.objects.in_bulk([generation_id for generation_id, _ in picked])
    outputs = Output.objects.in_bulk([output_id for _, output_id in picked if output_id])
    return [
        Row(generations[generation_id], outputs.get(output_id) if output_id else None)
        for generation_id, output_id in picked
        if generation_id in generations
    ]
