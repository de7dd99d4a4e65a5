"""What the jobs API answers: predictions, prices, models and files."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from rest_framework.response import Response

from accounts import ledger
from accounts.access import Actor
from accounts.credits import MICRO
from generations import catalogue, predictions, uploads
from generations.api import jobs_requests
from generations.catalogue import ImageModel, schema
from generations.models import Generation, Upload
from generations.statements.terms import Final
from generations.submission import Price

# --- predictions --------------------------------------------------------------------------------------------


def shown(generation: Generation, *, status: int = 200) -> Response:
    prefetch_related_objects([generation], *predictions.LOADED)
    return Response(predictions.prediction(generation), status=status)


def created(generation: Generation) -> Response:
    return shown(generation, status=201)


def ended(generation: Generation, final: Final, seconds: int) -> Response:
    """Return the answer after waiting for one that has ended."""
    return Response(predictions.ended(generation, final), status=201, headers=_applied(seconds))


def waited(generation: Generation, seconds: int) -> Response:
    """Return the answer after waiting. Whatever one that goes on is doing, it says "starting": clients take any other
    word for the end."""
    answer = created(generation)
    if answer.data["status"] == "processing":
        answer.data["status"] = "starting"
    answer["Preference-Applied"] = _applied(seconds)["Preference-Applied"]
    return answer


def _applied(seconds: int) -> dict[str, str]:
    return {"Preference-Applied": f"wait={seconds}"}


def price(actor: Actor, model: ImageModel, price: Price) -> Response:
    """Return what a prediction would cost, in credits: probably, and at most, which is held while it runs."""
    name = f"{predictions.OWNER}/{model.slug}"
    body = {
        "dry_run": True,
        "model": name,
        "version": name,
        "estimate": price.estimate / MICRO,
        "quote": price.quote / MICRO,
        "balance": ledger.balance(actor.team_id).available / MICRO,
    }
    return Response(body)


# --- models -------------------------------------------------------------------------------------------------


def model(owner: str, declared: ImageModel, runs: int) -> dict[str, Any]:
    """Return a model, for Replicate's clients and for OpenAI's; `runs`: how often the team ran it."""
    return {
        "id": declared.slug,
        "object": "model",
        "created": int(_published(declared).timestamp()),
        "owned_by": owner,
        "url": f"{settings.PUBLIC_URL}/playground/{declared.slug}",
        "owner": owner,
        "name": declared.slug,
        "description": declared.summary,
        "visibility": "public",
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": runs,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": version(declared),
    }


def models(runs: Mapping[str, int]) -> dict[str, Any]:
    """Return every model in one body that both clients can read: there are few, so that one page has them all."""
    listed = [model(predictions.OWNER, declared, runs.get(declared.slug, 0)) for declared in catalogue.MODELS.values()]
    short = [{name: each[name] for name in ("id", "object", "created", "owned_by")} for each in listed]
    return {"object": "list", "data": short, "results": listed, "next": None, "previous": None}


def version(declared: ImageModel) -> dict[str, Any]:
    return {
        "id": catalogue.version(declared),
        "created_at": predictions.timestamp(_published(declared)),
        "cog_version": "",  # it was not made with that tool, of which clients ask how to read old schemas
        "openapi_schema": _openapi(declared),
    }


def _openapi(declared: ImageModel) -> dict[str, Any]:
    """Return what the model takes and gives, where clients look for it."""
    output = {"title": "Output", "type": "array", "items": {"type": "string", "format": "uri"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": declared.title, "version": catalogue.version(declared)},
        "paths": {},
        "components": {"schemas": {"Input": schema.input_schema(declared), "Output": output}},
    }


def _published(declared: ImageModel) -> datetime:
    return datetime.combine(declared.published, time(), UTC)


def account(actor: Actor, name: str) -> dict[str, Any]:
    """Return the key's team."""
    return {"type": "organization", "username": jobs_requests.owners(actor)[-1], "name": name, "github_url": None}


# --- files --------------------------------------------------------------------------------------------------


def file(upload: Upload) -> dict[str, Any]:
    """Return an upload, whose asset is loaded. Its address is good as an input until it expires."""
    asset = upload.asset
    return {
        "id": str(upload.id),
        "name": upload.name,
        "content_type": asset.content_type,
        "size": asset.size,
        "etag": asset.sha256,
        "checksums": {"sha256": asset.sha256},
        "metadata": upload.metadata,
        "created_at": predictions.timestamp(upload.created_at),
        "expires_at": predictions.timestamp(uploads.expires_at(upload)),
        "urls": {
            "get": f"{settings.PUBLIC_URL}/v1/files/{upload.id}",
            "download": f"{settings.PUBLIC_URL}/files/{upload.id}",
        },
    }
