"""Whether the books balance: every figure kept is compared with the entries that it was moved by."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import ApiKey, Balance, Budget, BudgetPeriod, Entry, Kind, Subject, Team, UsageDay

_ENDS = (Kind.SETTLE, Kind.RELEASE)


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` does not hold of `subject`: `expected` by the entries, `found` in the books. Amounts in millionths."""

    what: str
    subject: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.what}: {self.subject}: expected {self.expected}, found {self.found}"


def check() -> list[Difference]:
    """Everything in which the books do not balance, as of one moment. Reads every entry, so it takes its time."""
    with _snapshot():
        return [*_balances(), *_signs(), *_ends(), *_usage(), *_budgets(), *_marks()]


@contextmanager
def _snapshot() -> Iterator[None]:
    """One view of all tables while the check reads, so that moving traffic is no difference."""
    is_outermost = not connection.in_atomic_block
    if is_outermost and connection.vendor == "sqlite":
        with _deferred():
            yield
        return
    with transaction.atomic():
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@contextmanager
def _deferred() -> Iterator[None]:
    """A transaction that only reads: Django's own begins by locking out whoever writes."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _balances() -> list[Difference]:
    """Each balance row is the sum of its team's entries."""
    sums = Entry.objects.order_by().values_list("team_id").annotate(Sum("posted"), Sum("held"))
    expected = {team_id: (posted, held) for team_id, posted, held in sums}
    found = {team: (posted, held) for team, posted, held in Balance.objects.values_list("team_id", "posted", "held")}
    return _compare("balance (posted, held)", "team {}", expected, found, (0, 0))


def _signs() -> list[Difference]:
    """No team has less than nothing, held or available."""
    wrong = Balance.objects.filter(Q(held__lt=0) | Q(posted__lt=F("held")))
    rows = wrong.values_list("team_id", "posted", "held")
    return [Difference("held and available", f"team {row[0]}", "0 or above", row[1:]) for row in rows]


def _ends() -> list[Difference]:
    """Each hold ends at most once, by giving back all that it held and taking no more than that."""
    is_end = Q(kind__in=_ENDS)
    groups = (
        Entry.objects.filter(is_end | Q(kind=Kind.HOLD))
        .order_by()
        .values("reference")
        .annotate(
            holds=Count("id", filter=Q(kind=Kind.HOLD)),
            ends=Count("id", filter=is_end),
            amount=Coalesce(Sum("held", filter=Q(kind=Kind.HOLD)), 0),
            returned=Coalesce(-Sum("held", filter=is_end), 0),
            cost=Coalesce(-Sum("posted", filter=is_end), 0),
        )
    )
    wrong = groups.exclude(holds=1, ends=0).exclude(
        holds=1, ends=1, returned=F("amount"), cost__lte=F("amount"), cost__gte=0
    )
    return [
        Difference(
            "hold and its end",
            f"reference {row['reference']}",
            "one hold, at most one end, all returned, a cost within it",
            {name: row[name] for name in ("holds", "ends", "amount", "returned", "cost")},
        )
        for row in wrong
    ]


def _usage() -> list[Difference]:
    """The daily usage of each team, image model and member is what their settled runs are."""
    member = Coalesce(F("user_id"), 0)
    settled = Entry.objects.filter(kind=Kind.SETTLE).order_by()
    runs = settled.values_list("team_id", "model", member).annotate(runs=Count("id"), cost=-Sum("posted"))
    days = UsageDay.objects.order_by().values_list("team_id", "model", "member").annotate(Sum("runs"), Sum("cost"))
    expected = {row[:3]: row[3:] for row in runs}
    found = {row[:3]: row[3:] for row in days}
    return _compare("usage (runs, cost)", "(team, model, member) {}", expected, found, (0, 0))


def _budgets() -> list[Difference]:
    """Each period of a budget has counted what it began with, what the open holds in it hold, and what the others cost.

    An end's `held` takes back what its hold had counted, and its `posted` is what the run has cost, below 0.
    """
    expected: Counter[int] = Counter()
    holds = Entry.objects.filter(kind=Kind.HOLD, periods__isnull=False)
    ends = Entry.objects.filter(kind__in=_ENDS, reference__in=holds.values("reference"))
    in_periods = holds.filter(reference=OuterRef("reference")).values("periods")
    for entries in (holds, ends.annotate(of_hold=Subquery(in_periods))):
        column = "periods" if entries is holds else "of_hold"
        sums = entries.order_by().values_list(column).annotate(Sum("held"), Sum("posted"))
        for periods, held, posted in sums:
            expected.update(dict.fromkeys(periods, held - posted))
    rows = BudgetPeriod.objects.values_list("id", "opening", "counted")
    return [
        Difference("counted in a budget", f"period {period_id}", opening + expected[period_id], counted)
        for period_id, opening, counted in rows
        if opening + expected[period_id] != counted
    ]


def _marks() -> list[Difference]:
    """Whoever a budget applies to is marked so, or their holds would pass it by."""
    budgets = Budget.objects.order_by("id").values_list("id", "team_id", "kind", "subject")
    of_keys = {subject: budget_id for budget_id, _, kind, subject in budgets if kind == Subject.KEY}
    unmarked = ApiKey.objects.filter(Q(pk__in=of_keys) | Q(parent_id__in=of_keys), has_budgets=False)
    teams = {team_id for _, team_id, kind, _ in budgets if kind != Subject.KEY}
    return [
        *(Difference("has budgets", f"key {key_id}", True, False) for key_id in unmarked.values_list("id", flat=True)),
        *(
            Difference("has budgets", f"team {team_id}", True, False)
            for team_id in Team.objects.filter(pk__in=teams, has_budgets=False).values_list("id", flat=True)
        ),
    ]


def _compare(
    what: str, subject: str, expected: dict[Any, Any], found: dict[Any, Any], nothing: object
) -> list[Difference]:
    return [
        Difference(what, subject.format(key), expected.get(key, nothing), found.get(key, nothing))
        for key in sorted({*expected, *found})
        if expected.get(key, nothing) != found.get(key, nothing)
    ]
