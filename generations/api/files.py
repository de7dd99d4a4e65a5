"""Pictures for API clients: signed links to outputs, and uploads for keys of their team."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from accounts.access import Right
from generations import access, delivery
from generations.api import segmind_schema
from generations.api.door import SAFETY
from generations.api.segmind import SegmindView
from generations.models import Output


@require_safe
def output(request: HttpRequest, extension: str, **_: object) -> HttpResponse:
    """Show an output to whoever has a link that is signed and has not ended; for anything else say that links end."""
    link = request.get_full_path()
    found = delivery.output_of_link(link)
    if found is None:
        return _not_found("Links to pictures end; ask for the result again, which has a new one.")
    try:
        data, content_type = _as_asked(found, extension)
    except delivery.Lost:
        return _not_found("The picture is no longer kept.")
    caching = {"Cache-Control": f"private, max-age={delivery.seconds_left(link)}"}
    return HttpResponse(data, content_type=content_type, headers={**SAFETY, **caching})


def _not_found(why: str) -> HttpResponse:
    """Programs follow these links, and people of apps: one plain sentence for both, in the shape of /files."""
    return JsonResponse({"error": f"There is no picture at this address. {why}"}, status=404, headers=SAFETY)


def _as_asked(found: Output, extension: str) -> tuple[bytes, str]:
    """Return an output as the type that the extension stands for; by any other, as it is delivered."""
    for wanted in delivery.RENDERED:
        if extension == delivery.EXTENSIONS[wanted]:
            return delivery.rendered(found, wanted), wanted
    return delivery.image(found)


class UploadedView(SegmindView):
    """GET /files/{id}: an upload or the input of a run, for keys of its team."""

    schema = segmind_schema.FILE
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, asset_id: uuid.UUID) -> HttpResponse:
        asset = access.file(self.actor, asset_id)
        caching = {"Cache-Control": "private, no-cache"}
        return HttpResponse(delivery.read(asset.file), content_type=asset.content_type, headers=caching)
