"""What the Segmind dialect answers of requests, models and accounts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.access import Actor
from accounts.credits import MICRO
from accounts.ledger import Amounts
from accounts.models import User
from generations import delivery
from generations.catalogue import ImageModel, schema
from generations.history import Page, Row
from generations.models import Generation
from generations.models.generation import Status

STATUSES: Mapping[str, str] = {
    Status.QUEUED: "PENDING",
    Status.RUNNING: "PENDING",
    Status.SUCCEEDED: "COMPLETED",
    Status.FAILED: "FAILED",
    Status.CANCELED: "FAILED",
}

TYPE = "imageToImage"
"""What every image model of the catalogue is in this dialect's words: a picture goes in, a picture comes out."""


def history(page: Page, number: int, count: int) -> dict[str, Any]:
    return {"requests": [_row(row) for row in page.rows], **_paging(page, number, count)}


def generations(page: Page, number: int, count: int) -> dict[str, Any]:
    return {"generations": [_row(row) for row in page.rows], **_paging(page, number, count)}


def entry(rows: Sequence[Row]) -> dict[str, Any]:
    """Return one request: its first picture's row, and the links to all."""
    urls = [delivery.link(row.output) for row in rows if row.output]
    return {**_row(rows[0]), "generation_urls": urls}


def models(declared: Iterable[ImageModel]) -> dict[str, Any]:
    return {"models": [_model(each) for each in declared]}


def account(actor: Actor, person: User, balance: Amounts, used: int) -> dict[str, Any]:
    """Return whose key it is. Credits are the team's: `total` is what it ever had, held ones included."""
    return {
        "user_id": str(actor.user_id),
        "email": person.email,
        "username": str(person),
        "team": actor.team,
        "subscription": {"plan": "prepaid", "status": "active"},
        "credits": {
            "balance": balance.available / MICRO,
            "used": used / MICRO,
            "total": (balance.posted + used) / MICRO,
        },
    }


def _paging(page: Page, number: int, count: int) -> dict[str, Any]:
    """Say where the page is. How many there are is not counted."""
    return {"page": number, "per_page": count, "next_page": number + 1 if page.more else None}


def _row(row: Row) -> dict[str, Any]:
    """Return a row under the names of both lists: requests and generations call some things differently."""
    generation, output = row.generation, row.output
    word = STATUSES[generation.status]
    sent = _sent(generation)
    return {
        "request_id": str(generation.id),
        "model_name": generation.model,
        "model_status": word,
        "status": word,
        "credits_deduction": (generation.cost or 0) / MICRO,
        "request_body": sent,
        "parameters": sent,
        "prompt": generation.params.get("prompt", ""),
        "seed": output.seed if output else generation.seed,
        "generation_url": delivery.link(output) if output else None,
        "latency_ms": _milliseconds(generation),
        "created_at": _moment(generation.created_at),
        "model_created": _moment(generation.created_at),
        "finished_at": _moment(generation.finished_at),
        "user_id": str(generation.user_id) if generation.user_id else None,
        "error": _error(generation),
    }


def _sent(generation: Generation) -> dict[str, Any]:
    """Return the complete input. Pictures are named by addresses that the team's keys can read."""
    pictures = {name: f"{settings.PUBLIC_URL}/files/{asset_id}" for name, asset_id in generation.inputs.items()}
    return {**generation.params, **pictures}


def _error(generation: Generation) -> str | None:
    if generation.status == Status.CANCELED:
        return generation.error or "The request was canceled."
    return generation.error or None


def _milliseconds(generation: Generation) -> int | None:
    """Return the time from submit to end."""
    if generation.finished_at is None:
        return None
    return round((generation.finished_at - generation.created_at).total_seconds() * 1000)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _model(declared: ImageModel) -> dict[str, Any]:
    described = schema.input_schema(declared, unknown="ignore")
    required = set(described["required"])
    parameters = {name: {**said, "required": name in required} for name, said in described["properties"].items()}
    return {
        "title": declared.title,
        "type": TYPE,
        "description": declared.description,
        "slug": declared.slug,
        "parameters": parameters,
        "typical_seconds": declared.typical_seconds,
        "typical_price": declared.typical_price / MICRO,
    }
