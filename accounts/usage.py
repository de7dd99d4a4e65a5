"""What a team used, from the rows of its days; it costs the rows of the days asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Sum

from accounts.models import ApiKey, UsageDay, User

GROUPS = ("day", "model", "member", "key")
"""What usage can be told apart by."""


@dataclass(frozen=True, slots=True)
class Used:
    """Runs and their cost (millionths). group: those of GROUPS that were asked for, by name; member and key are ids,
    0 for none."""

    group: dict[str, Any]
    runs: int
    cost: int


@dataclass(frozen=True, slots=True)
class Names:
    """Who the ids of usage are: those that are still there."""

    members: dict[int, User] = field(default_factory=dict)
    keys: dict[int, ApiKey] = field(default_factory=dict)


def of_days(team_id: int, since: date, until: date, groups: Sequence[str], most: int) -> list[Used]:
    """The usage of some days (UTC), both included, by `groups` and in their order; `most` rows at most."""
    assert set(groups) <= set(GROUPS)
    rows = UsageDay.objects.filter(team_id=team_id, day__range=(since, until))
    if not groups:
        sums = rows.aggregate(runs=Sum("runs", default=0), cost=Sum("cost", default=0))
        return [Used({}, sums["runs"], sums["cost"])]
    totals = rows.values(*groups).annotate(all_runs=Sum("runs"), all_cost=Sum("cost")).order_by(*groups)
    return [Used({name: row[name] for name in groups}, row["all_runs"], row["all_cost"]) for row in totals[:most]]


def total(rows: Sequence[Used]) -> Used:
    return Used({}, sum(row.runs for row in rows), sum(row.cost for row in rows))


def names(team_id: int, rows: Sequence[Used]) -> Names:
    """Who the members and keys of `rows` are; two queries at most."""
    members = {row.group["member"] for row in rows if row.group.get("member")}
    keys = {row.group["key"] for row in rows if row.group.get("key")}
    return Names(
        User.objects.in_bulk(members) if members else {},
        ApiKey.objects.filter(team_id=team_id).in_bulk(keys) if keys else {},
    )
