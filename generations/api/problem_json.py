"""Problems as RFC 9457 has them: what the jobs API and the portal's resources answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from rest_framework.response import Response

from generations.api.operations import Named, record
from generations.api.problems import Problem
from generations.catalogue.validation import FieldError

CONTENT_TYPE = "application/problem+json"
SCHEMA = Named(
    "Problem",
    record(
        {
            "type": {"type": "string", "format": "uri", "description": "Says more about this kind."},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "Names the field, its value and what is allowed."},
            "errors": {
                "type": "array",
                "description": "What is wrong with the body; pointer is a JSON Pointer into it.",
                "items": record({"detail": {"type": "string"}, "pointer": {"type": "string"}}),
            },
        },
        optional=("errors",),
        description="RFC 9457. Some kinds carry figures of their own beside these, such as balance and required.",
    ),
)


def answer(problem: Problem, *, under: Sequence[str] = ()) -> Response:
    """Return a problem; `under` is where in the body the fields lie that it names."""
    body = {
        "type": f"{settings.PUBLIC_URL}/docs/errors#{problem.kind}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.facts,
    }
    if problem.fields:
        body["errors"] = [_field(error, under) for error in problem.fields]
    return Response(body, status=problem.status, headers=dict(problem.headers), content_type=CONTENT_TYPE)


def _field(error: FieldError, under: Sequence[str]) -> Mapping[str, Any]:
    """Return one wrong field; its pointer is a JSON Pointer (RFC 6901) into the body, as a URI fragment. What is no
    field's is the whole's."""
    path = (*under, error.field) if error.field else under
    steps = (step.replace("~", "~0").replace("/", "~1") for step in path)
    return {"detail": error.message, "pointer": "#" + "".join(f"/{step}" for step in steps)}
