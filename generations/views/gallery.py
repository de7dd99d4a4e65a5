"""The gallery of a team's pictures, and the page of one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import Right
from accounts.views import session
from generations import access, catalogue, queries
from generations.models import Generation
from generations.views import presentation, values

SEARCH_LENGTH = 200
ALT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Filter:
    """What the gallery is narrowed to; "" for everything."""

    search: str
    model: str

    def query(self, **more: str) -> str:
        """Return it as a query string, with `more`: "?q=quay", "" where there is nothing to say."""
        given = {"q": self.search, "model": self.model, **more}
        said = urlencode({name: value for name, value in given.items() if value})
        return f"?{said}" if said else ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture in the grid; width and height in pixels."""

    id: uuid.UUID
    url: str
    width: int
    height: int
    alt: str


@require_safe
@vary_on_headers("HX-Request")
@session.team_required
def index(request: HttpRequest) -> HttpResponse:
    """Show the pictures, newest first; htmx gets the tiles of the next page alone."""
    actor = session.current(request)
    asked = _filter(request)
    cursor = request.GET.get("before", "")
    page = queries.gallery(actor.team_id, model=asked.model, search=asked.search, cursor=cursor)
    context: dict[str, Any] = {
        "tiles": tiles(page.rows),
        "query": asked.query(),
        "next": reverse("gallery") + asked.query(before=page.next) if page.next else "",
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "studio/parts/tiles.html", context)
    context |= {
        "search": asked.search,
        "model": asked.model,
        "models": catalogue.MODELS,
        "is_filtered": bool(asked.search or asked.model),
        "is_end": bool(cursor),
        "may_run": actor.may(Right.GENERATE),
        "try_price": values.usual_price(catalogue.get("bg-replace"), actor),
    }
    return render(request, "studio/gallery.html", context)


@require_safe
@session.team_required
def image(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """Show one picture with everything known of it; the arrow keys go to its neighbours in the gallery it is from."""
    actor = session.current(request)
    output = access.output(actor, output_id)
    asked = _filter(request)
    beside = queries.neighbours(output, model=asked.model, search=asked.search)
    context = presentation.of_run(actor, queries.run(output.generation), number=output.number)
    context |= {"neighbours": beside, "query": asked.query(), "open_parameters": True}
    return render(request, "studio/image.html", context)


def _filter(request: HttpRequest) -> Filter:
    model = request.GET.get("model", "")
    return Filter(request.GET.get("q", "").strip()[:SEARCH_LENGTH], model if model in catalogue.MODELS else "")


def tiles(rows: Sequence[Generation]) -> list[Tile]:
    """Return one tile per picture of the generations, whose `outputs` are loaded."""
    return [
        Tile(
            output.id,
            reverse("output-picture", args=[output.id, "thumbnail"]),
            output.width,
            output.height,
            _alt(row, output.number),
        )
        for row in rows
        for output in row.outputs.all()
    ]


def _alt(row: Generation, number: int) -> str:
    prompt = str(row.params.get("prompt", ""))
    shown = prompt if len(prompt) <= ALT_LENGTH else prompt[: ALT_LENGTH - 1] + "…"
    return f"{shown}, sample {number + 1}" if number else shown
