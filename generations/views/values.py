"""Half-typed forms: what can be said of them before they are good enough to run."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from accounts.access import Actor
from generations import routing, submission
from generations.catalogue import ImageModel, parsing, snippets
from generations.submission import Price

USUAL_SIDE = 1024
"""Pixels: the price without a picture is that of a square of this side."""

LARGEST_SIDE = 2048


def readable(model: ImageModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter but the images: what was given where it is good, else the default or the example."""
    values = dict(model.defaults)
    for parameter in model.parameters:
        if parameter.is_image or not parameter.in_form:
            continue
        try:
            values[parameter.name] = parsing.parse(parameter, given[parameter.name])
        except (KeyError, parsing.Refused):
            values.setdefault(parameter.name, parameter.example)
    return values


def price(model: ImageModel, given: Mapping[str, Any], actor: Actor) -> Price:
    """Return the price of a form. Raises `parsing.Refused` where a value that moves it is not good, or where no engine
    may serve it."""
    for name in model.price_names:
        if name in given:
            parsing.parse(model.by_name[name], given[name])
    params = readable(model, given)
    may_fall = str(given.get("allow_fallback", True)).lower() == "true"
    try:
        return submission.price(model.slug, params, _pixels(model, params, given), actor, allow_fallback=may_fall)
    except routing.NoEngine as error:
        raise parsing.Refused(str(error)) from error


def usual_price(model: ImageModel, actor: Actor) -> Price | None:
    """Return the price of the defaults, or None where no engine serves them for this team."""
    try:
        return price(model, {}, actor)
    except parsing.Refused:
        return None


def seconds(model: ImageModel, given: Mapping[str, Any]) -> float:
    """Return the seconds that the first engine on the model's route expects a form to take."""
    params = readable(model, given)
    return routing.route(model.slug)[0].seconds(model.slug, params, _pixels(model, params, given))


def about(model: ImageModel) -> str:
    """Return what the first engine on the model's route says of itself."""
    return routing.route(model.slug)[0].about


def rates(model: ImageModel) -> dict[str, float]:
    """Return the engines that serve a model, in order, and their credits per second."""
    return {alias: settings.ENGINES[alias].get("OPTIONS", {}).get("rate", 0) for alias in settings.ROUTES[model.slug]}


def code(model: ImageModel, given: Mapping[str, Any], base_url: str) -> list[dict[str, str]]:
    """Return the same request in every language: language, name, code."""
    params = readable(model, given)
    return [
        {"language": language, "name": name, "code": snippets.snippet(language, model, params, {}, base_url)}
        for language, name in snippets.LANGUAGES.items()
    ]


def _pixels(model: ImageModel, params: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    width, height = model.output_size(params, _side(given.get("width")), _side(given.get("height")))
    return width * height


def _side(text: Any) -> int:
    written = str(text or "")
    side = int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 0
    return side if 1 <= side <= LARGEST_SIDE else USUAL_SIDE
