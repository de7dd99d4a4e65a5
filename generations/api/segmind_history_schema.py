"""What the Segmind dialect's record takes and answers, for the reference; segmind_history.py does it."""

from generations.api import operations
from generations.api.described import Described
from generations.api.operations import Answer, Named, Operation, Schema, nullable, record
from generations.catalogue import MODELS as CATALOGUE

_TEXT: Schema = {"type": "string"}
_CREDITS: Schema = {"type": "number", "description": "Credits; 1 credit is 1 US dollar."}
_TIME: Schema = {"type": "string", "format": "date-time"}
_URL = nullable("string", format="uri", description="A picture, by a link that is good for ten minutes.")
_STATUS: Schema = {"type": "string", "enum": ["COMPLETED", "FAILED", "PENDING"]}
_INPUT: Schema = {"type": "object", "description": "The whole input; pictures by addresses for keys of the team."}

_ROW: dict[str, Schema] = {
    "request_id": {"type": "string", "format": "uuid"},
    "model_name": _TEXT,
    "model_status": _STATUS,
    "status": {**_STATUS, "description": "The same."},
    "credits_deduction": {**_CREDITS, "description": "Credits for the whole request, on each of its rows."},
    "request_body": _INPUT,
    "parameters": {**_INPUT, "description": "The same."},
    "prompt": _TEXT,
    "seed": {"type": "integer"},
    "generation_url": _URL,
    "latency_ms": nullable("integer", description="From submit to end."),
    "created_at": _TIME,
    "model_created": {**_TIME, "description": "The same."},
    "finished_at": nullable("string", format="date-time"),
    "user_id": nullable("string"),
    "error": nullable("string"),
}
ROW = Named("SegmindRow", record(_ROW, description="A request, or one picture of it where it has several."))
_PAGING: dict[str, Schema] = {
    "page": {"type": "integer"},
    "per_page": {"type": "integer"},
    "next_page": nullable("integer", description="null on the last page."),
}
REQUESTS = Named("SegmindRequests", record({"requests": {"type": "array", "items": ROW}, **_PAGING}))
PICTURES = Named("SegmindGenerations", record({"generations": {"type": "array", "items": ROW}, **_PAGING}))
REQUEST = Named(
    "SegmindRequest",
    record({**_ROW, "generation_urls": {"type": "array", "items": {"type": "string", "format": "uri"}}}),
)
MODEL = record(
    {
        "title": _TEXT,
        "type": {"const": "imageToImage"},
        "description": _TEXT,
        "slug": {"type": "string", "enum": list(CATALOGUE)},
        "parameters": {"type": "object", "description": "JSON Schema of each parameter, and whether it is required."},
        "typical_seconds": {"type": "number"},
        "typical_price": _CREDITS,
    }
)
MODEL_LIST = Named("SegmindModels", record({"models": {"type": "array", "items": MODEL}}))
WHO = Named(
    "SegmindAccount",
    record(
        {
            "user_id": _TEXT,
            "email": {"type": "string", "format": "email"},
            "username": _TEXT,
            "team": _TEXT,
            "subscription": record({"plan": {"const": "prepaid"}, "status": {"const": "active"}}),
            "credits": record({"balance": _CREDITS, "used": _CREDITS, "total": _CREDITS}),
        }
    ),
)

_DAY: Schema = {"type": "string", "format": "date"}
_SLUG: Schema = {"type": "string", "enum": list(CATALOGUE)}
_PAGE = operations.query("page", "From 1; pages reach 10,000 rows.", {"type": "integer", "minimum": 1})
_USER = operations.query("user_id", "Requests of one person.", {"type": "integer"})
_PROBLEMS = frozenset({"malformed_request", "forbidden"})

HISTORY = Described(
    get=Operation(
        id="listRequests",
        summary="Requests, whatever became of them",
        description="Newest first. A request that made several pictures is a row for each of them.",
        parameters=(
            _PAGE,
            operations.query("per_page", "Rows.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
            operations.query("from_date", "The first day (UTC); a week before the last. 31 days at most.", _DAY),
            operations.query("to_date", "The last day; today.", _DAY),
            operations.query("model_name", "A model's slug, or a part of it.", _TEXT),
            operations.query("status", "What became of it.", _STATUS),
            _USER,
            operations.query("user_email", "Requests of one person.", _TEXT),
            operations.query(
                "sort_by",
                "The order; of at most 50,000 requests where it is by credits.",
                {"type": "string", "enum": ["model_created", "model_name", "credits_deduction"]},
            ),
            operations.query("sort_order", "Its direction.", {"type": "string", "enum": ["desc", "asc"]}),
        ),
        answers={200: Answer("A page.", REQUESTS)},
        problems=_PROBLEMS,
    )
)
ENTRY = Described(
    get=Operation(
        id="getRequestEntry",
        summary="One request, of any age",
        answers={200: Answer("Its first picture's row, and the links to all.", REQUEST)},
        problems=frozenset({"not_found", "forbidden"}),
    )
)
GENERATIONS = Described(
    get=Operation(
        id="listGenerationRecords",
        summary="Pictures",
        description="Newest first, 20 a page.",
        parameters=(
            _PAGE,
            operations.query("model_name", "A model's slug.", _SLUG),
            operations.query("start_date", "The first day (UTC).", _DAY),
            operations.query("end_date", "The last day.", _DAY),
            _USER,
        ),
        answers={200: Answer("A page.", PICTURES)},
        problems=_PROBLEMS,
    )
)
RECENT = Described(
    get=Operation(
        id="listRecentGenerations",
        summary="A model's newest pictures",
        parameters=(operations.query("model_name", "A model's slug.", _SLUG, required=True),),
        answers={200: Answer("The newest 20.", PICTURES)},
        problems=_PROBLEMS,
    )
)
MODELS = Described(
    get=Operation(
        id="listSegmindModels",
        summary="The models and their parameters",
        answers={200: Answer("All of them.", MODEL_LIST)},
        problems=frozenset({"forbidden"}),
    )
)
ACCOUNT = Described(
    get=Operation(
        id="getSegmindAccount",
        summary="Whose key it is, and what its team has",
        answers={200: Answer("Credits are the team's; total is what it ever had.", WHO)},
        problems=frozenset({"forbidden"}),
    )
)
