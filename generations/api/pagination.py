"""Lists in pages by keyset: a page begins beyond a row, so that what comes in meanwhile moves nothing.

`{"next", "previous", "results"}`, newest first, with absolute URLs. A cursor is signed: nobody has to check what is in
it but `read`, and a list may carry figures of its own from page to page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from generations.api import filters

LIMIT = 50
MOST = 100
PARAMETERS: Mapping[str, filters.Parse] = {"limit": filters.whole(1, MOST), "cursor": filters.text(4000)}
"""What every list takes besides its own filters."""

NEWEST = ("created_at", "id")
"""The order of most lists; the last column tells rows of one moment apart."""

_SALT = "sceneshift.cursor"

Row = TypeVar("Row")
Table = TypeVar("Table", bound=Model)
Place = tuple[Any, ...]
"""A row's values of the columns that a list is in order of."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Beyond which row a page begins, and whether it goes towards the newer ones. carried: a list's own figures."""

    place: Place
    newer: bool = False
    carried: Sequence[int] = ()

    def write(self) -> str:
        plain = [value.isoformat() if isinstance(value, datetime) else value for value in self.place]
        plain = [value if isinstance(value, int | str) else str(value) for value in plain]
        return signing.dumps([plain, int(self.newer), list(self.carried)], salt=_SALT)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page a request wants."""

    limit: int = LIMIT
    cursor: Cursor | None = None

    @property
    def newer(self) -> bool:
        return self.cursor is not None and self.cursor.newer


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, newest first, and whether there are more on either side."""

    rows: Sequence[Row]
    has_older: bool
    has_newer: bool


def read(values: Mapping[str, Any], types: Sequence[Callable[[Any], Any]]) -> Asked:
    """Return which page the query's values, as filters.read gave them, ask for; `types` make a place's values again.

    Raises ParseError on a cursor that is not one of ours.
    """
    return Asked(values.get("limit", LIMIT), _cursor(values.get("cursor", ""), types))


def _cursor(text: str, types: Sequence[Callable[[Any], Any]]) -> Cursor | None:
    if not text:
        return None
    try:
        plain, newer, carried = signing.loads(text, salt=_SALT)
        place = tuple(make(value) for make, value in zip(types, plain, strict=True))
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise ParseError("cursor: it is none of this list; take it from next or previous as it is") from error
    return Cursor(place, bool(newer), carried)


def page(rows: QuerySet[Table], asked: Asked, order: Sequence[str] = NEWEST) -> Page[Table]:
    """Return a page of rows in the order, which is unique, of two columns or one. One query."""
    if asked.cursor:
        rows = _beyond(rows, asked.cursor, order)
    sorted_ = rows.order_by(*order) if asked.newer else rows.order_by(*(f"-{column}" for column in order))
    return cut(list(sorted_[: asked.limit + 1]), asked)


def cut(found: Sequence[Row], asked: Asked) -> Page[Row]:
    """Return the page of what was found beyond the cursor, nearest first, one row more than fits in it."""
    shown, has_more = found[: asked.limit], len(found) > asked.limit
    came_from = asked.cursor is not None and bool(shown)
    if asked.newer:
        return Page(shown[::-1], has_older=came_from, has_newer=has_more)
    return Page(shown, has_older=has_more, has_newer=came_from)


def _beyond(rows: QuerySet[Table], cursor: Cursor, order: Sequence[str]) -> QuerySet[Table]:
    """Narrow to what lies beyond a place. Of two columns the first condition is implied by the second; with it alone
    the index finds its place."""
    than = "gt" if cursor.newer else "lt"
    first, *rest = order
    if not rest:
        return rows.filter(**{f"{first}__{than}": cursor.place[0]})
    (second,) = rest
    further = Q(**{f"{first}__{than}": cursor.place[0]}) | Q(**{f"{second}__{than}": cursor.place[1]})
    return rows.filter(**{f"{first}__{than}e": cursor.place[0]}).filter(further)


def place(row: Any, order: Sequence[str] = NEWEST) -> Place:
    """Return where a row stands."""
    return tuple(getattr(row, column) for column in order)


def answer(
    request: Request,
    found: Page[Row],
    show: Callable[[Row], Any],
    *,
    cursor: Callable[[Row, bool], Cursor] = lambda row, newer: Cursor(place(row), newer),
) -> Response:
    """Return a page as JSON; `cursor` makes that of the page beyond a row, towards the newer or the older."""
    body = {
        "next": _url(request, cursor(found.rows[-1], False)) if found.has_older else None,
        "previous": _url(request, cursor(found.rows[0], True)) if found.has_newer else None,
        "results": [show(row) for row in found.rows],
    }
    return Response(body)


def _url(request: Request, cursor: Cursor) -> str:
    given = {name: value for name, value in request.query_params.items() if name != "cursor"}
    return f"{settings.PUBLIC_URL}{request.path}?{urlencode({**given, 'cursor': cursor.write()})}"
