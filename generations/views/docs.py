"""The documentation, for anybody: made from the catalogue, the OpenAPI document and the settings."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import session
from accounts.access import actor_of
from generations import catalogue, idempotency
from generations import reference as documents
from generations.catalogue import ImageModel
from generations.catalogue import reference as tables
from generations.imaging import limits as pictures
from generations.submission import Price
from generations.views import docs_operations, home, values
from generations.webhooks import schedule, signing

CLIENTS: Mapping[str, str] = {"segmind": "Segmind", "replicate": "Replicate", "openai": "OpenAI"}
"""Whom apps move from: the word in the address → the name."""

PICTURES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bg-replace": (
        ("demo/perfume.jpg", "The image"),
        ("demo/beach.jpg", "The reference image"),
        ("demo/perfume-on-beach.jpg", "The result, made by the built-in CPU engine"),
    ),
}
"""A model's example as static files, with what they are."""
MIB = 2**20


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    model = catalogue.get("bg-replace")
    given = {"prompt": "a perfume bottle on a beach, in the evening sun"}
    context = {"snippets": values.code(model, given, settings.PUBLIC_URL), "seconds_waited": settings.V1_DEADLINE}
    return _page(request, "start", context)


@require_safe
def model(request: HttpRequest, slug: str) -> HttpResponse:
    declared = catalogue.MODELS.get(slug)
    if declared is None:
        raise Http404(f"{slug}: there is no such image model")
    context = {
        "model": declared,
        "picture": home.picture(slug),
        "pictures": PICTURES.get(slug, ()),
        "rows": tables.rows(declared),
        "snippets": values.code(declared, {}, settings.PUBLIC_URL),
        "seconds": values.seconds(declared, {}),
        "price": _price(request, declared),
        "kinds": _kinds_of(f"/v1/{slug}"),
        "operation": documents.document()["paths"][f"/v1/{slug}"]["post"]["operationId"].removeprefix("run"),
    }
    return _page(request, "model", context)


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    return _page(request, "reference", {"doors": docs_operations.doors()})


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    return _page(request, "errors", {"problems": documents.document()["x-problems"]})


@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    context = {
        "settings": settings,
        "body_mib": settings.MAX_BODY_BYTES // MIB,
        "side": pictures.API_SIDE,
        "link_minutes": settings.LINK_SECONDS // 60,
        "upload_hours": settings.UPLOAD_SECONDS // 3600,
        "deadline_minutes": settings.JOB_DEADLINE // 60,
        "key_hours": int(idempotency.KEPT.total_seconds()) // 3600,
        "key_longest": idempotency.LONGEST,
    }
    return _page(request, "limits", context)


@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    context = {
        "seconds_allowed": settings.WEBHOOK_SECONDS,
        "delays": [_span(delay) for delay in schedule.DELAYS if delay],
        "overlap_hours": int(signing.OVERLAP.total_seconds()) // 3600,
    }
    return _page(request, "webhooks", context)


@require_safe
def migrate(request: HttpRequest, client: str) -> HttpResponse:
    if client not in CLIENTS:
        raise Http404(f"{client}: there is no such guide")
    return _page(request, f"migrate-{client}", {"client": client, "name": CLIENTS[client]})


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = {"models": catalogue.MODELS, "clients": CLIENTS, "base_url": settings.PUBLIC_URL}
    return render(request, f"docs/{name}.html", {**shared, **context})


def _span(seconds: int) -> str:
    """Return a time in words: "5 minutes"."""
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def _price(request: HttpRequest, declared: ImageModel) -> Price | None:
    """Return what the defaults cost the reader's team; None for who is in none."""
    place = session.membership(request)
    return values.usual_price(declared, actor_of(place)) if place else None


def _kinds_of(path: str) -> list[dict[str, Any]]:
    """Return the problems that a POST to a path may end in."""
    document = documents.document()
    operation = document["paths"][path]["post"]
    door, answers = operation["tags"][0], operation["responses"].values()
    named = {kind for answer in answers for media in answer["content"].values() for kind in media.get("examples", ())}
    return [
        {**problem, "code": problem["codes"][door]} for problem in document["x-problems"] if problem["kind"] in named
    ]
