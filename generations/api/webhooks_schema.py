"""What the resources of webhooks take and answer, for the reference; portal_webhooks.py and jobs_webhooks.py do it."""

from typing import Any

from generations.api import problem_json
from generations.api.described import Described
from generations.api.operations import (
    BODY_PROBLEMS,
    JSON,
    Answer,
    Group,
    Named,
    Operation,
    Schema,
    nullable,
    query,
    record,
)
from generations.models import Delivery
from generations.models.webhook import EVENTS, Event

GROUP = Group("Webhooks", error=problem_json.SCHEMA, security=("apiKey", "bearer", "token", "session"))
ID = "0b6e7f0c-4f7e-4c5e-9f6d-2a1f0f5b8c11"
BASE = "https://sceneshift.example"
AT = "2026-05-01T12:00:00.000Z"

_TEXT: Schema = {"type": "string"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_URL: Schema = {"type": "string", "format": "uri"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_MAYBE_TIME = nullable("string", format="date-time")
_EVENTS: Schema = {"type": "array", "items": {"enum": list(EVENTS)}, "minItems": 1}
_CHANGES: dict[str, Schema] = {
    "events": {**_EVENTS, "description": "What the address is told; without it, of a new one, everything."},
    "description": {"type": "string", "maxLength": 120},
    "enabled": {"type": "boolean"},
}

ENDPOINT = Named(
    "Webhook",
    record(
        {
            "id": _UUID,
            "url": _URL,
            "events": _EVENTS,
            "description": _TEXT,
            "enabled": {"type": "boolean"},
            "disabled_because": nullable("string", description="person, or gone: it answered 410."),
            "created_at": _TIME,
        }
    ),
)
_DELIVERY: dict[str, Schema] = {
    "id": _UUID,
    "message_id": {"type": "string", "description": "The webhook-id, the same in every attempt."},
    "webhook": nullable("string", format="uuid", description="The registered address; null where a request named it."),
    "prediction": nullable("string", format="uuid"),
    "event": {"enum": list(Event)},
    "url": _URL,
    "state": {"enum": list(Delivery.State)},
    "last_status": nullable("integer", description="What the last attempt was answered."),
    "last_error": nullable("string"),
    "next_at": nullable("string", format="date-time", description="When it is sent again, while it is pending."),
    "created_at": _TIME,
    "ended_at": _MAYBE_TIME,
}
_ATTEMPT = record(
    {
        "number": {"type": "integer"},
        "started_at": _TIME,
        "ended_at": nullable("string", format="date-time", description="null where the worker stopped meanwhile."),
        "status": nullable("integer"),
        "error": nullable("string"),
        "body": _TEXT,
        "answer": {"type": "string", "description": "The first 4 KiB."},
    }
)
DELIVERY = Named("Delivery", record(_DELIVERY))
DETAIL = Named("DeliveryDetail", record({**_DELIVERY, "attempts": {"type": "array", "items": _ATTEMPT}}))
SECRET = Named(
    "WebhookSecret",
    record(
        {
            "key": {"type": "string", "description": "whsec_ and base64, as Standard Webhooks has it."},
            "overlaps_until": nullable(
                "string", format="date-time", description="Until then the secret before it signs as well."
            ),
        }
    ),
)

_ENDPOINT_SAMPLE: dict[str, Any] = {
    "id": ID,
    "url": "https://shop.example.com/hook",
    "events": ["completed"],
    "description": "The shop",
    "enabled": True,
    "disabled_because": None,
    "created_at": AT,
}


def _page(of: Named) -> Schema:
    return record(
        {"next": nullable("string"), "previous": nullable("string"), "results": {"type": "array", "items": of}}
    )


_PAGES = (
    query("limit", "Rows of a page, 50 without it.", {"type": "integer", "minimum": 1, "maximum": 100}),
    query("cursor", "From next or previous.", _TEXT),
)
_WRITES = BODY_PROBLEMS | {"invalid_input", "forbidden"}

ENDPOINTS = Described(
    get=Operation(
        id="listWebhooks",
        summary="Addresses that are told of every run of the team",
        parameters=_PAGES,
        answers={200: Answer("Newest first.", _page(ENDPOINT))},
        problems=frozenset({"malformed_request", "forbidden"}),
    ),
    post=Operation(
        id="createWebhook",
        summary="Register an address",
        description="It is told of the runs that are submitted from now on. It must be on the public internet, over "
        "https.",
        body={
            JSON: {
                "schema": Named(
                    "NewWebhook",
                    record({"url": _URL, **_CHANGES}, optional=_CHANGES, additionalProperties=False),
                ),
                "example": {"url": "https://shop.example.com/hook", "events": ["completed"]},
            }
        },
        answers={201: Answer("Registered.", ENDPOINT, _ENDPOINT_SAMPLE)},
        problems=_WRITES,
    ),
)
ENDPOINT_ITEM = Described(
    get=Operation(
        id="getWebhook",
        summary="A registered address",
        answers={200: Answer("The address.", ENDPOINT, _ENDPOINT_SAMPLE)},
        problems=frozenset({"not_found", "forbidden"}),
    ),
    patch=Operation(
        id="changeWebhook",
        summary="Change what an address is told, or whether it is told anything",
        body={
            JSON: {
                "schema": Named("WebhookChange", record(_CHANGES, optional=_CHANGES, additionalProperties=False)),
                "example": {"enabled": False},
            }
        },
        answers={
            200: Answer("Changed.", ENDPOINT, {**_ENDPOINT_SAMPLE, "enabled": False, "disabled_because": "person"})
        },
        problems=_WRITES | {"not_found"},
    ),
    delete=Operation(
        id="deleteWebhook",
        summary="Forget an address",
        description="What was still to be sent to it is given up; its deliveries stay.",
        answers={204: Answer("Forgotten.")},
        problems=frozenset({"not_found", "forbidden"}),
    ),
)
TEST = Described(
    post=Operation(
        id="testWebhook",
        summary="Send an address an event that is a test",
        description="A team sends ten tests and replays a minute.",
        answers={202: Answer("It is being sent, once.", DETAIL)},
        problems=frozenset({"not_found", "forbidden", "rate_limited"}),
    )
)
DELIVERIES = Described(
    get=Operation(
        id="listDeliveries",
        summary="Everything that was sent, or is to be",
        parameters=(
            query("state", "Only those in this state.", {"type": "string", "enum": list(Delivery.State)}),
            query("webhook", "Only those to this registered address.", _UUID),
            query("prediction", "Only those of this prediction.", _UUID),
            *_PAGES,
        ),
        answers={200: Answer("Newest first.", _page(DELIVERY))},
        problems=frozenset({"malformed_request", "forbidden"}),
    )
)
DELIVERY_ITEM = Described(
    get=Operation(
        id="getDelivery",
        summary="A delivery with every attempt",
        answers={200: Answer("The delivery.", DETAIL)},
        problems=frozenset({"not_found", "forbidden"}),
    )
)
REPLAY = Described(
    post=Operation(
        id="replayDelivery",
        summary="Send an event once more",
        description="Under the same webhook-id, with a new timestamp, and links that are good now. A team sends "
        "ten tests and replays a minute.",
        answers={202: Answer("It is being sent.", DETAIL)},
        problems=frozenset({"not_found", "forbidden", "rate_limited"}),
    )
)
SECRET_ITEM = Described(
    get=Operation(
        id="getWebhookSecret",
        summary="What webhooks are signed with",
        answers={200: Answer("The team's secret.", SECRET, {"key": "whsec_…", "overlaps_until": None})},
        problems=frozenset({"forbidden"}),
    )
)
ROTATE = Described(
    post=Operation(
        id="rotateWebhookSecret",
        summary="Make a new secret",
        description="For 24 hours the one before it signs as well.",
        answers={200: Answer("The new one.", SECRET, {"key": "whsec_…", "overlaps_until": AT})},
        problems=frozenset({"forbidden"}),
    )
)
DEFAULT_SECRET = Described(
    get=Operation(
        id="getDefaultWebhookSecret",
        summary="What webhooks are signed with, where Replicate's clients ask for it",
        answers={200: Answer("The team's secret.", record({"key": _TEXT}), {"key": "whsec_…"})},
        problems=frozenset({"forbidden"}),
    )
)
