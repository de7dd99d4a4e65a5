"""Generations and collections as the portal's resources show them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.access import Actor
from accounts.credits import MICRO
from accounts.ledger import Amounts
from accounts.models import ApiKey, User
from generations import access, delivery
from generations.models import Asset, Attempt, Collection, Generation, Output
from generations.queries import Run

Json = dict[str, Any]


def summary(actor: Actor, generation: Generation) -> Json:
    """Return a generation as a list shows it; its user, key and outputs are loaded."""
    return {
        "id": str(generation.id),
        "url": absolute("portal-generation", generation.id),
        "page": absolute("run", generation.id),
        "model": generation.model,
        "door": generation.door,
        "status": generation.status,
        "prompt": str(generation.params.get("prompt") or ""),
        "engine": generation.engine or None,
        "seed": generation.seed,
        "estimate": credits(generation.estimate),
        "quote": credits(generation.quote),
        "cost": credits(generation.cost),
        "seconds": generation.seconds,
        "fault": generation.fault or None,
        "error": generation.error or None,
        "favourite": generation.favourite_at is not None,
        "member": member(generation.user),
        "key": key(generation.api_key),
        "created_at": moment(generation.created_at),
        "started_at": moment(generation.started_at),
        "finished_at": moment(generation.finished_at),
        "outputs": [_output(actor, output) for output in generation.outputs.all()],
    }


def detail(actor: Actor, run: Run) -> Json:
    """Return everything that a run's page shows."""
    generation = run.generation
    return {
        **summary(actor, generation),
        "progress": generation.progress,
        "stage": generation.stage or None,
        "parameters": generation.params,
        "lock": generation.lock,
        "inputs": {name: _input(actor, asset) for name, asset in run.inputs.items()},
        "stood_in_for": generation.stood_in_for or None,
        "notes": generation.notes,
        "attempts": [_attempt(attempt) for attempt in run.attempts],
        "may_change": access.may_remove(actor, generation),
    }


def collection(actor: Actor, row: Collection) -> Json:
    """Return a collection, whose owner is loaded."""
    return {
        "id": str(row.id),
        "url": absolute("portal-collection", row.id),
        "name": row.name,
        "visibility": row.visibility,
        "owner": member(row.owner),
        "created_at": moment(row.created_at),
        "may_change": access.may_arrange(actor, row),
    }


def credits(amount: int | None) -> float | None:
    """Return millionths as credits, None where an amount is not known."""
    return None if amount is None else amount / MICRO


def exact(amount: int | None) -> Decimal | None:
    """Return millionths as credits for a spreadsheet, to the last one."""
    return None if amount is None else Decimal(amount).scaleb(-6).normalize() + 0


def balance(amounts: Amounts) -> Json:
    return {
        "available": credits(amounts.available),
        "posted": credits(amounts.posted),
        "held": credits(amounts.held),
    }


def moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def member(user: User | None) -> Json | None:
    """Return a person, None where they are gone."""
    return {"id": user.pk, "name": str(user)} if user else None


def key(row: ApiKey | None) -> Json | None:
    """Return what a key is known by, None where there was none or it is gone."""
    return {"id": row.pk, "name": row.name, "prefix": row.prefix} if row else None


def absolute(name: str, *arguments: object) -> str:
    return settings.PUBLIC_URL + reverse(name, args=arguments)


def _output(actor: Actor, output: Output) -> Json:
    """Return a picture: `url` is signed and ends, `thumbnail` is for who is signed in."""
    return {
        "id": str(output.id),
        "number": output.number,
        "url": delivery.link(output),
        "thumbnail": None if actor.key_id else absolute("output-picture", output.id, "thumbnail"),
        "content_type": delivery.content_type(output),
        "width": output.width,
        "height": output.height,
        "seed": output.seed,
        "fidelity": output.fidelity,
    }


def _input(actor: Actor, asset: Asset) -> Json:
    """Return an input: `url` answers whoever asks as they asked for this, by key or by session."""
    return {
        "id": str(asset.id),
        "url": absolute("file" if actor.key_id else "asset-picture", asset.id),
        "content_type": asset.content_type,
        "width": asset.width,
        "height": asset.height,
        "size": asset.size,
    }


def _attempt(attempt: Attempt) -> Json:
    """Return an attempt without what it cost upstream, which is the operator's alone."""
    return {
        "number": attempt.number,
        "engine": attempt.engine,
        "state": attempt.state,
        "seconds": attempt.elapsed,
        "error": attempt.error or None,
        "started_at": moment(attempt.started_at),
        "ended_at": moment(attempt.ended_at),
    }
