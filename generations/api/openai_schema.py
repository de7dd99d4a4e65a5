"""What OpenAI's dialect takes and answers, for the reference; openai.py does it."""

from typing import Any

from generations.api import openai_bodies, openai_errors, operations, samples
from generations.api.described import Described
from generations.api.openai_options import OPTIONS
from generations.api.operations import (
    FORM,
    JSON,
    SUBMIT_PROBLEMS,
    WAIT_PROBLEMS,
    Answer,
    Group,
    Named,
    Operation,
    Schema,
    record,
)
from generations.catalogue import MODELS, schema

GROUP = Group("OpenAI API", error=openai_errors.SCHEMA, security=("bearer", "apiKey", "token"))

_FILE: Schema = {"type": "string", "format": "binary"}
_TOKENS: Schema = {"type": "integer", "const": 0}
_DETAILS = record({"image_tokens": _TOKENS, "text_tokens": _TOKENS})
_CREDITS: Schema = {"type": "number", "description": "Credits; 1 credit is 1 US dollar."}
_SOURCE = Named(
    "OpenAISource",
    {
        "description": "A URL or a data: URI, or the id of an uploaded file.",
        "anyOf": [
            record({"image_url": {"type": "string"}}),
            record({"file_id": {"type": "string", "format": "uuid"}}),
        ],
    },
)

_MASK = "Of the image's size; what is transparent (alpha 0) is repainted."
_FIELDS: dict[str, Schema] = {
    "model": {
        "type": "string",
        "anyOf": [{"enum": list(MODELS)}, {"pattern": f"^{openai_bodies.THEIRS.pattern}$"}],
        "description": (
            "Without it, and with a name of OpenAI's own (gpt-image-…, dall-e-…, chatgpt-image-…): two pictures are "
            "for bg-replace, a picture with a mask is for sdxl-inpaint. The header x-model says which it was."
        ),
    },
    "prompt": {"type": "string", "minLength": 1, "maxLength": 4000, "pattern": r"\S"},
    "n": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1, "description": "Pictures."},
    **{name: schema.property_of(option) for name, option in OPTIONS.items()},
}
_MORE = "Every other field is a parameter of the image model, as at POST /v1/{slug}."

ANSWER = Named(
    "OpenAIImages",
    record(
        {
            "created": {"type": "integer", "description": "When it was asked for, in seconds since 1970."},
            "background": {"type": "string", "enum": ["opaque", "transparent"]},
            "data": {
                "type": "array",
                "minItems": 1,
                "items": record(
                    {
                        "b64_json": {"type": "string", "contentEncoding": "base64"},
                        "url": {"type": "string", "format": "uri", "description": "Good for ten minutes."},
                    },
                    optional=("b64_json", "url"),
                ),
            },
            "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"]},
            "size": {"type": "string", "pattern": r"^\d+x\d+$"},
            "usage": record(
                {
                    "input_tokens": _TOKENS,
                    "input_tokens_details": _DETAILS,
                    "output_tokens": _TOKENS,
                    "output_tokens_details": _DETAILS,
                    "total_tokens": _TOKENS,
                    "cost": _CREDITS,
                    "remaining_credits": _CREDITS,
                },
                description="Nothing is counted in tokens here; cost is what was charged.",
            ),
        }
    ),
)


def _body() -> dict[str, Schema]:
    sources = {"images": {"type": "array", "items": _SOURCE, "minItems": 1, "maxItems": 2}, "mask": _SOURCE}
    files = {
        "image": {**_FILE, "description": "Repeated as image[] for two: the subject, then the background."},
        "mask": {**_FILE, "description": _MASK},
    }
    return {
        FORM: {"schema": Named("OpenAIEditForm", _taken(files, "image"))},
        JSON: {"schema": Named("OpenAIEdit", _taken(sources, "images")), "example": _example()},
    }


def _taken(pictures: dict[str, Schema], first: str) -> Schema:
    optional = [name for name in (*pictures, *_FIELDS) if name not in (first, "prompt")]
    return record({**pictures, **_FIELDS}, optional=optional, additionalProperties=True, description=_MORE)


def _example() -> dict[str, Any]:
    return {
        "images": [{"image_url": samples.SUBJECT}, {"image_url": samples.BACKDROP}],
        "prompt": "a bottle on a beach",
    }


EDIT = Described(
    post=Operation(
        id="createImageEdit",
        summary="Edit pictures, and wait for the result",
        description="The first picture is the image, a second one the background. " + _MORE,
        parameters=(operations.ALLOW_FALLBACK, operations.IDEMPOTENCY_KEY),
        body=_body(),
        answers={200: Answer("The pictures.", ANSWER, headers={"x-model": "The image model that made them."})},
        problems=SUBMIT_PROBLEMS | WAIT_PROBLEMS | {"unknown_model", "picture_lost"},
    )
)
