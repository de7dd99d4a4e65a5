"""/api/models: the image models, what each takes, and what it costs here."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Actor, Right
from generations import catalogue, routing, submission
from generations.api import filters, portal_answers
from generations.api import portal_schema as schemas
from generations.api.described import Described
from generations.api.operations import record
from generations.api.portal import PortalView
from generations.catalogue import ImageModel, Parameter, schema

USUAL_SIDE = 1024
"""Pixels: the price is that of a square of this side, with every other parameter as it is by default."""


class ModelsView(PortalView):
    """GET /api/models."""

    schema = Described(
        get=schemas.plain(
            "listModels",
            "The image models and what they cost here",
            record({"next": {"type": "null"}, "previous": {"type": "null"}, "results": schemas.several(schemas.MODEL)}),
        )
    )
    rights = {"GET": Right.VIEW}

    def get(self, request: Request) -> HttpResponse:
        filters.read(request)
        rows = [_summary(model, self.actor) for model in catalogue.MODELS.values()]
        return Response({"next": None, "previous": None, "results": rows})


class ModelView(PortalView):
    """GET /api/models/{slug}: with its parameters, and the JSON Schema of its input."""

    schema = Described(
        get=schemas.plain(
            "getModel",
            "One image model, with its parameters and its input's JSON Schema",
            schemas.MODEL_DETAIL,
            problems=frozenset({"unknown_model"}),
        )
    )
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, slug: str) -> HttpResponse:
        filters.read(request)
        model = catalogue.get(slug)
        body = {
            **_summary(model, self.actor),
            "parameters": [_parameter(each) for each in model.parameters],
            "schema": schema.input_schema(model),
        }
        return Response(body)


def _summary(model: ImageModel, actor: Actor) -> portal_answers.Json:
    return {
        "slug": model.slug,
        "url": portal_answers.absolute("portal-model", model.slug),
        "page": portal_answers.absolute("playground", model.slug),
        "run_url": f"{settings.PUBLIC_URL}/v1/{model.slug}",
        "title": model.title,
        "description": model.description,
        "price": _price(model, actor),
        "price_affected_by": list(model.price_names),
    }


def _price(model: ImageModel, actor: Actor) -> portal_answers.Json | None:
    """Return the usual price, None where no engine serves the model for this team."""
    params: dict[str, Any] = dict(model.defaults)
    width, height = model.output_size(params, USUAL_SIDE, USUAL_SIDE)
    try:
        price = submission.price(model.slug, params, width * height, actor)
    except routing.NoEngine:
        return None
    return {
        "estimate": portal_answers.credits(price.estimate),
        "quote": portal_answers.credits(price.quote),
        "width": width,
        "height": height,
    }


def _parameter(parameter: Parameter) -> portal_answers.Json:
    return {
        "name": parameter.name,
        "title": parameter.title,
        "kind": parameter.kind.value,
        "required": parameter.required,
        "default": parameter.default,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "max_length": parameter.max_length,
        "choices": list(parameter.choices),
        "help": parameter.help,
        "affects_price": parameter.affects_price,
        "advanced": parameter.advanced,
    }
