"""What OpenAI's dialect answers: the pictures of a job that has ended well."""

from typing import Any

import msgspec
import pybase64
from django.http import HttpResponse

from accounts.credits import MICRO
from generations import delivery
from generations.api import job_headers
from generations.api.openai_bodies import Edit
from generations.api.openai_options import Options
from generations.models import Generation, Output
from generations.statements.terms import Final

TOKENLESS = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "total_tokens": 0,
}
"""Nothing here is counted in tokens, or paid for by them: clients that add up tokens get none, and the price is beside
them in credits."""


def finished(accepted: Generation, final: Final, edit: Edit) -> HttpResponse:
    """Return the answer to an edit; `accepted` is the row as the submit has it, with its time."""
    headers = {
        "x-model": edit.model.slug,
        **job_headers.of(final),
        **job_headers.ignored(edit.options.ignored),
    }
    body = {"created": int(accepted.created_at.timestamp()), **_body(final, edit.options)}
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", headers=headers)


def _body(final: Final, options: Options) -> dict[str, Any]:
    first = final.outputs[0]
    is_transparent = first.has_alpha and options.content_type != "image/jpeg"
    cost = (final.generation.cost or 0) / MICRO
    return {
        "background": "transparent" if is_transparent else "opaque",
        "data": [_picture(output, options) for output in final.outputs],
        "output_format": options.content_type.removeprefix("image/"),
        "size": f"{first.width}x{first.height}",
        "usage": {**TOKENLESS, "cost": cost, "remaining_credits": final.available / MICRO},
    }


def _picture(output: Output, options: Options) -> dict[str, str]:
    if options.as_links:
        return {"url": delivery.link(output, options.content_type)}
    data = delivery.rendered(output, options.content_type, options.quality)
    return {"b64_json": pybase64.b64encode_as_string(data)}
