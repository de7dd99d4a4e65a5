"""A generation as the jobs API and its webhooks show it: Replicate's prediction."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.utils import timezone

from accounts.credits import MICRO
from generations import delivery, statements
from generations.models import Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import Door, Status
from generations.statements.terms import Final

OWNER = "official"
"""Whose the catalogue's own image models are."""

LOADED = (
    Prefetch("outputs", Output.objects.order_by("number")),
    Prefetch("attempts", Attempt.objects.order_by("number")),
)
"""What `prediction` reads beside the generation's own row, for prefetch_related."""

STATUSES: Mapping[Status, str] = {
    Status.QUEUED: "starting",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELED: "canceled",
}

_SAID: Mapping[State, str] = {
    State.QUEUED: "is waiting",
    State.SUBMITTING: "is working",
    State.SUBMITTED: "is working",
    State.DONE: "delivered",
    State.FAILED: "did not deliver",
    State.CANCELED: "was stopped",
    State.UNKNOWN: "did not say how it ended",
}


def prediction(generation: Generation) -> dict[str, Any]:
    """Return a generation whose LOADED is; the links in it are made now, and end soon."""
    return _told(generation, generation.outputs.all(), generation.attempts.all())


def ended(generation: Generation, final: Final) -> dict[str, Any]:
    """Return a generation, as it was accepted, now that it has ended: `final` is the same one's."""
    attempts = statements.current().complete(final)
    for name in _ENDED:
        setattr(generation, name, getattr(final.generation, name))
    return _told(generation, final.outputs, attempts)


_ENDED = ("status", "error", "cost", "seconds", "started_at", "finished_at", "notes")


def _told(generation: Generation, made: Iterable[Output], attempts: Iterable[Attempt]) -> dict[str, Any]:
    is_removed = generation.removed_at is not None
    outputs = list(made) if generation.status == Status.SUCCEEDED and not is_removed else []
    model = f"{OWNER}/{generation.model}"
    return {
        "id": str(generation.id),
        "model": model,
        "version": model,
        "input": {} if is_removed else _input(generation),
        "output": [delivery.link(output) for output in outputs] or None,
        "logs": "" if is_removed else _logs(generation, attempts),
        "error": generation.error or None,
        "status": STATUSES[Status(generation.status)],
        "created_at": timestamp(generation.created_at),
        "started_at": timestamp(generation.started_at),
        "completed_at": timestamp(generation.finished_at),
        "data_removed": is_removed or (generation.status == Status.SUCCEEDED and not outputs),
        "source": "web" if generation.door == Door.WEB else "api",
        "metrics": _metrics(generation, outputs),
        "urls": urls(generation),
    }


def as_started(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a prediction as it was when its run began."""
    then: dict[str, Any] = {
        "status": "processing",
        "output": None,
        "logs": "",
        "error": None,
        "completed_at": None,
        "metrics": {},
    }
    return {**told, **then, "data_removed": False}


def sample() -> dict[str, Any]:
    """Return a prediction of nothing, for somebody who tries out what takes them."""
    now, model = timestamp(timezone.now()), f"{OWNER}/bg-replace"
    return {
        "id": str(uuid.UUID(int=0)),
        "model": model,
        "version": model,
        "input": {},
        "output": None,
        "logs": "This is a test: no model was run.",
        "error": None,
        "status": "succeeded",
        "created_at": now,
        "started_at": now,
        "completed_at": now,
        "data_removed": True,
        "source": "web",
        "metrics": {},
        "urls": {},
    }


def timestamp(when: datetime | None) -> str | None:
    """Return a moment as JavaScript writes it, which every client reads."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else None


def urls(generation: Generation) -> dict[str, str]:
    """Return where the generation can be asked for, ended, and looked at."""
    at = f"{settings.PUBLIC_URL}/v1/predictions/{generation.id}"
    return {"get": at, "cancel": f"{at}/cancel", "web": f"{settings.PUBLIC_URL}/runs/{generation.id}"}


def _input(generation: Generation) -> dict[str, Any]:
    """Return what was asked for, complete; an input's address shows it to keys of its team."""
    images = {name: f"{settings.PUBLIC_URL}/files/{asset_id}" for name, asset_id in generation.inputs.items()}
    return {**images, **generation.params}


def _logs(generation: Generation, attempts: Iterable[Attempt]) -> str:
    """Return the seed, a line for each attempt, where the last one is, and what the engine noted. Apps read the seed
    off the line that Replicate's models write of it."""
    begun = [f"Using seed: {generation.seed}"] if generation.started_at else []
    lines = [f"{each.engine} {_SAID[State(each.state)]}{_because(each)}" for each in attempts]
    if generation.status == Status.RUNNING and (generation.progress or generation.stage):
        lines.append(", ".join(filter(None, [f"{generation.progress:.0%}", generation.stage])))
    return "\n".join([*begun, *lines, *map(str, generation.notes)])


def _because(attempt: Attempt) -> str:
    return f": {attempt.error}" if attempt.error else ""


def _metrics(generation: Generation, outputs: Sequence[Output]) -> dict[str, Any]:
    """Return seconds and credits, what is known of them; the seed of the first output, the others' are the next ones;
    of each output how well what had to stay stayed."""
    if not generation.finished_at:
        return {}
    known = {
        "predict_time": generation.seconds,
        "total_time": (generation.finished_at - generation.created_at).total_seconds(),
        "cost": (generation.cost or 0) / MICRO,
        "seed": outputs[0].seed if outputs else None,
        "fidelity": [output.fidelity for output in outputs] if any(output.fidelity for output in outputs) else None,
    }
    return {name: value for name, value in known.items() if value is not None}
