"""What is done with chosen pictures: a star, the bin and back, a zip file. Scripts ask for JSON, forms are led back."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import Actor, Right
from accounts.views import session
from generations import access, archive, favourites, removal
from generations.models import Generation

MOST = 500
"""Runs that one request is about."""


@require_POST
@session.requires(Right.CURATE)
def favourite(request: HttpRequest) -> HttpResponse:
    """Give runs a star, or take it: `run` (several), `on` (true, false)."""
    on = request.POST.get("on", "")
    if on not in ("true", "false"):
        raise BadRequest(f"on: {on[:40]!r}; true and false are allowed")
    runs = access.generations(session.current(request), ids(request, "run", MOST))
    favourites.mark([run.id for run in runs], favourite=on == "true")
    return answered(request, {"favourite": on == "true", "runs": len(runs)})


@require_POST
@session.requires(Right.CURATE)
def remove(request: HttpRequest) -> HttpResponse:
    """Hide runs, for as long as removal keeps them: `run` (several)."""
    actor = session.current(request)
    runs = access.generations(actor, ids(request, "run", MOST))
    _require_own(actor, runs)
    removal.remove_several([run.id for run in runs])
    if is_script(request):
        return JsonResponse({"removed": [str(run.id) for run in runs]})
    return redirect(f"{reverse('gallery')}?removed={runs[0].id}")


@require_POST
@session.requires(Right.CURATE)
def restore(request: HttpRequest) -> HttpResponse:
    """Bring removed runs back: `run` (several)."""
    actor = session.current(request)
    runs = access.several_removed(actor, ids(request, "run", MOST))
    _require_own(actor, runs)
    restored = removal.restore_several([run.id for run in runs])
    late = sum(run.removed_at is not None for run in runs) - restored
    if late and not is_script(request):
        messages.error(request, "It was too late to bring this back.")
    return answered(request, {"restored": restored, "late": late}, status=409 if late else 200)


@require_POST
@never_cache
@session.team_required
def download(request: HttpRequest) -> HttpResponseBase:
    """Answer with a zip file of pictures: `picture` (several)."""
    outputs = access.outputs(session.current(request), ids(request, "picture", archive.MOST))
    try:
        archive.check(outputs)
    except archive.TooLarge as error:
        most = filesizeformat(archive.MOST_BYTES)
        messages.error(request, f"Those are {filesizeformat(error.size)}; a zip file takes {most}. Choose fewer.")
        return redirect(back(request))
    name = f"sceneshift-{timezone.now():%Y-%m-%d}-{len(outputs)}-pictures.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(archive.stream(outputs), content_type="application/zip", headers=headers)


def _require_own(actor: Actor, runs: Sequence[Generation]) -> None:
    if not all(access.may_remove(actor, run) for run in runs):
        raise PermissionDenied("Only who started a run, or an admin of the team, can delete it.")


def ids(request: HttpRequest, name: str, most: int) -> list[uuid.UUID]:
    """Return the ids that a form names, each once. Raises BadRequest."""
    given = request.POST.getlist(name)
    if not 1 <= len(given) <= most:
        raise BadRequest(f"{name}: given {len(given)} times; once to {most} times is allowed")
    try:
        return list(dict.fromkeys(uuid.UUID(each) for each in given))
    except ValueError:
        raise BadRequest(f"{name}: a UUID is allowed") from None


def is_script(request: HttpRequest) -> bool:
    """Does whoever asks want JSON, and no page?"""
    return not request.accepts("text/html")


def answered(request: HttpRequest, told: dict[str, object], *, status: int = 200) -> HttpResponse:
    return JsonResponse(told, status=status) if is_script(request) else redirect(back(request))


def back(request: HttpRequest) -> str:
    """Return the page of ours that `next` names, the gallery where it names none."""
    to = request.POST.get("next", "")
    return to if url_has_allowed_host_and_scheme(to, allowed_hosts=None) else reverse("gallery")
