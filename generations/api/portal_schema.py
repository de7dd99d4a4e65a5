"""What the portal's resources take and answer, for the reference; portal_*.py do it."""

from collections.abc import Mapping
from typing import Any

from accounts.access import SCOPES, Right
from accounts.models import Kind, Role
from generations import catalogue
from generations.api import filters, pagination, portal_csv, problem_json
from generations.api.filters import Parse
from generations.api.operations import BODY_PROBLEMS, JSON, Answer, Group, Named, Operation, Schema, nullable, record
from generations.models.attempt import State
from generations.models.collection import Visibility
from generations.models.generation import Door, Fault, Status

GROUP = Group("Portal", error=problem_json.SCHEMA, security=("apiKey", "bearer", "token", "session"))
ID = "0b6e7f0c-4f7e-4c5e-9f6d-2a1f0f5b8c11"

SAYS = {
    "limit": "Rows of a page; 50 without.",
    "cursor": "As `next` and `previous` have it.",
    "created_after": "Later than this time, in UTC where it names no zone.",
    "created_before": "Earlier than this time.",
    "member": "The id of whoever made it.",
    "key": "The id of the API key.",
    "favourite": "The team's favourites, which are the same for all of its people.",
    "collection": "The id of a collection that you see.",
    "search": "Words that the prompt has, each somewhere and in any case. Goes with `model` alone.",
    "from": "The first day, in UTC.",
    "to": "The last day, in UTC, which is included.",
    "group_by": "What to tell apart, with commas; `day,model` without.",
    "format": "json, or csv as a file; `Accept: text/csv` does the same.",
    "kind": "Of this kind alone; then without balances.",
}

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
URL: Schema = {"type": "string", "format": "uri"}
UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
CREDITS: Schema = {"type": "number", "description": "Credits; 1 credit is 1 US dollar."}
NO_TIME: Schema = nullable("string", format="date-time")
NO_TEXT: Schema = nullable("string")
NO_CREDITS: Schema = nullable("number")


def choice(values: Any, *, optional: bool = False) -> Schema:
    return {"enum": [*values, None] if optional else list(values)}


def either(schema: Schema) -> Schema:
    """Return the schema of something that may not be there."""
    return {"anyOf": [schema, {"type": "null"}]}


