"""The words in which a view says what it takes and answers: operations, answers, named schemas.

described.py makes OpenAPI of them. Problems are named by their kinds (kinds.py).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.catalogue import ImageModel

Schema = dict[str, Any]
JSON = "application/json"
FORM = "multipart/form-data"
HEADERS: Mapping[str, Schema] = {
    "x-request-id": {
        "description": "The id of the request; of a job's answer, the job's.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'The limit and its window: "default";q=1000;w=60. Absent where none is set.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left (r) and for how many seconds (t): "default";r=998;t=42.',
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "x-rate-limit-reset-at-utc": {
        "description": "When to come back.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that are served.", "schema": {"type": "string"}},
}
"""Headers that many answers have; the document holds each once."""

BODY_PROBLEMS = frozenset({"malformed_request", "unsupported_content_type", "body_too_large"})
SUBMIT_PROBLEMS = BODY_PROBLEMS | {
    "invalid_input",
    "insufficient_credits",
    "forbidden",
    "no_engine",
    "rate_limited",
    "too_many_jobs",
    "too_many_fetches",
    "idempotency_key_reused",
    "idempotency_key_in_use",
    "over_budget",
    "model_not_allowed",
}
WAIT_PROBLEMS = frozenset({"rejected", "engine_failed", "out_of_time", "canceled"})


class Named(dict[str, Any]):
    """A reference to a schema that the document holds once, under its name."""

    def __init__(self, name: str, schema: Schema) -> None:
        super().__init__({"$ref": f"#/components/schemas/{name}"})
        self.name = name
        self.schema = schema


@dataclass(frozen=True, slots=True)
class Group:
    """The views of one door. error: the schema of its errors. security: names of schemes, any of which will do."""

    tag: str
    error: Named
    security: tuple[str, ...] = ("apiKey", "bearer", "token")


@dataclass(frozen=True, slots=True)
class Answer:
    """schema: of its JSON. content: other media types. example: a real one. headers: name → what it says."""

    description: str
    schema: Schema | None = None
    example: Any = None
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path.

    parameters: of query and headers, as OpenAPI has them; those of the path are found. body: media type → media type
    object. problems: kinds, beside those that every operation has. is_open: needs no key.
    """

    id: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    parameters: tuple[Schema, ...] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)
    body_required: bool = True
    problems: frozenset[str] = frozenset()
    is_open: bool = False


OfModel = Callable[[ImageModel], Operation]


def name_of(model: ImageModel) -> str:
    """Return a model's slug as a part of a name: "BgReplace"."""
    return "".join(word.capitalize() for word in model.slug.replace(".", "").split("-"))


def query(name: str, description: str, schema: Schema, *, required: bool = False) -> Schema:
    """Return a parameter of the query."""
    return {"name": name, "in": "query", "description": description, "required": required, "schema": schema}


def header(name: str, description: str, schema: Schema) -> Schema:
    """Return an optional header of the request."""
    return {"name": name, "in": "header", "description": description, "required": False, "schema": schema}


def nullable(kind: str, **more: Any) -> Schema:
    return {"type": [kind, "null"], **more}


def record(properties: Mapping[str, Schema], *, optional: Iterable[str] = (), **more: Any) -> Schema:
    """Return the schema of an object whose properties are all there but those in `optional`."""
    missing = set(optional)
    required = [name for name in properties if name not in missing]
    return {"type": "object", "properties": dict(properties), "required": required, **more}


def page(item: Schema) -> Schema:
    """Return the schema of a list in pages."""
    address = nullable("string", format="uri", description="The address of that page, null where there is none.")
    return record({"next": address, "previous": address, "results": {"type": "array", "items": item}})


def paging(most: int, usual: int) -> tuple[Schema, ...]:
    """Return the parameters that every list in pages takes."""
    return (
        query("limit", "Rows in a page.", {"type": "integer", "minimum": 1, "maximum": most, "default": usual}),
        query("cursor", "Which page; it comes with next and previous.", {"type": "string"}),
    )


ALLOW_FALLBACK = header(
    "x-allow-fallback",
    "Whether an engine that does not read the prompt may stand in; without it, as the team has it.",
    {"type": "string", "enum": ["true", "false"]},
)
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "Any text of your own. The same request under the same key, sent again within a day, "
    "gets the first one's answer and makes no second job.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
