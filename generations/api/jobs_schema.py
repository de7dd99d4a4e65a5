"""What the jobs API takes and answers, for the reference; jobs.py, jobs_models.py and jobs_files.py do it."""

from typing import Any

from generations.api import operations, pagination, problem_json, samples
from generations.api.described import Described
from generations.api.operations import (
    BODY_PROBLEMS,
    FORM,
    JSON,
    SUBMIT_PROBLEMS,
    Answer,
    Group,
    Named,
    Operation,
    Schema,
    nullable,
    record,
)
from generations.catalogue import MODELS, ImageModel, schema

GROUP = Group("Jobs API", error=problem_json.SCHEMA, security=("bearer", "token", "apiKey"))
EVENTS = ("start", "output", "logs", "completed")

_TEXT: Schema = {"type": "string"}
_URL: Schema = {"type": "string", "format": "uri"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_MOMENT = nullable("string", format="date-time")
_NAME: Schema = {"type": "string", "description": "The model's name: owner/slug."}
_CREDITS: Schema = {"type": "number", "description": "Credits; 1 credit is 1 US dollar."}
_SECONDS: Schema = {"type": "number", "description": "Seconds."}
_ADDRESS = nullable("string", format="uri")

_METRICS = record(
    {
        "predict_time": _SECONDS,
        "total_time": _SECONDS,
        "cost": _CREDITS,
        "seed": {"type": "integer", "description": "Of the first picture; each further one has the next."},
        "fidelity": {
            "type": "array",
            "items": nullable("object"),
            "description": "Of each picture, how well the pixels that had to stay stayed.",
        },
    },
    optional=("predict_time", "total_time", "cost", "seed", "fidelity"),
    description="Empty until it has ended.",
)
PREDICTION = Named(
    "Prediction",
    record(
        {
            "id": {"type": "string", "format": "uuid"},
            "model": _NAME,
            "version": _NAME,
            "input": {"type": "object", "description": "Complete; pictures by addresses for keys of the team."},
            "output": {"type": ["array", "null"], "items": _URL, "description": "Signed URLs, good for ten minutes."},
            "logs": _TEXT,
            "error": nullable("string"),
            "status": {"enum": ["starting", "processing", "succeeded", "failed", "canceled"]},
            "created_at": _TIME,
            "started_at": _MOMENT,
            "completed_at": _MOMENT,
            "data_removed": {"type": "boolean"},
            "source": {"enum": ["api", "web"]},
            "metrics": _METRICS,
            "urls": record({"get": _URL, "cancel": _URL, "web": _URL}),
        }
    ),
)
PRICE = Named(
    "PredictionPrice",
    record(
        {
            "dry_run": {"const": True},
            "model": _NAME,
            "version": _NAME,
            "estimate": {**_CREDITS, "description": "Probably, in credits."},
            "quote": {**_CREDITS, "description": "At most, in credits; held while it runs."},
            "balance": _CREDITS,
        }
    ),
)
VERSION = Named(
    "ModelVersion",
    record(
        {
            "id": _TEXT,
            "created_at": _TIME,
            "cog_version": _TEXT,
            "openapi_schema": {"type": "object", "description": "Input and Output under components.schemas."},
        }
    ),
)
_SHORT: dict[str, Schema] = {
    "id": {"type": "string", "enum": list(MODELS)},
    "object": {"const": "model"},
    "created": {"type": "integer", "description": "Seconds since 1970."},
    "owned_by": _TEXT,
}
MODEL = Named(
    "Model",
    record(
        {
            **_SHORT,
            "url": _URL,
            "owner": _TEXT,
            "name": _TEXT,
            "description": _TEXT,
            "visibility": {"const": "public"},
            "github_url": _ADDRESS,
            "paper_url": _ADDRESS,
            "license_url": _ADDRESS,
            "run_count": {"type": "integer", "description": "How often your team ran it."},
            "cover_image_url": _ADDRESS,
            "default_example": nullable("object"),
            "latest_version": VERSION,
        }
    ),
)
MODEL_LIST = Named(
    "Models",
    record(
        {
            "object": {"const": "list"},
            "data": {"type": "array", "items": record(_SHORT), "description": "As OpenAI's clients read it."},
            "results": {"type": "array", "items": MODEL, "description": "As Replicate's clients read it."},
            "next": nullable("string"),
            "previous": nullable("string"),
        }
    ),
)
FILE = Named(
    "File",
    record(
        {
            "id": {"type": "string", "format": "uuid"},
            "name": _TEXT,
            "content_type": _TEXT,
            "size": {"type": "integer", "description": "Bytes."},
            "etag": _TEXT,
            "checksums": record({"sha256": _TEXT}),
            "metadata": {"type": "object"},
            "created_at": _TIME,
            "expires_at": _TIME,
            "urls": record({"get": {**_URL, "description": "Good as an input, too."}, "download": _URL}),
        }
    ),
)
ACCOUNT = Named(
    "Account",
    record({"type": {"const": "organization"}, "username": _TEXT, "name": _TEXT, "github_url": _ADDRESS}),
)
_FILE_FORM = Named(
    "FileForm",
    record(
        {
            "content": {"type": "string", "format": "binary", "description": "PNG, JPEG, GIF or WebP."},
            "filename": {"type": "string", "maxLength": 255},
            "type": {"type": "string", "description": "Read off the file, whatever it says."},
            "metadata": {"type": "string", "description": "A JSON object of at most 16 KiB."},
        },
        optional=("filename", "type", "metadata"),
        additionalProperties=False,
    ),
)

_PREFER = operations.header(
    "Prefer",
    "wait, or wait=n for n seconds (1 to 60): answer when it has ended, or then. Without, the answer comes at once.",
    {"type": "string", "examples": ["wait", "wait=10"]},
)
_SEEN = frozenset({"malformed_request", "forbidden"})


def predict(model: ImageModel) -> Operation:
    name = operations.name_of(model)
    taken = record(
        {"input": Named(f"{name}Input", schema.input_schema(model)), **_MEMBERS},
        optional=_MEMBERS,
        additionalProperties=False,
    )
    return Operation(
        id=f"predict{name}",
        summary=f"{model.title}: make a prediction",
        description=f"{model.description} Typical: {model.typical}.",
        parameters=(_PREFER, operations.IDEMPOTENCY_KEY),
        body={
            JSON: {"schema": Named(f"{name}Prediction", taken), "example": {"input": samples.of(model)}},
        },
        answers=_made(model),
        problems=SUBMIT_PROBLEMS,
    )


def _made(model: ImageModel) -> dict[int, Answer]:
    quoted = {"dry_run": True, "model": f"official/{model.slug}", "version": f"official/{model.slug}"}
    return {
        200: Answer(
            "The price, where `dry_run` is true; nothing was made.",
            PRICE,
            {**quoted, "estimate": 0.001, "quote": 0.002, "balance": 24.9},
        ),
        201: Answer(
            "The prediction.",
            PREDICTION,
            _started(model),
            headers={"Preference-Applied": "The wait, where there was one."},
        ),
    }


def _started(model: ImageModel) -> dict[str, Any]:
    at = f"https://sceneshift.example/v1/predictions/{samples.ID}"
    return {
        "id": samples.ID,
        "model": f"official/{model.slug}",
        "version": f"official/{model.slug}",
        "input": {"prompt": model.example["prompt"], "samples": 1},
        "output": None,
        "logs": "",
        "error": None,
        "status": "starting",
        "created_at": "2026-05-01T12:00:00.000Z",
        "started_at": None,
        "completed_at": None,
        "data_removed": False,
        "source": "api",
        "metrics": {},
        "urls": {"get": at, "cancel": f"{at}/cancel", "web": f"https://sceneshift.example/runs/{samples.ID}"},
    }


_MEMBERS: dict[str, Schema] = {
    "webhook": {"type": "string", "format": "uri", "description": "Where to send what happens."},
    "webhook_events_filter": {"type": "array", "items": {"enum": list(EVENTS)}, "description": "All without it."},
    "dry_run": {"type": "boolean", "default": False, "description": "Price the request and make nothing."},
    "stream": {"const": False, "description": "Streams are not served."},
}
_FIRST = MODELS["bg-replace"]
_BY_VERSION = record(
    {
        "version": {"type": "string", "description": "official/{slug}, or the id of a model's latest version."},
        "input": {"type": "object", "description": "What the model takes: see its own operation."},
        **_MEMBERS,
    },
    optional=_MEMBERS,
    additionalProperties=False,
)

MODEL_PREDICTIONS = Described(paths={"owner": ("official",), "slug": MODELS}, post=predict)
PREDICTIONS = Described(
    get=Operation(
        id="listPredictions",
        summary="The team's predictions, newest first",
        description="Whichever door they came in by.",
        parameters=(
            operations.query("created_after", "From this time on.", _TIME),
            operations.query("created_before", "Before this time.", _TIME),
            *operations.paging(pagination.MOST, pagination.LIMIT),
        ),
        answers={200: Answer("A page.", Named("Predictions", operations.page(PREDICTION)))},
        problems=_SEEN,
    ),
    post=Operation(
        id="predict",
        summary="Make a prediction by version",
        parameters=(_PREFER, operations.IDEMPOTENCY_KEY),
        body={
            JSON: {
                "schema": Named("PredictionByVersion", _BY_VERSION),
                "example": {"version": f"official/{_FIRST.slug}", "input": samples.of(_FIRST)},
            }
        },
        answers=_made(_FIRST),
        problems=SUBMIT_PROBLEMS,
    ),
)
PREDICTION_VIEW = Described(
    get=Operation(
        id="getPrediction",
        summary="A prediction",
        answers={200: Answer("Where it stands.", PREDICTION)},
        problems=frozenset({"not_found"}),
    )
)
CANCEL = Described(
    post=Operation(
        id="cancelPrediction",
        summary="Cancel a prediction",
        description="One that has ended stays as it is. What a paid engine has begun may still cost, up to the quote.",
        answers={200: Answer("The prediction.", PREDICTION)},
        problems=frozenset({"not_found", "forbidden", "body_too_large"}),
    )
)
LIST_MODELS = Described(
    get=Operation(
        id="listPublishedModels",
        summary="Image models",
        answers={200: Answer("All of them, for Replicate's clients and for OpenAI's.", MODEL_LIST)},
        problems=frozenset({"forbidden"}),
    )
)


def _one_model(id: str, summary: str) -> Described:
    return Described(
        get=Operation(
            id=id,
            summary=summary,
            answers={200: Answer("The model.", MODEL)},
            problems=frozenset({"forbidden", "unknown_model"}),
        )
    )


GET_MODEL = _one_model("getPublishedModel", "An image model")
GET_MODEL_BY_SLUG = _one_model("getPublishedModelBySlug", "An image model, as OpenAI's clients ask")
VERSIONS = Described(
    get=Operation(
        id="listVersions",
        summary="A model's versions: one, the latest",
        answers={200: Answer("The one.", Named("ModelVersions", operations.page(VERSION)))},
        problems=frozenset({"forbidden", "unknown_model"}),
    )
)
GET_VERSION = Described(
    get=Operation(
        id="getVersion",
        summary="A model's version",
        answers={200: Answer("It.", VERSION)},
        problems=frozenset({"forbidden", "unknown_model", "not_found"}),
    )
)
GET_ACCOUNT = Described(
    get=Operation(
        id="getKeyTeam",
        summary="The key's team",
        answers={200: Answer("The team.", ACCOUNT)},
        problems=frozenset({"forbidden"}),
    )
)
FILES = Described(
    get=Operation(
        id="listFiles",
        summary="The team's uploads, newest first",
        parameters=operations.paging(pagination.MOST, pagination.LIMIT),
        answers={200: Answer("A page.", Named("Files", operations.page(FILE)))},
        problems=_SEEN,
    ),
    post=Operation(
        id="createFile",
        summary="Upload a picture",
        body={FORM: {"schema": _FILE_FORM}},
        answers={201: Answer("Stored; its address is good as an input until it expires.", FILE)},
        problems=BODY_PROBLEMS | {"invalid_input", "forbidden"},
    ),
)
FILE_VIEW = Described(
    get=Operation(
        id="getFileDetails",
        summary="An upload",
        answers={200: Answer("What it is.", FILE)},
        problems=frozenset({"forbidden", "not_found"}),
    ),
    delete=Operation(
        id="deleteFile",
        summary="Delete an upload",
        answers={204: Answer("Gone.")},
        problems=frozenset({"forbidden", "not_found"}),
    ),
)