def several(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


MEMBER = Named("PortalMember", record({"id": WHOLE, "name": NO_TEXT}))
KEY_NAME = Named("PortalKeyName", record({"id": WHOLE, "name": NO_TEXT, "prefix": NO_TEXT}))
OUTPUT = Named(
    "PortalOutput",
    record(
        {
            "id": UUID,
            "number": WHOLE,
            "url": {**URL, "description": "Signed, good for ten minutes."},
            "thumbnail": nullable("string", format="uri", description="For who is signed in; null to a key."),
            "content_type": TEXT,
            "width": WHOLE,
            "height": WHOLE,
            "seed": WHOLE,
            "fidelity": nullable("object", description="What became of the pixels that had to stay."),
        }
    ),
)
_SUMMARY: dict[str, Schema] = {
    "id": UUID,
    "url": URL,
    "page": URL,
    "model": choice(catalogue.MODELS),
    "door": choice(Door.values),
    "status": choice(Status.values),
    "prompt": TEXT,
    "engine": NO_TEXT,
    "seed": WHOLE,
    "estimate": CREDITS,
    "quote": {**CREDITS, "description": "What it may cost at most, in credits."},
    "cost": NO_CREDITS,
    "seconds": nullable("number"),
    "fault": choice([value for value in Fault.values if value], optional=True),
    "error": NO_TEXT,
    "favourite": TRUTH,
    "member": either(MEMBER),
    "key": either(KEY_NAME),
    "created_at": TIME,
    "started_at": NO_TIME,
    "finished_at": NO_TIME,
    "outputs": several(OUTPUT),
}
GENERATION = Named("PortalGeneration", record(_SUMMARY))
INPUT = Named(
    "PortalInput",
    record({"id": UUID, "url": URL, "content_type": TEXT, "width": WHOLE, "height": WHOLE, "size": WHOLE}),
)
ATTEMPT = Named(
    "PortalAttempt",
    record(
        {
            "number": WHOLE,
            "engine": TEXT,
            "state": choice(State.values),
            "seconds": nullable("number"),
            "error": NO_TEXT,
            "started_at": NO_TIME,
            "ended_at": NO_TIME,
        }
    ),
)
DETAIL = Named(
    "PortalGenerationDetail",
    record(
        {
            **_SUMMARY,
            "progress": {"type": "number", "minimum": 0, "maximum": 1},
            "stage": NO_TEXT,
            "parameters": {"type": "object"},
            "lock": TRUTH,
            "inputs": {"type": "object", "additionalProperties": INPUT},
            "stood_in_for": NO_TEXT,
            "notes": several(TEXT),
            "attempts": several(ATTEMPT),
            "may_change": {**TRUTH, "description": "Whether you may cancel, remove and restore it."},
        }
    ),
)
REMOVED = Named(
    "PortalRemoved",
    record({"id": UUID, "removed_at": NO_TIME, "restorable_until": NO_TIME, "restore_url": URL}),
)
_COLLECTION: dict[str, Schema] = {
    "id": UUID,
    "url": URL,
    "name": TEXT,
    "visibility": choice(Visibility.values),
    "owner": either(MEMBER),
    "created_at": TIME,
    "may_change": TRUTH,
}
COLLECTION = Named("PortalCollection", record(_COLLECTION))
COLLECTION_DETAIL = Named("PortalCollectionDetail", record({**_COLLECTION, "items": WHOLE}))
ITEM = Named("PortalCollectionItem", record({"added_at": TIME, "generation": GENERATION}))
BALANCE = Named("PortalBalance", record({"available": CREDITS, "posted": CREDITS, "held": CREDITS}))
ENTRY = Named(
    "PortalEntry",
    record(
        {
            "id": WHOLE,
            "kind": choice(Kind.values),
            "created_at": TIME,
            "model": NO_TEXT,
            "reference": {**UUID, "description": "Of a hold and its end, the generation's id."},
            "posted": {**CREDITS, "description": "What it adds to the credits that the team owns."},
            "held": {**CREDITS, "description": "What it adds to the credits that are set aside."},
            "balance": either(BALANCE),
            "member": either(MEMBER),
            "note": NO_TEXT,
        }
    ),
)
_FIGURES = {"runs": WHOLE, "cost": CREDITS}
USAGE = Named(
    "PortalUsage",
    record(
        {
            "from": {"type": "string", "format": "date"},
            "to": {"type": "string", "format": "date"},
            "time_zone": {"const": "UTC"},
            "group_by": several(TEXT),
            "total": record(_FIGURES),
            "results": several(
                record(
                    {
                        "day": {"type": "string", "format": "date"},
                        "model": TEXT,
                        "member": either(MEMBER),
                        "key": either(KEY_NAME),
                        **_FIGURES,
                    },
                    optional=("day", "model", "member", "key"),
                )
            ),
        }
    ),
)
_SPENT = record({"used": CREDITS, "limit": NO_CREDITS})
_KEY: dict[str, Schema] = {
    "id": WHOLE,
    "name": TEXT,
    "prefix": TEXT,
    "member": MEMBER,
    "made_by_key": nullable("integer"),
    "scopes": several(choice(SCOPES)),
    "models": {**several(TEXT), "description": "Those that it may run; empty for all."},
    "rate_limit": nullable("integer", description="Submits a minute; null for the installation's."),
    "day": _SPENT,
    "month": _SPENT,
    "is_active": TRUTH,
    "created_at": TIME,
    "expires_at": NO_TIME,
    "revoked_at": NO_TIME,
    "last_used_at": NO_TIME,
}
KEY = Named("PortalKey", record(_KEY))
NEW_KEY = Named("PortalNewKey", record({**_KEY, "key": {**TEXT, "description": "The key itself, shown this once."}}))
_PERSON: dict[str, Schema] = {"id": WHOLE, "name": NO_TEXT, "email": {"type": "string", "format": "email"}}
PERSON = Named("PortalPerson", record({**_PERSON, "role": choice(Role.values), "joined_at": TIME}))
_TEAM: dict[str, Schema] = {"id": WHOLE, "name": TEXT, "slug": TEXT, "role": choice(Role.values)}
TEAM = Named("PortalTeam", record({**_TEAM, "is_current": TRUTH}))
ACCOUNT = Named(
    "PortalAccount",
    record(
        {
            "user": record(_PERSON),
            "team": record(_TEAM),
            "key": either(KEY_NAME),
            "rights": several(choice(Right)),
            "balance": BALANCE,
        }
    ),
)
_PRICE = record({"estimate": CREDITS, "quote": CREDITS, "width": WHOLE, "height": WHOLE})
_MODEL: dict[str, Schema] = {
    "slug": choice(catalogue.MODELS),
    "url": URL,
    "page": URL,
    "run_url": URL,
    "title": TEXT,
    "description": TEXT,
    "price": either(_PRICE),
    "price_affected_by": several(TEXT),
}
MODEL = Named("PortalModel", record(_MODEL))
MODEL_DETAIL = Named(
    "PortalModelDetail", record({**_MODEL, "parameters": several({"type": "object"}), "schema": {"type": "object"}})
)


def paged(row: Schema) -> Schema:
    """Return a page of a list."""
    link = nullable("string", format="uri")
    return record({"next": link, "previous": link, "results": several(row)})


def listed(id: str, summary: str, row: Schema, *allowed: Mapping[str, Parse], problems: frozenset[str]) -> Operation:
    """Return the operation of a list in pages."""
    return Operation(
        id=id,
        summary=summary,
        parameters=tuple(each for one in (*allowed, pagination.PARAMETERS) for each in filters.described(one, SAYS)),
        answers={200: Answer("A page, newest first.", paged(row))},
        problems=problems | {"malformed_request", "forbidden"},
    )


def plain(id: str, summary: str, answer: Schema, **more: Any) -> Operation:
    """Return the operation of a question without filters."""
    problems = more.pop("problems", frozenset()) | {"forbidden", "malformed_request"}
    return Operation(id=id, summary=summary, answers={200: Answer("As it is now.", answer)}, problems=problems, **more)


def tabular(id: str, summary: str, answer: Schema, *allowed: Mapping[str, Parse], description: str = "") -> Operation:
    """Return the operation of what comes as JSON or as CSV."""
    offered = (*allowed, portal_csv.PARAMETERS)
    return Operation(
        id=id,
        summary=summary,
        description=description,
        parameters=tuple(each for one in offered for each in filters.described(one, SAYS)),
        answers={200: Answer("As asked for.", answer, content={portal_csv.CONTENT_TYPE: {"schema": TEXT}})},
        problems=frozenset({"malformed_request", "forbidden"}),
    )


def writing(id: str, summary: str, taken: Schema, example: Any, code: int, answer: Schema, **more: Any) -> Operation:
    """Return the operation of something that takes a JSON body."""
    return Operation(
        id=id,
        summary=summary,
        body={JSON: {"schema": taken, "example": example}},
        answers={code: Answer("Done.", answer)},
        problems=BODY_PROBLEMS | {"invalid_input", "forbidden"} | more.pop("problems", frozenset()),
        **more,
    )


def doing(id: str, summary: str, answer: Schema | None, *, code: int = 200, problems: frozenset[str]) -> Operation:
    """Return the operation of something that is done without a body."""
    return Operation(
        id=id,
        summary=summary,
        answers={code: Answer("Done.", answer)},
        problems=problems | {"forbidden"},
    )


FOUND = frozenset({"not_found"})
OF_GENERATION = frozenset({"not_found", "removed"})
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 80}
SEVERAL = record({"generations": {**several(UUID), "minItems": 1, "maxItems": 500}})
LIMITS: dict[str, Schema] = {
    "models": several(choice(catalogue.MODELS)),
    "rate_limit": nullable("integer", minimum=1),
    "daily": nullable("number", exclusiveMinimum=0),
    "monthly": nullable("number", exclusiveMinimum=0),
}
