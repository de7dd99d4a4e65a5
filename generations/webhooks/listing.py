"""Deliveries as pages and resources list them: a constant number of queries, whatever the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from generations.models import Delivery, DeliveryAttempt

PAGE = 50


def shown() -> Q:
    """Return which deliveries are shown: not those of a generation that was removed."""
    return Q(generation=None) | Q(generation__removed_at=None)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first; `before` is the cursor of the page after them, None on the last."""

    rows: Sequence[Delivery]
    before: int | None


def deliveries(team_id: int) -> QuerySet[Delivery]:
    """Return a team's deliveries, each with `answered`, the status code that the last attempt was answered, and
    `said`, what was wrong with it."""
    last = DeliveryAttempt.objects.filter(delivery=OuterRef("id")).order_by("-number")
    rows = Delivery.objects.filter(shown(), team_id=team_id).select_related("webhook")
    return rows.annotate(answered=Subquery(last.values("status_code")[:1]), said=Subquery(last.values("error")[:1]))


def page(team_id: int, *, state: str = "", before: int | None = None) -> Page:
    """Return a page of a team's deliveries. state: "" for every one. before: the `before` of the page above."""
    rows = deliveries(team_id)
    if state:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: PAGE + 1])
    return Page(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)
