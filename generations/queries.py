"""What pages and APIs read: a constant number of queries, whatever the rows."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Prefetch, Q, QuerySet

from generations.models import Asset, Attempt, Generation, Output
from generations.models.generation import Status

PAGE = 48


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the cursor of the page after them ("" at the end)."""

    rows: Sequence[Generation]
    next: str


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a run's page shows."""

    generation: Generation
    outputs: Sequence[Output]
    attempts: Sequence[Attempt]
    inputs: dict[str, Asset]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ids of the pictures beside one in the gallery; None at its ends."""

    newer: uuid.UUID | None
    older: uuid.UUID | None


def gallery(team_id: int, *, model: str = "", search: str = "", cursor: str = "", limit: int = PAGE) -> Page:
    """Return a page of generations that have pictures, with `outputs` loaded. A bad cursor starts at the newest."""
    return page(_shown(team_id, model, search).prefetch_related(_OUTPUTS), cursor, limit)


def page(rows: QuerySet[Generation], cursor: str, limit: int) -> Page:
    """Return the newest `limit` rows after a cursor, by (created_at, id)."""
    after = _parse(cursor)
    if after:
        created_at, row_id = after
        # The first condition is implied by the second; with it alone the index finds its place.
        rows = rows.filter(created_at__lte=created_at).filter(Q(created_at__lt=created_at) | Q(id__lt=row_id))
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    return Page(found[:limit], _cursor(found[limit - 1]) if len(found) > limit else "")


def neighbours(output: Output, *, model: str = "", search: str = "") -> Neighbours:
    """Return what is beside an output, whose generation is loaded, in the gallery of that model and search.

    Newest run first, the samples of a run in their order; four queries at most.
    """
    row = output.generation
    before = row.outputs.filter(number__lt=output.number).order_by("-number").first()
    after = row.outputs.filter(number__gt=output.number).order_by("number").first()
    rows = _shown(row.team_id, model, search)
    newer = rows.filter(created_at__gte=row.created_at).filter(Q(created_at__gt=row.created_at) | Q(id__gt=row.id))
    older = rows.filter(created_at__lte=row.created_at).filter(Q(created_at__lt=row.created_at) | Q(id__lt=row.id))
    return Neighbours(
        newer=before.id if before else _picture(newer.order_by("created_at", "id"), "-number"),
        older=after.id if after else _picture(older.order_by("-created_at", "-id"), "number"),
    )


def run(generation: Generation) -> Run:
    """Return a generation with its outputs, attempts and input images."""
    assets = Asset.objects.in_bulk([uuid.UUID(asset_id) for asset_id in generation.inputs.values()])
    return Run(
        generation=generation,
        outputs=list(generation.outputs.order_by("number")),
        attempts=list(generation.attempts.order_by("number")),
        inputs={field: assets[uuid.UUID(asset_id)] for field, asset_id in generation.inputs.items()},
    )


_OUTPUTS = Prefetch("outputs", queryset=Output.objects.order_by("number"))


def _shown(team_id: int, model: str, search: str) -> QuerySet[Generation]:
    """Return the runs that the gallery of a model ("": every) and a search ("": any prompt) shows, in no order."""
    rows = Generation.objects.filter(team_id=team_id, status=Status.SUCCEEDED)
    if model:
        rows = rows.filter(model=_plain(model))
    return rows.filter(params__prompt__icontains=_plain(search)) if search else rows


def _picture(rows: QuerySet[Generation], order: str) -> uuid.UUID | None:
    """Return the first picture of the first run, by `order` of the samples."""
    first = list(rows.values_list("id", flat=True)[:1])
    return Output.objects.filter(generation_id__in=first).order_by(order).values_list("id", flat=True).first()


def _cursor(row: Generation) -> str:
    return f"{row.created_at.isoformat()}_{row.id.hex}"


def _parse(cursor: str) -> tuple[datetime, uuid.UUID] | None:
    created_at, _, row_id = cursor.partition("_")
    try:
        return datetime.fromisoformat(created_at).astimezone(UTC), uuid.UUID(row_id)
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """Return a person's text without what no database can compare: NUL, and half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
