"""The errors of OpenAI's dialect: `{"error": {message, type, param, code}}`, in the codes that its clients know."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rest_framework.response import Response

from generations.api.operations import Named, nullable, record
from generations.api.problems import Problem

SCHEMA = Named(
    "OpenAIError",
    record(
        {
            "error": record(
                {
                    "message": {"type": "string", "description": "Names the field, its value and what is allowed."},
                    "type": {"type": "string"},
                    "param": nullable("string", description="The field."),
                    "code": nullable("string", description="The kind, in OpenAI's word where it has one."),
                }
            )
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Told:
    """How a kind is told. status, code: None for the kind's own. param: the field, where the kind knows it."""

    status: int | None = None
    type: str = ""
    code: str | None = None
    param: str | None = None


KINDS: Mapping[str, Told] = MappingProxyType(
    {
        "invalid_input": Told(400, code="invalid_value"),
        "unknown_model": Told(code="model_not_found", param="model"),
        "unauthorized": Told(code="invalid_api_key"),
        "unsupported_content_type": Told(400),
        "insufficient_credits": Told(429, "insufficient_quota", "insufficient_quota"),
        "over_budget": Told(429, "insufficient_quota", "insufficient_quota"),
        "model_not_allowed": Told(param="model"),
        "rate_limited": Told(type="requests", code="rate_limit_exceeded"),
        "too_many_jobs": Told(type="requests"),
        "too_many_fetches": Told(type="requests"),
    }
)
"""Kinds that are told in other words than their own."""

RETRIED = frozenset({"rate_limited", "too_many_jobs", "too_many_fetches", "idempotency_key_in_use"})
"""Kinds that a client may send again by itself: no job was made, or the key finds it.

Every other answer forbids it. The clients send 408, 409, 429 and 5xx again without being asked to, which after a job
was accepted would make, and charge, a second one.
"""


def answer(problem: Problem, accepted: uuid.UUID | None = None) -> Response:
    """Return what a caller is told of a problem; `accepted` is the job that was accepted before it."""
    told = KINDS.get(problem.kind, Told())
    status = told.status or problem.status
    first = problem.fields[0] if problem.fields else None
    is_missing = first is not None and first.value == "" and " is required" in first.message
    body = {
        "message": problem.detail,
        "type": told.type or ("server_error" if status >= 500 else "invalid_request_error"),
        "param": first.field if first else told.param,
        "code": "missing_required_parameter" if is_missing else told.code or problem.kind,
    }
    headers = {**problem.headers, "x-should-retry": "true" if problem.kind in RETRIED else "false"}
    if accepted:
        headers["x-request-id"] = str(accepted)
    return Response({"error": body}, status=status, headers=headers)
