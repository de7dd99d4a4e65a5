"""What pages and APIs read: a constant number of queries, whatever the rows."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from django.db.models import Prefetch, Q, QuerySet

from generations import prompts, selection
from generations.models import Asset, Attempt, Collection, Generation, Output
from generations.models.generation import Status
from generations.selection import Selection

PAGE = 48

WINDOW = 1000
"""Runs whose prompts have the words, of which the other filters keep some; asked for at once."""

ROUNDS = 3
"""How often a page asks for so many; whoever wants to see what lies beyond asks for the next page."""

Row = TypeVar("Row", Generation, Collection)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, newest first, and the cursor of the page after them ("" at the end). Rows may be few, and even none,
    before the end: where a frequent word and a rare filter were looked for together."""

    rows: Sequence[Row]
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


def gallery(wanted: Selection, *, search: str = "", cursor: str = "", limit: int = PAGE) -> Page[Generation]:
    """Return a page of generations that have pictures, with `outputs` loaded. A bad cursor starts at the newest.

    wanted: of whatever status, the gallery shows what succeeded. search: words that the prompts have, each of them
    anywhere and in any case; "" for none.
    """
    rows = _shown(wanted)
    words = _words(wanted, search)
    if not words.words:
        return page(rows.prefetch_related(_OUTPUTS), cursor, limit)
    ids, end = _find(words, wanted, _parse(cursor), limit + 1)
    found = rows.prefetch_related(_OUTPUTS).in_bulk(ids)
    shown = _cut([found[row_id] for row_id in ids if row_id in found], limit)
    return replace(shown, next=_cursor(*end)) if end else shown


def page(rows: QuerySet[Row], cursor: str, limit: int) -> Page[Row]:
    """Return the newest `limit` rows after a cursor, by (created_at, id)."""
    beyond = _parse(cursor)
    if beyond:
        rows = _older(rows, beyond)
    return _cut(list(rows.order_by("-created_at", "-id")[: limit + 1]), limit)


def _cut(found: Sequence[Row], limit: int) -> Page[Row]:
    last = found[limit - 1] if len(found) > limit else None
    return Page(found[:limit], _cursor(last.created_at, last.id) if last else "")


def neighbours(output: Output, wanted: Selection, *, search: str = "") -> Neighbours:
    """Return what is beside an output, whose generation is loaded, in the gallery of that selection and search.

    Newest run first, the samples of a run in their order.
    """
    row = output.generation
    before = row.outputs.filter(number__lt=output.number).order_by("-number").first()
    after = row.outputs.filter(number__gt=output.number).order_by("number").first()
    return Neighbours(
        newer=before.id if before else _picture(_beside(wanted, search, row, newer=True), "-number"),
        older=after.id if after else _picture(_beside(wanted, search, row, newer=False), "number"),
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


def _words(wanted: Selection, search: str) -> prompts.Query:
    return prompts.Query(wanted.team_id, _plain(search).split(), _plain(wanted.model or ""))


def _shown(wanted: Selection) -> QuerySet[Generation]:
    """Return the runs that the gallery shows, in no order and whatever the words."""
    model = None if wanted.model is None else _plain(wanted.model)
    return selection.select(replace(wanted, model=model, status=Status.SUCCEEDED))


def _find(
    words: prompts.Query, wanted: Selection, place: prompts.Place | None, enough: int, *, oldest_first: bool = False
) -> tuple[Sequence[uuid.UUID], prompts.Place | None]:
    """Return the first runs beyond a place, in order, that have the words and are wanted; and the place at which it
    gave up looking for `enough` of them, None where it did not."""
    if replace(wanted, model=None) == Selection(team_id=wanted.team_id):
        return prompts.find(words, enough, beyond=place, oldest_first=oldest_first), None
    found: list[uuid.UUID] = []
    for _ in range(ROUNDS):
        ids = prompts.find(words, WINDOW, beyond=place, oldest_first=oldest_first)
        kept = set(_shown(wanted).filter(id__in=ids).values_list("id", flat=True))
        found += [each for each in ids if each in kept]
        if len(found) >= enough or len(ids) < WINDOW:
            return found[:enough], None
        place = Generation.objects.values_list("created_at", "id").get(id=ids[-1])
    return found, place


# In both, the first condition is implied by the second; with it alone the index finds its place.


def _older(rows: QuerySet[Row], place: prompts.Place) -> QuerySet[Row]:
    created_at, row_id = place
    return rows.filter(created_at__lte=created_at).filter(Q(created_at__lt=created_at) | Q(id__lt=row_id))


def _newer(rows: QuerySet[Generation], place: prompts.Place) -> QuerySet[Generation]:
    created_at, row_id = place
    return rows.filter(created_at__gte=created_at).filter(Q(created_at__gt=created_at) | Q(id__gt=row_id))


def _beside(wanted: Selection, search: str, row: Generation, *, newer: bool) -> Sequence[uuid.UUID]:
    """Return the id of the run beside a run, or nothing."""
    place = row.created_at, row.id
    words = _words(wanted, search)
    if words.words:
        return _find(words, wanted, place, 1, oldest_first=newer)[0]
    if newer:
        rows = _newer(_shown(wanted), place).order_by("created_at", "id")
    else:
        rows = _older(_shown(wanted), place).order_by("-created_at", "-id")
    return list(rows.values_list("id", flat=True)[:1])


def _picture(runs: Sequence[uuid.UUID], order: str) -> uuid.UUID | None:
    """Return the first picture of the runs, of which there is one at most, by `order` of the samples."""
    return Output.objects.filter(generation_id__in=runs).order_by(order).values_list("id", flat=True).first()


def _cursor(created_at: datetime, row_id: uuid.UUID) -> str:
    return f"{created_at.isoformat()}_{row_id.hex}"


def _parse(cursor: str) -> prompts.Place | None:
    created_at, _, row_id = cursor.partition("_")
    try:
        return datetime.fromisoformat(created_at).astimezone(UTC), uuid.UUID(row_id)
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """Return a person's text without what no database can compare: NUL, and half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
