"""/api/ledger: the statement of the team's credits, as JSON and as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts import statement
from accounts.access import Right
from accounts.ledger import Amounts
from accounts.models import Entry, Kind, User
from generations.api import filters, pagination, portal_answers, portal_csv
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.pagination import Asked, Cursor, Page
from generations.api.portal import PortalView

FILTERS = {"kind": filters.one_of(Kind.values), "from": filters.day, "to": filters.day}
CHUNK = 1000
"""Entries that a CSV reads at a time."""

HEAD = (
    "created_at_utc",
    "kind",
    "model",
    "reference",
    "posted_credits",
    "held_credits",
    "balance_posted_credits",
    "balance_held_credits",
    "balance_available_credits",
    "member_id",
    "member",
    "note",
)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry, the balance after it, where that is known, and who caused it, where they are still there."""

    entry: Entry
    after: Amounts | None
    user: User | None


class LedgerView(PortalView):
    """GET /api/ledger: ?from and ?to are days in UTC, both included.

    With ?kind there are no balances: what lies between the entries is not looked at.
    """

    rights = {"GET": Right.SEE_LEDGER}
    schema = Described(
        get=schemas.tabular(
            "listEntries",
            "The statement of credits, newest first, with the balance after each entry",
            schemas.paged(schemas.ENTRY),
            FILTERS,
            pagination.PARAMETERS,
            description="As CSV it is everything from the page asked for to the oldest, and `limit` says nothing.",
        )
    )

    def get(self, request: Request) -> HttpResponseBase:
        values = filters.read(request, FILTERS, portal_csv.PARAMETERS, pagination.PARAMETERS)
        asked = pagination.read(values, (int,))
        if asked.cursor and len(asked.cursor.carried) != (0 if "kind" in values else 2):
            raise ParseError("cursor: it is of a list with another kind; take it from next or previous as it is")
        if portal_csv.is_asked(request, values):
            return portal_csv.answer("ledger", HEAD, self._lines(values, asked))
        return pagination.answer(request, self._page(values, asked), _show, cursor=_cursor)

    def _page(self, values: dict[str, Any], asked: Asked) -> Page[Line]:
        """Return a page with its balances; two queries."""
        until, kind = values.get("to"), values.get("kind")
        rows = statement.entries(self.actor.team_id, kind=kind, since=values.get("from"), until=until)
        if not kind and not asked.cursor:
            rows = statement.with_closing(rows, self.actor.team_id, until)
        found = pagination.page(rows, asked, statement.ORDER)
        afters = [None] * len(found.rows) if kind else statement.balances(found.rows, _newest(found.rows, asked))
        users = User.objects.in_bulk({row.user_id for row in found.rows if row.user_id})
        lines = [Line(row, after, users.get(row.user_id or 0)) for row, after in zip(found.rows, afters, strict=True)]
        return Page(lines, found.has_older, found.has_newer)

    def _lines(self, values: dict[str, Any], asked: Asked) -> Iterator[list[Any]]:
        """Yield every entry from the page on that was asked for, a chunk at a time."""
        cursor = asked.cursor
        while True:
            found = self._page(values, Asked(CHUNK, cursor))
            yield from (_line(line) for line in found.rows)
            if not found.has_older:
                return
            cursor = _cursor(found.rows[-1], False)


def _newest(rows: Sequence[Entry], asked: Asked) -> Amounts:
    """Return the balance after the newest entry of a page: as the cursor has it, else as the entries carry it."""
    if not rows:
        return Amounts(0, 0)
    if asked.cursor is None:
        closing: Any = rows[0]
        return Amounts(closing.closing_posted, closing.closing_held)
    carried = Amounts(*asked.cursor.carried)
    return statement.after_all(rows, carried) if asked.newer else carried


def _cursor(line: Line, newer: bool) -> Cursor:
    """Carry the balance at the edge: after the newest entry of this page, or before its oldest."""
    place = pagination.place(line.entry, statement.ORDER)
    if line.after is None:
        return Cursor(place, newer)
    edge = line.after if newer else statement.before(line.entry, line.after)
    return Cursor(place, newer, (edge.posted, edge.held))


def _show(line: Line) -> portal_answers.Json:
    entry, after = line.entry, line.after
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "created_at": portal_answers.moment(entry.created_at),
        "model": entry.model or None,
        "reference": str(entry.reference),
        "posted": portal_answers.credits(entry.posted),
        "held": portal_answers.credits(entry.held),
        "balance": after and portal_answers.balance(after),
        "member": portal_answers.member(line.user),
        "note": entry.note or None,
    }


def _line(line: Line) -> list[Any]:
    entry, after = line.entry, line.after
    amounts = [after.posted, after.held, after.available] if after else [None] * 3
    return [
        portal_answers.moment(entry.created_at),
        entry.kind,
        entry.model,
        str(entry.reference),
        *(portal_answers.exact(amount) for amount in (entry.posted, entry.held, *amounts)),
        entry.user_id,
        str(line.user) if line.user else None,
        entry.note,
    ]
