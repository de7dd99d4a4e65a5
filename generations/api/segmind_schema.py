"""What the Segmind dialect takes and answers, for the reference; segmind.py does it."""

from collections.abc import Mapping
from typing import Any

from generations.api import operations, samples, segmind_errors
from generations.api.described import Described
from generations.api.operations import (
    BODY_PROBLEMS,
    FORM,
    JSON,
    SUBMIT_PROBLEMS,
    WAIT_PROBLEMS,
    Answer,
    Group,
    Named,
    Operation,
    Schema,
    nullable,
    record,
)
from generations.catalogue import MODELS, ImageModel, schema

GROUP = Group("Segmind API", error=segmind_errors.SCHEMA)
ID = samples.ID
BASE = "https://sceneshift.example"
WORDS = ("QUEUED", "PROCESSING", "COMPLETED")

_TEXT: Schema = {"type": "string"}
_URL: Schema = {"type": "string", "format": "uri"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_CREDITS: Schema = {"type": "number", "description": "Credits; 1 credit is 1 US dollar."}
_SECONDS: Schema = nullable("number", description="Seconds.")
_WHERE: dict[str, Schema] = {"status_url": _URL, "response_url": _URL}
_BINARY: Schema = {"schema": {"type": "string", "format": "binary"}}

RESULT = Named(
    "SegmindResult",
    record(
        {
            "status": {"const": "Success"},
            "image": {"type": "string", "description": "The first: base64 where `base64` is true, else a signed URL."},
            "images": {"type": "array", "items": _TEXT, "minItems": 1},
            "outputs": {"type": "integer"},
            "infer_time": _SECONDS,
            "seed": {"type": "integer"},
            "seeds": {"type": "array", "items": {"type": "integer"}},
            "image_format": {"enum": ["jpeg", "png", "webp"]},
            "cost": _CREDITS,
            "remaining_credits": _CREDITS,
            "request_id": _UUID,
        }
    ),
)
METRICS = Named(
    "SegmindMetrics",
    record(
        {
            "cost": _CREDITS,
            "remaining_credits": _CREDITS,
            "inference_time": _SECONDS,
            "queue_time": _SECONDS,
            "total_time": _SECONDS,
            "retry_count": {"type": "integer"},
        },
        optional=("cost", "remaining_credits", "inference_time", "queue_time", "total_time", "retry_count"),
        description="Empty until the job has ended.",
    ),
)
ATTEMPT = Named(
    "SegmindAttempt",
    record(
        {
            "engine": _TEXT,
            "status": {"enum": ["QUEUED", "PROCESSING", "COMPLETED", "FAILED", "CANCELED", "UNKNOWN"]},
            "seconds": _SECONDS,
            "error": nullable("string"),
        }
    ),
)
_MADE_BY: dict[str, Schema] = {
    "engine": {"type": "string", "description": "Made it or, before that, was asked last."},
    "attempts": {"type": "array", "items": ATTEMPT},
}
STATUS = Named(
    "SegmindStatus",
    record({"status": {"enum": list(WORDS)}, "request_id": _UUID, **_WHERE, **_MADE_BY, "metrics": METRICS}),
)
_IMAGE = record({"url": _URL, "content_type": _TEXT, "file_name": _TEXT, "file_size": {"type": "integer"}})
_OUTPUT: dict[str, Schema] = {
    "output": {**_URL, "description": "The first picture's signed URL, good for ten minutes; ask again for a new one."},
    "images": {"type": "array", "items": _IMAGE},
    "seed": {"type": "integer"},
    "prompt": _TEXT,
    "timings": record({"inference": _SECONDS}),
}
RESPONSE = Named(
    "SegmindResponse",
    record(
        {"status": {"enum": list(WORDS)}, "request_id": _UUID, **_WHERE, **_OUTPUT, **_MADE_BY, "metrics": METRICS},
        optional=(*_WHERE, *_OUTPUT),
        description="A status; with the pictures once it is COMPLETED.",
    ),
)
FAILED = Named(
    "SegmindFailed",
    record(
        {"status": {"const": "FAILED"}, "request_id": _UUID, **_WHERE, "error": _TEXT, **_MADE_BY, "metrics": METRICS}
    ),
)
QUEUED = Named(
    "SegmindQueued", record({"request_id": _UUID, "status": {"const": "QUEUED"}, "poll_url": _URL, **_WHERE})
)
CREDITS = Named("SegmindCredits", record({"credits": _CREDITS, "free-credits": {"type": "number"}}))
UPLOADED = Named(
    "SegmindUploaded",
    record(
        {
            "file_urls": {"type": "array", "items": _URL},
            "urls": {"type": "array", "items": _URL, "description": "The same."},
            "message": _TEXT,
        }
    ),
)

_IGNORED = {"x-ignored-parameters": "Names in the body that no parameter has."}
_PICTURE_HEADERS: Mapping[str, str] = {
    "x-cost": "Credits that were charged.",
    "x-remaining-credits": "Credits that are left.",
    "x-generation-time": "Seconds that the engine took.",
    "x-seed-value": "The seed that was used.",
    "x-output-metadata": "JSON: height, width and samples.",
    "x-engine": "The engine that made it.",
    "x-fallback": "true, where another engine stood in.",
    **_IGNORED,
}


def run(model: ImageModel) -> Operation:
    return Operation(
        id=f"run{operations.name_of(model)}",
        summary=f"{model.title}: wait for the picture",
        description=f"{model.description} The answer waits for the job; after the deadline it is a 504 with the "
        f"request_id, and the job goes on. Typical: {model.typical}.",
        parameters=(operations.ALLOW_FALLBACK, operations.IDEMPOTENCY_KEY),
        body=body(model),
        answers={
            200: Answer(
                "The picture; or JSON where `base64` is true, `samples` is more than 1, or only JSON is accepted.",
                RESULT,
                _result(),
                content={"image/jpeg": _BINARY, "image/png": _BINARY},
                headers=_PICTURE_HEADERS,
            )
        },
        problems=SUBMIT_PROBLEMS | WAIT_PROBLEMS,
    )


def queue(model: ImageModel) -> Operation:
    at = f"{BASE}/v2/requests/{ID}"
    where = {"status_url": f"{at}/status", "response_url": at}
    return Operation(
        id=f"queue{operations.name_of(model)}",
        summary=f"{model.title}: submit and poll",
        description="Answers at once with the addresses to poll.",
        parameters=(operations.ALLOW_FALLBACK, operations.IDEMPOTENCY_KEY),
        body=body(model),
        answers={
            200: Answer(
                "Accepted.",
                QUEUED,
                {"request_id": ID, "status": "QUEUED", "poll_url": f"{BASE}/v1/requests/{ID}", **where},
                headers=_IGNORED,
            )
        },
        problems=SUBMIT_PROBLEMS,
    )


def body(model: ImageModel) -> dict[str, Schema]:
    """Return what both submits take: JSON, or the same names in a form with the pictures as files."""
    taken = schema.input_schema(model, unknown="ignore")
    name = operations.name_of(model)
    return {
        JSON: {"schema": Named(f"{name}Body", taken), "example": samples.of(model)},
        FORM: {"schema": Named(f"{name}Form", _as_form(model, taken))},
    }


def _as_form(model: ImageModel, taken: Schema) -> Schema:
    file = {"type": "string", "format": "binary"}
    shown = {
        name: {**each, **file, "description": f"{each['description']} A file."} if name in model.image_names else each
        for name, each in taken["properties"].items()
    }
    return {**taken, "properties": shown}


def _result() -> dict[str, Any]:
    return {
        "status": "Success",
        "image": f"{BASE}/outputs/…",
        "images": [f"{BASE}/outputs/…", f"{BASE}/outputs/…"],
        "outputs": 2,
        "infer_time": 1.84,
        "seed": 12467,
        "seeds": [12467, 12468],
        "image_format": "jpeg",
        "cost": 0.0026,
        "remaining_credits": 24.9974,
        "request_id": ID,
    }


def _about(id: str, summary: str, taken: Schema, description: str = "") -> Described:
    """Return what a question about a request answers."""
    return Described(
        get=Operation(
            id=id,
            summary=summary,
            description=description,
            answers={
                200: Answer("Where it stands.", taken),
                422: Answer("The job failed or was canceled; it cost nothing.", FAILED),
            },
            problems=frozenset({"not_found", "picture_lost"}),
        )
    )


RUN = Described(paths={"slug": MODELS}, post=run)
QUEUE = Described(paths={"slug": MODELS}, post=queue)
POLL = _about("pollRequest", "A request: status, and output once it is done", RESPONSE, "What poll_url names.")
REQUEST_STATUS = _about("getRequestStatus", "A request's status", STATUS)
REQUEST_RESULT = _about("getRequest", "A request's result", RESPONSE, "Until it is done, its status.")
GET_CREDITS = Described(
    get=Operation(
        id="getCredits",
        summary="Credits that are left",
        answers={200: Answer("The team's balance.", CREDITS, {"credits": 24.9974, "free-credits": 0})},
    )
)
UPLOAD = Described(
    post=Operation(
        id="uploadAssets",
        summary="Upload pictures, to name them by URL",
        description="The URLs are good for a day, for keys of the same team.",
        body={
            JSON: {
                "schema": Named(
                    "SegmindUpload",
                    record(
                        {
                            "data_urls": {
                                "type": "array",
                                "items": {"type": "string", "description": "data:image/png;base64,…"},
                                "minItems": 1,
                                "maxItems": 16,
                            }
                        }
                    ),
                ),
                "example": {"data_urls": [samples.SUBJECT]},
            }
        },
        answers={
            200: Answer(
                "Stored.",
                UPLOADED,
                {"file_urls": [f"{BASE}/files/{ID}"], "urls": [f"{BASE}/files/{ID}"], "message": "1 uploaded"},
            )
        },
        problems=BODY_PROBLEMS | {"forbidden"},
    )
)
FILE = Described(
    get=Operation(
        id="getFile",
        summary="An uploaded picture",
        answers={200: Answer("Its bytes.", content={"image/*": _BINARY})},
        problems=frozenset({"not_found", "picture_lost"}),
    )
)
