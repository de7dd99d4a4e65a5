"""What pages and APIs read: a constant number of queries, whatever the rows."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Prefetch, Q, QuerySet

from generations import prompts
from generations.models import Asset, Attempt, Generation, Output
from generations.models.generation import KEPT, Status

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
    """Return a page of generations that have pictures, with `outputs` loaded. A bad cursor starts at the newest.

    model: "" for every one. search: words that the prompts have, each of them anywhere and in any case; "" for none.
    """
    wanted = _wanted(team_id, model, search)
    if not wanted.words:
        return page(_shown(wanted).prefetch_related(_OUTPUTS), cursor, limit)
    ids = prompts.find(wanted, limit + 1, beyond=_parse(cursor))
    found = Generation.objects.filter(KEPT).prefetch_related(_OUTPUTS).in_bulk(ids)
    return _cut([found[row_id] for row_id in ids if row_id in found], limit)


def page(rows: QuerySet[Generation], cursor: str, limit: int) -> Page:
    """Return the newest `limit` rows after a cursor, by (created_at, id)."""
    beyond = _parse(cursor)
    if beyond:
        rows = _older(rows, beyond)
    return _cut(list(rows.order_by("-created_at", "-id")[: limit + 1]), limit)


def _cut(found: Sequence[Generation], limit: int) -> Page:
    return Page(found[:limit], _cursor(found[limit - 1]) if len(found) > limit else "")


def neighbours(output: Output, *, model: str = "", search: str = "") -> Neighbours:
    """Return what is beside an output, whose generation is loaded, in the gallery of that model and search.

    Newest run first, the samples of a run in their order; four queries at most.
    """
    row = output.generation
    before = row.outputs.filter(number__lt=output.number).order_by("-number").first()
    after = row.outputs.filter(number__gt=output.number).order_by("number").first()
    wanted = _wanted(row.team_id, model, search)
    return Neighbours(
        newer=before.id if before else _picture(_beside(wanted, row, newer=True), "-number"),
        older=after.id if after else _picture(_beside(wanted, row, newer=False), "number"),
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


def _wanted(team_id: int, model: str, search: str) -> prompts.Query:
    return prompts.Query(team_id, _plain(search).split(), _plain(model))


def _shown(wanted: prompts.Query) -> QuerySet[Generation]:
    """Return the runs that the gallery shows, in no order and whatever the words."""
    rows = Generation.objects.filter(KEPT, team_id=wanted.team_id, status=Status.SUCCEEDED)
    return rows.filter(model=wanted.model) if wanted.model else rows


# In both, the first condition is implied by the second; with it alone the index finds its place.


def _older(rows: QuerySet[Generation], place: prompts.Place) -> QuerySet[Generation]:
    created_at, row_id = place
    return rows.filter(created_at__lte=created_at).filter(Q(created_at__lt=created_at) | Q(id__lt=row_id))


def _newer(rows: QuerySet[Generation], place: prompts.Place) -> QuerySet[Generation]:
    created_at, row_id = place
    return rows.filter(created_at__gte=created_at).filter(Q(created_at__gt=created_at) | Q(id__gt=row_id))


def _beside(wanted: prompts.Query, row: Generation, *, newer: bool) -> list[uuid.UUID]:
    """Return the id of the run beside a run, or nothing."""
    place = row.created_at, row.id
    if wanted.words:
        return prompts.find(wanted, 1, beyond=place, oldest_first=newer)
    if newer:
        rows = _newer(_shown(wanted), place).order_by("created_at", "id")
    else:
        rows = _older(_shown(wanted), place).order_by("-created_at", "-id")
    return list(rows.values_list("id", flat=True)[:1])


def _picture(runs: Sequence[uuid.UUID], order: str) -> uuid.UUID | None:
    """Return the first picture of the runs, of which there is one at most, by `order` of the samples."""
    return Output.objects.filter(generation_id__in=runs).order_by(order).values_list("id", flat=True).first()


def _cursor(row: Generation) -> str:
    return f"{row.created_at.isoformat()}_{row.id.hex}"


def _parse(cursor: str) -> prompts.Place | None:
    created_at, _, row_id = cursor.partition("_")
    try:
        return datetime.fromisoformat(created_at).astimezone(UTC), uuid.UUID(row_id)
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """Return a person's text without what no database can compare: NUL, and half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
