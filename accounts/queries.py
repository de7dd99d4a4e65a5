"""What pages read of accounts; each costs the rows shown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from accounts.access import Actor, Right
from accounts.models import ApiKey, Budget, Entry, Membership, Span, Subject, UsageDay, User
from accounts.models.user import normalise_email

PAGE = 50


@dataclass(frozen=True, slots=True)
class Statement:
    """Entries, newest first; `before` is the cursor of the next page, None on the last."""

    rows: list[Entry]
    before: int | None


def memberships(user: User) -> list[Membership]:
    """The user's places with their teams, by the teams' names."""
    return list(Membership.objects.filter(user=user).select_related("team").order_by("team__name", "id"))


def members(team_id: int) -> list[Membership]:
    """The people of a team, the longest in it first."""
    return list(Membership.objects.filter(team_id=team_id).select_related("user").order_by("id"))


def person(actor: Actor) -> User:
    """Who acts."""
    return User.objects.get(id=actor.user_id)


def person_called(email: str) -> int | None:
    """The number of whoever has this address, in whatever team; None where nobody has."""
    return User.objects.filter(email=normalise_email(email)).values_list("id", flat=True).first()


def keys(actor: Actor) -> QuerySet[ApiKey]:
    """The API keys that `actor` may see and revoke, newest first: their own, or every one of the team."""
    rows = ApiKey.objects.filter(team_id=actor.team_id).select_related("membership__user", "parent").order_by("-id")
    return rows if actor.may(Right.MANAGE_KEYS) else rows.filter(membership__user_id=actor.user_id)


@dataclass(frozen=True, slots=True)
class Spent:
    """Millionths of a credit in the running day or month (UTC) and their limit, None for none.

    used: what runs have cost; where there is a limit, what it has counted, open holds included.
    """

    used: int
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What one key has used."""

    day: Spent
    month: Spent


def key_spending(team_id: int, key_ids: Collection[int]) -> Mapping[int, Spending]:
    """What each of a team's keys has used this day and month, by its id; two queries, whatever the keys."""
    today = timezone.now().astimezone(UTC).date()
    usage = UsageDay.objects.filter(team_id=team_id, day__gte=today.replace(day=1), key__in=key_ids)
    sums = usage.values("key").annotate(day_cost=Sum("cost", filter=Q(day=today), default=0), month_cost=Sum("cost"))
    used = {row["key"]: (row["day_cost"], row["month_cost"]) for row in sums.order_by()}
    limits = _key_budgets(team_id, key_ids, today)

    def spending(key_id: int) -> Spending:
        day, month = used.get(key_id, (0, 0))
        return Spending(
            limits.get((str(key_id), Span.DAY), Spent(day)), limits.get((str(key_id), Span.MONTH), Spent(month))
        )

    return {key_id: spending(key_id) for key_id in key_ids}


def _key_budgets(team_id: int, key_ids: Collection[int], today: date) -> dict[tuple[str, str], Spent]:
    rows = Budget.objects.filter(team_id=team_id, kind=Subject.KEY, subject__in=[str(key_id) for key_id in key_ids])
    day, month = Q(span=Span.DAY, periods__start=today), Q(span=Span.MONTH, periods__start=today.replace(day=1))
    counted = rows.annotate(used=Sum("periods__counted", filter=day | month, default=0))
    return {
        (subject, span): Spent(used, amount)
        for subject, span, used, amount in counted.values_list("subject", "span", "used", "amount")
    }


def statement(team_id: int, *, before: int | None = None, limit: int = PAGE) -> Statement:
    """One page of a team's entries; `before` is the `before` of the page above it."""
    entries = Entry.objects.filter(team_id=team_id)
    if before is not None:
        entries = entries.filter(id__lt=before)
    rows = list(entries.order_by("-id")[: limit + 1])
    return Statement(rows[:limit], rows[limit - 1].pk if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class Used:
    """Runs and their cost (millionths) of one day and image model."""

    day: date
    model: str
    runs: int
    cost: int


def usage(team_id: int, since: date, until: date) -> list[Used]:
    """A team's usage by day and image model, both days included, oldest first."""
    days = UsageDay.objects.filter(team_id=team_id, day__range=(since, until))
    totals = days.values_list("day", "model").annotate(Sum("runs"), Sum("cost")).order_by("day", "model")
    return [Used(*row) for row in totals]


def runs(team_id: int) -> dict[str, int]:
    """A team's successful runs, all it ever had, by image model."""
    return dict(UsageDay.objects.filter(team_id=team_id).values_list("model").annotate(Sum("runs")))


def used(team_id: int) -> int:
    """What a team's runs ever cost, in millionths of a credit."""
    return UsageDay.objects.filter(team_id=team_id).aggregate(Sum("cost"))["cost__sum"] or 0
