"""Pictures for the studio's pages: by session, stable addresses, cached by the browser for good.

The content under an address never changes; whether it may be seen is asked at every fetch that reaches us.
"""

import uuid
from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.views import session
from generations import access

HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@require_safe
@session.team_required
def output(request: HttpRequest, output_id: uuid.UUID, variant: str) -> HttpResponseBase:
    """Answer with the lossless master (`full`) or the thumbnail of an output."""
    row = access.output(session.current(request), output_id)
    if variant == "full":
        return stored(row.file, row.content_type)
    if variant != "thumbnail":
        raise Http404(f"variant: {variant[:40]!r}; full and thumbnail are allowed")
    return stored(row.thumbnail, "image/webp") if row.thumbnail else _not_yet(output_id)


@require_safe
@session.team_required
def asset(request: HttpRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    """Answer with an input image, as it was sent."""
    row = access.asset(session.current(request), asset_id)
    return stored(row.file, row.content_type)


def stored(name: str, content_type: str, **options: Any) -> FileResponse:
    """Answer with a stored file. Raises Http404 where the storage has lost it."""
    try:
        file = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404("the file of this picture is gone") from error
    return FileResponse(file, content_type=content_type, headers=HEADERS, **options)


def _not_yet(output_id: uuid.UUID) -> HttpResponse:
    """Show the master until the thumbnail is made; nobody may remember that."""
    answer = redirect("output-picture", output_id, "full")
    answer["Cache-Control"] = "no-store"
    return answer
