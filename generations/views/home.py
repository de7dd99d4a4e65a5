"""The models page."""

import functools
from dataclasses import dataclass

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.views import session
from generations import catalogue
from generations.catalogue import ImageModel
from generations.submission import Price
from generations.views import values


@dataclass(frozen=True, slots=True)
class Card:
    """A model as the page shows it; picture is a static file, "" where there is none.

    seconds and price: what the first engine on its route expects for the defaults.
    """

    model: ImageModel
    picture: str
    seconds: float
    price: Price | None


@require_safe
@session.team_required
def models(request: HttpRequest) -> HttpResponse:
    """Show every image model with its picture, and how long it takes and costs here for the defaults."""
    actor = session.current(request)
    cards = [
        Card(model, picture(slug), values.seconds(model, {}), values.usual_price(model, actor))
        for slug, model in catalogue.MODELS.items()
    ]
    return render(request, "studio/models.html", {"cards": cards})


@functools.cache
def picture(slug: str) -> str:
    path = f"img/{slug}.webp"
    return path if finders.find(path) else ""
