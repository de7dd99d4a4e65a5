"""/api/usage: what the team used by day, model, member and key, as JSON and as CSV."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import usage
from accounts.access import Right
from accounts.usage import GROUPS, Names, Used
from generations.api import filters, portal_answers, portal_csv
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.portal import PortalView

DAYS = 30
LONGEST = 366
MOST = 50_000
"""Rows of an answer."""

FILTERS = {"from": filters.day, "to": filters.day, "group_by": filters.several_of(GROUPS)}


class UsageView(PortalView):
    """GET /api/usage: ?from and ?to are days in UTC, both included; the last 30 without."""

    rights = {"GET": Right.SEE_LEDGER}
    schema = Described(
        get=schemas.tabular(
            "getUsage",
            "What was used, by day, model, member and key",
            schemas.USAGE,
            FILTERS,
            description="Days are in UTC; the last 30 without `from` and `to`, and 366 at most.",
        )
    )

    def get(self, request: Request) -> HttpResponseBase:
        values = filters.read(request, FILTERS, portal_csv.PARAMETERS)
        since, until = _days(values)
        groups = values.get("group_by", ["day", "model"])
        rows = usage.of_days(self.actor.team_id, since, until, groups, MOST + 1)
        if len(rows) > MOST:
            raise ParseError(f"from, to, group_by: these are over {MOST} rows; ask for fewer days or groups")
        names = usage.names(self.actor.team_id, rows)
        if portal_csv.is_asked(request, values):
            return portal_csv.answer(f"usage-{since}-{until}", _head(groups), _lines(rows, names))
        body = {
            "from": str(since),
            "to": str(until),
            "time_zone": "UTC",
            "group_by": groups,
            "total": _figures(usage.total(rows)),
            "results": [{**_group(row, names), **_figures(row)} for row in rows],
        }
        return Response(body)


def _days(values: dict[str, Any]) -> tuple[date, date]:
    """Return the first and the last day. Raises ParseError."""
    until: date = values.get("to") or timezone.now().astimezone(UTC).date()
    since: date = values.get("from") or until - timedelta(days=DAYS - 1)
    if since > until:
        raise ParseError(f"from: {since}; a day up to the one in `to`, {until}, is allowed")
    if (until - since).days >= LONGEST:
        raise ParseError(f"from: {since}; at most {LONGEST} days up to the one in `to`, {until}, are allowed")
    return since, until


def _figures(row: Used) -> dict[str, Any]:
    return {"runs": row.runs, "cost": portal_answers.credits(row.cost)}


def _group(row: Used, names: Names) -> dict[str, Any]:
    """Return what a row is the usage of; a member or key that is gone by its id alone."""
    shown = dict(row.group)
    if "day" in shown:
        shown["day"] = str(shown["day"])
    if number := shown.get("member"):
        shown["member"] = portal_answers.member(names.members.get(number)) or {"id": number, "name": None}
    if number := shown.get("key"):
        gone = {"id": number, "name": None, "prefix": None}
        shown["key"] = portal_answers.key(names.keys.get(number)) or gone
    return {name: value or None for name, value in shown.items()}


def _head(groups: Sequence[str]) -> list[str]:
    """Return the columns: a member and a key by id and by name."""
    named = {"day": ["day_utc"], "member": ["member_id", "member"], "key": ["key_id", "key"]}
    return [column for group in groups for column in named.get(group, [group])] + ["runs", "cost_credits"]


def _lines(rows: Sequence[Used], names: Names) -> Iterator[list[Any]]:
    for row in rows:
        cells: list[Any] = []
        for name, value in _group(row, names).items():
            if name in ("member", "key"):
                cells += [value["id"], value["name"]] if value else ["", ""]
            else:
                cells.append(value)
        yield [*cells, row.runs, portal_answers.exact(row.cost)]
