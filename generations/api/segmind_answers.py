"""What the Segmind dialect answers: bodies and headers, from a generation."""

from collections.abc import Mapping, Sequence
from typing import Any

import pybase64
from django.conf import settings
from django.http import HttpResponse
from rest_framework.response import Response

from accounts import ledger
from accounts.credits import MICRO
from generations import delivery
from generations.api import job_headers
from generations.models import Generation, Output
from generations.models.attempt import State
from generations.models.generation import Status
from generations.statements.terms import Final
from generations.submission import Submission

ATTEMPTS: Mapping[str, str] = {
    State.QUEUED: "QUEUED",
    State.SUBMITTING: "PROCESSING",
    State.SUBMITTED: "PROCESSING",
    State.DONE: "COMPLETED",
    State.FAILED: "FAILED",
    State.CANCELED: "CANCELED",
    State.UNKNOWN: "UNKNOWN",
}
"""An attempt's state in this dialect's words."""


def queued(accepted: Submission) -> Response:
    """Return the answer to a v2 submit. Its URLs are absolute: clients poll relative ones for ever."""
    request_id = str(accepted.generation.id)
    urls = _urls(request_id)
    body = {
        "request_id": request_id,
        "status": "QUEUED",
        "poll_url": f"{_base()}/v1/requests/{request_id}",
        **urls,
    }
    return Response(body, headers=job_headers.ignored(accepted.ignored))


def finished(final: Final, ignored: Sequence[str], accept: str) -> HttpResponse:
    """Return the answer to a v1 submit: the picture's bytes, or JSON where that was asked for."""
    headers = {**job_headers.of(final), **job_headers.ignored(ignored)}
    if wants_json(final.generation.params, accept):
        return Response(_body(final), headers=headers)
    data, content_type = delivery.image(final.outputs[0])
    return HttpResponse(data, content_type=content_type, headers=headers)


def wants_json(params: Mapping[str, Any], accept: str) -> bool:
    """Return whether the answer is JSON: axios names application/json by default, but with */* beside it."""
    only_json = "application/json" in accept and "*/*" not in accept and "image/" not in accept
    return bool(params["base64"]) or params["samples"] > 1 or only_json


def status(generation: Generation) -> dict[str, Any]:
    """Return where a request stands; its attempts are loaded."""
    if generation.status != Status.SUCCEEDED:
        word = "QUEUED" if generation.status == Status.QUEUED else "PROCESSING"
        return {"status": word, **_identity(generation), **_made_by(generation), "metrics": {}}
    return {"status": "COMPLETED", **_identity(generation), **_made_by(generation), "metrics": _metrics(generation)}


def result(generation: Generation) -> dict[str, Any]:
    """Return the result; of one that goes on, where it stands."""
    if generation.status != Status.SUCCEEDED:
        return status(generation)
    outputs = list(generation.outputs.order_by("number"))
    images = [_image(output) for output in outputs]
    return {
        "status": "COMPLETED",
        "request_id": str(generation.id),
        "output": images[0]["url"],
        "images": images,
        "seed": generation.seed,
        "prompt": generation.params.get("prompt", ""),
        "timings": {"inference": generation.seconds},
        **_made_by(generation),
        "metrics": _metrics(generation),
    }


def polled(generation: Generation) -> dict[str, Any]:
    """Return what poll_url shows: the status, and the output once there is one."""
    return {**status(generation), **result(generation)}


def failed(generation: Generation) -> dict[str, Any]:
    """Return the body of a request that ended without a picture."""
    error = generation.error or "The request was canceled."
    return {
        "status": "FAILED",
        **_identity(generation),
        "error": error,
        **_made_by(generation),
        "metrics": _metrics(generation),
    }


# --- parts --------------------------------------------------------------------------------------------------


def _base() -> str:
    base: str = settings.PUBLIC_URL
    return base


def _urls(request_id: str) -> dict[str, str]:
    at = f"{_base()}/v2/requests/{request_id}"
    return {"status_url": f"{at}/status", "response_url": at}


def _identity(generation: Generation) -> dict[str, str]:
    return {"request_id": str(generation.id), **_urls(str(generation.id))}


def _made_by(generation: Generation) -> dict[str, Any]:
    """Return the engine that made it or, before that, was asked last, and each attempt (seconds: of its work)."""
    attempts = generation.attempts.all()
    listed = [
        {"engine": each.engine, "status": ATTEMPTS[each.state], "seconds": each.elapsed, "error": each.error or None}
        for each in attempts
    ]
    return {"engine": generation.engine or (listed[-1]["engine"] if listed else ""), "attempts": listed}


def _body(final: Final) -> dict[str, Any]:
    generation, outputs = final.generation, final.outputs
    delivered = [_delivered(output, inline=bool(generation.params["base64"])) for output in outputs]
    images = [image for image, _ in delivered]
    return {
        "status": "Success",
        "image": images[0],
        "images": images,
        "outputs": len(images),
        "infer_time": generation.seconds,
        "seed": generation.seed,
        "seeds": [output.seed for output in outputs],
        "image_format": delivered[0][1],
        "cost": (generation.cost or 0) / MICRO,
        "remaining_credits": final.available / MICRO,
        "request_id": str(generation.id),
    }


def _delivered(output: Output, *, inline: bool) -> tuple[str, str]:
    """Return an image as JSON carries it, and its format."""
    content = pybase64.b64encode_as_string(delivery.image(output)[0]) if inline else delivery.link(output)
    return content, delivery.content_type(output).removeprefix("image/")


def _image(output: Output) -> dict[str, Any]:
    content_type = delivery.content_type(output)
    return {
        "url": delivery.link(output),
        "content_type": content_type,
        "file_name": f"{output.id}.{delivery.EXTENSIONS[content_type]}",
        "file_size": delivery.size(output),
    }


def _metrics(generation: Generation) -> dict[str, Any]:
    """Return cost in credits and times in seconds."""
    created, started, finished = generation.created_at, generation.started_at, generation.finished_at
    return {
        "cost": (generation.cost or 0) / MICRO,
        "remaining_credits": ledger.balance(generation.team_id).available / MICRO,
        "inference_time": generation.seconds,
        "queue_time": (started - created).total_seconds() if started else None,
        "total_time": (finished - created).total_seconds() if finished else None,
        "retry_count": max(len(generation.attempts.all()) - 1, 0),
    }
