"""What pages read of accounts; each costs the rows shown."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet, Sum

from accounts.access import Actor, Right
from accounts.models import ApiKey, Entry, Membership, UsageDay, User
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
    rows = ApiKey.objects.filter(team_id=actor.team_id).select_related("membership__user").order_by("-id")
    return rows if actor.may(Right.MANAGE_KEYS) else rows.filter(membership__user_id=actor.user_id)


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


def used(team_id: int) -> int:
    """What a team's runs ever cost, in millionths of a credit."""
    return UsageDay.objects.filter(team_id=team_id).aggregate(Sum("cost"))["cost__sum"] or 0
