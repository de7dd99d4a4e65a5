"""The errors of the Segmind dialect. Every body is `{"error": …}`, and some codes are its own."""

import uuid
from collections.abc import Mapping

from rest_framework.response import Response

from generations.api import problems
from generations.api.operations import Named, record
from generations.api.problems import Problem
from generations.models import Generation

CODES: Mapping[str, int] = {"invalid_input": 400, "insufficient_credits": 406, "over_budget": 406}
"""Problems that have another code here than elsewhere."""

SCHEMA = Named(
    "SegmindError",
    record(
        {
            "error": {"type": "string", "description": "Names the field, its value and what is allowed."},
            "request_id": {"type": "string", "format": "uuid", "description": "Of a job that was accepted."},
        },
        optional=("request_id",),
    ),
)


def answer(problem: Problem) -> Response:
    """Return what a caller is told of a problem."""
    status = CODES.get(problem.kind, problem.status)
    return Response({"error": problem.detail}, status=status, headers=dict(problem.headers))


def out_of_time(generation_id: uuid.UUID) -> Response:
    return _about(generation_id, problems.out_of_time())


def ended(generation: Generation) -> Response:
    """Return the answer for a job that ended without a picture while its caller waited."""
    return _about(generation.id, problems.ended(generation))


def _about(generation_id: uuid.UUID, problem: Problem) -> Response:
    """Return an error of a job that was accepted, which it names as its picture's answer would."""
    request_id = str(generation_id)
    body = {"error": problem.detail, "request_id": request_id}
    return Response(body, status=problem.status, headers={"x-request-id": request_id})
