"""The page of a run: progress that stops itself, the result, and its files."""

import uuid
from pathlib import PurePosixPath

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from accounts.views import session
from generations import access, delivery, finishing, queries
from generations.models import Generation, Output
from generations.models.generation import Status
from generations.views import pictures, presentation


@require_safe
@session.team_required
def index(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Show a run; `?sample=2` shows its second picture large."""
    actor = session.current(request)
    run = queries.run(access.generation(actor, run_id))
    sample = request.GET.get("sample", "")
    number = int(sample) - 1 if sample.isascii() and sample.isdigit() else 0
    number = number if 0 <= number < len(run.outputs) else 0
    return render(request, "studio/run.html", presentation.of_run(actor, run, number=number))


@require_safe
@session.team_required
def progress(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Answer with the progress, which asks again; at the end with the whole result, which does not."""
    actor = session.current(request)
    generation = access.generation(actor, run_id)
    if not Status(generation.status).is_final:
        context = {"run": {"generation": generation}, **presentation.of_progress(generation)}
        return render(request, "studio/parts/progress.html", context)
    context = presentation.of_run(actor, queries.run(generation)) | {"oob": True}
    answer = render(request, "studio/parts/run.html", context)
    return reswap(retarget(answer, "#run"), "outerHTML")


@require_safe
@session.team_required
def fidelity(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Answer with the comparison of one picture with the input, or that it is still being made."""
    generation = access.generation(session.current(request), run_id)
    output = _output(generation, number)
    context = {"run": {"generation": generation}, **presentation.of_fidelity(generation, output)}
    return render(request, "studio/parts/fidelity.html", context)


@require_POST
@session.team_required
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """End a run of one's own, or anybody's with the right to."""
    actor = session.current(request)
    generation = access.generation(actor, run_id)
    if not access.may_cancel(actor, generation):
        raise PermissionDenied("Only who started a run, or an admin of the team, can cancel it.")
    finishing.cancel(generation.id)
    return redirect("run", generation.id)


@require_safe
@session.team_required
def download(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponseBase:
    """Answer with the lossless master as a file, or with `?format=jpeg`."""
    generation = access.generation(session.current(request), run_id)
    output = _output(generation, number)
    if request.GET.get("format") != "jpeg":
        extension = PurePosixPath(output.file).suffix.lstrip(".")
        name = _name(generation, output, extension)
        return pictures.stored(output.file, output.content_type, as_attachment=True, filename=name)
    data, content_type = _jpeg(output)
    name = _name(generation, output, delivery.EXTENSIONS[content_type])
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type=content_type, headers={**pictures.HEADERS, **disposition})


def _jpeg(output: Output) -> tuple[bytes, str]:
    """Return an output as it is delivered, and its type. Raises Http404 where the storage has lost it."""
    try:
        return delivery.image(output)
    except FileNotFoundError as error:
        raise Http404("the file of this picture is gone") from error


def _output(generation: Generation, number: int) -> Output:
    output = generation.outputs.filter(number=number).first()
    if output is None:
        raise Http404(f"number: {number}; the run has no such picture")
    return output


def _name(generation: Generation, output: Output, extension: str) -> str:
    """Return a file name that says what it is: model, the prompt's first words, which run and sample."""
    words = slugify(str(generation.params.get("prompt", "")))[:40].strip("-")
    parts = [generation.model.replace(".", "-"), words, generation.id.hex[:8], str(output.number + 1)]
    return "-".join(part for part in parts if part) + f".{extension}"
