"""Budgets: set, counted within holds, and moved by their ends. Amounts are millionths of a credit.

A hold counts in the running period of every budget that applies to it, and its entry says in which: there its end gives
back what it did not cost, however much later that is. Everything here happens under the lock of the team's balance row,
which a hold takes first, so that one hold of a team counts at a time and periods are never locked in two orders.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from accounts import key_cache
from accounts.credits import LIMIT, format_credits
from accounts.models import ApiKey, Balance, Budget, BudgetPeriod, Membership, Span, Subject, Team, UsageDay
from accounts.statements.terms import Hold

COUNT = """
INSERT INTO accounts_budgetperiod AS period (budget_id, start, opening, counted)
VALUES (%(budget_id)s, %(start)s, 0, %(amount)s)
ON CONFLICT (budget_id, start) DO UPDATE SET counted = period.counted + EXCLUDED.counted
WHERE period.counted + EXCLUDED.counted <= %(most)s
RETURNING id
"""


class OverBudget(Exception):
    """A hold of `required` would take a budget above its `limit`, of which `used` is used or held."""

    def __init__(self, budget: Budget, used: int, required: int, resets_at: datetime) -> None:
        self.limit, self.used, self.required, self.resets_at = budget.amount, used, required, resets_at
        super().__init__(
            f"the {Span(budget.span).label.lower()} budget of {_name(budget)} is {format_credits(self.limit)} credits:"
            f" {format_credits(used)} are used or held, {format_credits(required)} required;"
            f" it resets at {resets_at:%Y-%m-%dT%H:%M:%SZ}"
        )


# --- periods ------------------------------------------------------------------------------------------------


def start_of(span: str, day: date) -> date:
    """Return the first day of the span that `day` lies in."""
    if span == Span.DAY:
        return day
    return day - timedelta(days=day.weekday()) if span == Span.WEEK else day.replace(day=1)


def resets_at(span: str, day: date) -> datetime:
    """Return when the span that `day` lies in is over."""
    longest = {Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 31}[Span(span)]
    after = start_of(span, start_of(span, day) + timedelta(days=longest))
    return datetime.combine(after, time(), UTC)


def today() -> date:
    return timezone.now().astimezone(UTC).date()


# --- set ----------------------------------------------------------------------------------------------------


@transaction.atomic
def put(
    team_id: int, kind: Subject, subject: str, span: Span, amount: int | None, *, is_hard: bool = True
) -> Budget | None:
    """Set a budget, or take it away where `amount` is None; in force within two seconds in every process.

    A new one begins with what its subject has used of the running period; holds that are open then are not in it. One
    that is changed goes on counting where it was.
    """
    if amount is not None and not 0 < amount < LIMIT:
        raise ValueError(
            f"amount: {format_credits(amount)}; credits above 0 and below {format_credits(LIMIT)} are allowed"
        )
    lock(team_id)
    same = Budget.objects.filter(team_id=team_id, kind=kind, subject=subject, span=span)
    if amount is None:
        same.delete()
        budget = None
    elif same.update(amount=amount, is_hard=is_hard):
        budget = same.get()
    else:
        budget = Budget.objects.create(
            team_id=team_id, kind=kind, subject=subject, span=span, amount=amount, is_hard=is_hard
        )
        _open(budget)
    _mark(team_id, kind, subject)
    return budget


def lock(team_id: int) -> None:
    """Let nobody else hold or set a budget of the team until the transaction ends.

    Take it before rows of keys: a hold, which has it, waits for the key's row.
    """
    Balance.objects.get_or_create(team_id=team_id)
    Balance.objects.select_for_update().get(team_id=team_id)


def forget(keys: Collection[ApiKey]) -> None:
    """Remove the budgets of keys of one team that are about to be deleted."""
    for key in keys:
        lock(key.team_id)
        Budget.objects.filter(team_id=key.team_id, kind=Subject.KEY, subject=str(key.pk)).delete()


def _open(budget: Budget) -> None:
    """Begin the running period with what was used in it before."""
    start = start_of(budget.span, today())
    days = UsageDay.objects.filter(team_id=budget.team_id, day__gte=start)
    if budget.kind != Subject.TEAM:
        days = days.filter(**{str(budget.kind): budget.subject})
    used = days.aggregate(used=Sum("cost"))["used"] or 0
    if used:
        BudgetPeriod.objects.create(budget=budget, start=start, opening=used, counted=used)


def _mark(team_id: int, kind: Subject, subject: str) -> None:
    """Keep `has_budgets` true of those to whom budgets apply."""
    budgets = Budget.objects.filter(team_id=team_id)
    if kind != Subject.KEY:
        Team.objects.filter(pk=team_id).update(has_budgets=budgets.exclude(kind=Subject.KEY).exists())
        key_cache.clear()
        return
    of_keys = set(budgets.filter(kind=Subject.KEY).values_list("subject", flat=True))
    for key in ApiKey.objects.filter(Q(pk=subject) | Q(parent_id=subject), team_id=team_id):
        key.has_budgets = not of_keys.isdisjoint({str(key.pk), str(key.parent_id)})
        key.save(update_fields=["has_budgets"])
        key_cache.forget(key.digest)


# --- counted ------------------------------------------------------------------------------------------------


def count(terms: Hold) -> list[int]:
    """Count a hold, whose balance row is locked, in every budget that applies; return the ids of the periods.

    Raise OverBudget at the first hard one that it does not fit in; then the transaction has to roll back.
    """
    day = today()
    return [_count(budget, terms.amount, day) for budget in _applying(terms)]


def _applying(terms: Hold) -> QuerySet[Budget]:
    subject = (
        Q(kind=Subject.TEAM)
        | Q(kind=Subject.MEMBER, subject=str(terms.user_id))
        | Q(kind=Subject.MODEL, subject=terms.model)
        | Q(kind=Subject.KEY, subject__in=_keys(terms.key_id))
    )
    return Budget.objects.filter(subject, team_id=terms.team_id).order_by("id")


def _keys(key_id: int | None) -> list[str]:
    """Return a key's id and its parent's."""
    if key_id is None:
        return []
    parent = ApiKey.objects.filter(pk=key_id).values_list("parent_id", flat=True).first()
    return [str(key_id), *([str(parent)] if parent else [])]


def _count(budget: Budget, amount: int, day: date) -> int:
    """A new period is inserted without the statement's condition, so that an amount above all is seen to first."""
    start = start_of(budget.span, day)
    most = budget.amount if budget.is_hard else LIMIT
    values = {"budget_id": budget.pk, "start": start.isoformat(), "amount": amount, "most": most}
    rows = _execute(COUNT, values) if amount <= most else []
    if not rows:
        period = BudgetPeriod.objects.filter(budget=budget, start=start).first()
        raise OverBudget(budget, period.counted if period else 0, amount, resets_at(budget.span, day))
    return int(rows[0][0])


def _execute(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def give_back(periods: Sequence[int], amount: int) -> None:
    """Take what an ended hold did not cost out of the periods that it counted in."""
    if periods and amount:
        BudgetPeriod.objects.filter(pk__in=periods).update(counted=F("counted") - amount)


def _name(budget: Budget) -> str:
    """What people call the subject; costs a query."""
    if budget.kind == Subject.KEY:
        name = ApiKey.objects.filter(pk=budget.subject).values_list("name", flat=True).first()
        return f"the key “{name}”"
    if budget.kind == Subject.MEMBER:
        place = Membership.objects.select_related("user").filter(team_id=budget.team_id, user_id=budget.subject).first()
        return str(place.user) if place else "a member"
    return "the team" if budget.kind == Subject.TEAM else str(budget.subject)
