"""A team's statement: its entries, newest first, and the balance after each."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.ledger import Amounts
from accounts.models import Balance, Entry

ORDER = ("id",)
"""Of the entries: as they were booked."""


def entries(
    team_id: int, *, kind: str | None = None, since: date | None = None, until: date | None = None
) -> QuerySet[Entry]:
    """The entries of a kind and of some days (UTC), the first and the last included; None for all."""
    rows = Entry.objects.filter(team_id=team_id)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if since is not None:
        rows = rows.filter(created_at__gte=_midnight(since))
    return rows if until is None else rows.filter(created_at__lt=_midnight(until + timedelta(days=1)))


def with_closing(rows: QuerySet[Entry], team_id: int, until: date | None) -> QuerySet[Entry]:
    """Let each entry carry `closing_posted` and `closing_held`: the balance at the end of `until`, or now.

    In the statement that reads the entries, or one that is booked meanwhile would make them differ.
    """
    balance = Balance.objects.filter(team_id=team_id)
    now = {column: Subquery(balance.values(column)) for column in ("posted", "held")}
    if until is None:
        return rows.annotate(closing_posted=now["posted"], closing_held=now["held"])
    later = Entry.objects.filter(team_id=team_id, created_at__gte=_midnight(until + timedelta(days=1)))
    since = {
        column: Coalesce(Subquery(later.order_by().values("team_id").annotate(sum=Sum(column)).values("sum")), 0)
        for column in ("posted", "held")
    }
    return rows.annotate(
        closing_posted=now["posted"] - since["posted"],
        closing_held=now["held"] - since["held"],
    )


def balances(rows: Sequence[Entry], newest: Amounts) -> list[Amounts]:
    """The balance after each entry, newest first and with none left out, from the balance after the newest."""
    found, after = [], newest
    for row in rows:
        found.append(after)
        after = before(row, after)
    return found


def before(row: Entry, after: Amounts) -> Amounts:
    """The balance before an entry."""
    return Amounts(after.posted - row.posted, after.held - row.held)


def after_all(rows: Sequence[Entry], start: Amounts) -> Amounts:
    """The balance after entries that followed on `start`."""
    return Amounts(start.posted + sum(row.posted for row in rows), start.held + sum(row.held for row in rows))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
