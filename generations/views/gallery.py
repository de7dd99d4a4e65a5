"""The gallery of a team's pictures, and the page of one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import Actor, Right
from accounts.views import session
from generations import access, archive, catalogue, queries
from generations.models import Generation, Output
from generations.views import gallery_filters, presentation, values

ALT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture in the grid; width and height in pixels. The star and the bin are its run's."""

    id: uuid.UUID
    run: uuid.UUID
    number: int
    url: str
    width: int
    height: int
    alt: str
    is_favourite: bool
    is_own: bool
    """Whether the reader may remove it."""


@require_safe
@vary_on_headers("HX-Request")
@session.team_required
def index(request: HttpRequest) -> HttpResponse:
    """Show the pictures, newest first; htmx gets the tiles of the next page alone."""
    actor = session.current(request)
    asked = gallery_filters.read(request)
    gallery_filters.require_seen(actor, asked)
    cursor = request.GET.get("before", "")
    page = queries.gallery(asked.selection(actor.team_id), search=asked.q, cursor=cursor)
    context: dict[str, Any] = {
        "tiles": tiles(actor, page.rows),
        "query": asked.query(),
        "next": reverse("gallery") + asked.query(before=page.next) if page.next else "",
        "may_curate": actor.may(Right.CURATE),
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "studio/parts/tiles.html", context)
    return render(request, "studio/gallery.html", context | _around(request, actor, asked, is_end=bool(cursor)))


def _around(request: HttpRequest, actor: Actor, asked: gallery_filters.Filter, *, is_end: bool) -> dict[str, Any]:
    """Return the context of what stands around the tiles."""
    offered = gallery_filters.choices(actor, asked)
    return {
        "asked": asked,
        "offered": offered,
        "chips": gallery_filters.chips(asked, offered),
        "models": catalogue.MODELS,
        "is_end": is_end,
        "may_run": actor.may(Right.GENERATE),
        "most": archive.MOST,
        "removed": _removed(actor, request.GET.get("removed", "")),
        "try_price": values.usual_price(catalogue.get("bg-replace"), actor),
    }


def _removed(actor: Actor, given: str) -> Generation | None:
    """Return the run that the reader removed just now on its own page, to offer it back."""
    try:
        found = access.removed(actor, uuid.UUID(given)) if given else None
    except ValueError:
        return None
    return found if found and access.may_remove(actor, found) else None


@require_safe
@session.team_required
def image(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """Show one picture with everything known of it; the arrow keys go to its neighbours in the gallery it is from."""
    actor = session.current(request)
    output = access.output(actor, output_id)
    asked = gallery_filters.read(request)
    gallery_filters.require_seen(actor, asked)
    beside = queries.neighbours(output, asked.selection(actor.team_id), search=asked.q)
    context = presentation.of_run(actor, queries.run(output.generation), number=output.number)
    context |= {
        "neighbours": beside,
        "query": asked.query(),
        "open_parameters": True,
        "may_curate": actor.may(Right.CURATE),
    }
    return render(request, "studio/image.html", context)


def tiles(actor: Actor, rows: Sequence[Generation]) -> list[Tile]:
    """Return one tile per picture of the generations, whose `outputs` are loaded."""
    return [tile(actor, row, output) for row in rows for output in row.outputs.all()]


def tile(actor: Actor, row: Generation, output: Output) -> Tile:
    return Tile(
        id=output.id,
        run=row.id,
        number=output.number,
        url=reverse("output-picture", args=[output.id, "thumbnail"]),
        width=output.width,
        height=output.height,
        alt=_alt(row, output.number),
        is_favourite=row.favourite_at is not None,
        is_own=access.may_remove(actor, row),
    )


def _alt(row: Generation, number: int) -> str:
    prompt = str(row.params.get("prompt", ""))
    shown = prompt if len(prompt) <= ALT_LENGTH else prompt[: ALT_LENGTH - 1] + "…"
    return f"{shown}, sample {number + 1}" if number else shown
