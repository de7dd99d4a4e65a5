"""The playground: one form for every image model, its price and its code while it is filled in, and the run."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import Actor, Right
from accounts.credits import format_credits
from accounts.ledger import InsufficientCredits, OverBudget
from accounts.views import session
from generations import catalogue, inputs, routing, submission
from generations.catalogue import FieldError, ImageModel, InvalidInput, parsing
from generations.models import Generation
from generations.models.generation import Door
from generations.submission import Price
from generations.views import fields, sources, values
from generations.views.sources import Origin

UNCHECKED = {"allow_fallback": "false"}
"""What a form leaves out that was filled in: a box without its tick."""


@require_http_methods(["GET", "HEAD", "POST"])
@session.team_required
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form, filled from the query string; POST runs the model and goes to the run's page."""
    model = _model(slug)
    actor = session.current(request)
    if request.method != "POST":
        origin = sources.origin(actor, request.GET)
        return _page(request, model, {**origin.values, **request.GET.dict()}, origin=origin)
    session.require(request, Right.GENERATE)
    try:
        generation = _submit(request, actor, model)
    except InvalidInput as error:
        return _refuse(request, model, errors=error.errors, status=422)
    except InsufficientCredits as error:
        return _refuse(request, model, refusal=_too_few(error), status=402)
    except OverBudget as error:
        return _refuse(request, model, refusal=f"Over budget: {error}. Nothing was charged.", status=402)
    except submission.QuoteRose as error:
        return _refuse(request, model, refusal=_rose(error), price=error.price, status=409)
    except routing.NoEngine as error:
        return _refuse(request, model, refusal=f"{error} Nothing was charged.", status=422)
    except submission.TooManyJobs:
        words = (
            f"The team has {settings.TEAM_JOBS_IN_FLIGHT} runs in progress, the most at a time. Wait for one to end."
        )
        return _refuse(request, model, refusal=words, status=429)
    url = reverse("run", args=[generation.id])
    return HttpResponseClientRedirect(url) if _is_htmx(request) else redirect(url, preserve_request=False)


@require_safe
@session.team_required
def quote(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the fragment that says what the form would cost."""
    given = {**UNCHECKED, **request.GET.dict()}
    return render(request, "studio/parts/quote.html", _price(_model(slug), given, session.current(request)))


@require_POST
@session.team_required
def snippet(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the form as code. POST, because prompts are too long for an address."""
    code = values.code(_model(slug), request.POST.dict(), settings.PUBLIC_URL)
    return render(request, "studio/parts/snippet.html", {"snippets": code})


def _submit(request: HttpRequest, actor: Actor, model: ImageModel) -> Generation:
    raw: dict[str, Any] = {}
    for parameter in model.parameters:
        if parameter.is_image:
            raw[parameter.name] = _image(request, actor, parameter.name)
        elif parameter.in_form:
            raw[parameter.name] = request.POST.get(parameter.name)
    made = submission.submit(
        actor=actor,
        door=Door.WEB,
        model=model.slug,
        raw=raw,
        lock=request.POST.get("lock") == "true",
        most=_agreed(request),
        allow_fallback=request.POST.get("allow_fallback") == "true",
    )
    return made.generation


def _agreed(request: HttpRequest) -> int:
    """Return the quote that the form showed, in millionths of a credit: nothing was agreed to where it showed none."""
    most = request.POST.get("most", "")
    return int(most) if most.isascii() and most.isdigit() and len(most) < 16 else 0


def _image(request: HttpRequest, actor: Actor, name: str) -> Any:
    """Return the picture of a field: the file that was sent, else one that the studio has, else None."""
    try:
        return sources.given(request, actor, name)
    except FileNotFoundError as error:
        source = request.POST.get(f"{name}_source", "")
        raise InvalidInput((FieldError(name, source, "The file of this picture is lost. Choose another."),)) from error


def _page(
    request: HttpRequest, model: ImageModel, given: dict[str, Any], *, origin: Origin = sources.NOTHING, **more: Any
) -> HttpResponse:
    actor = session.current(request)
    image = origin.pictures.get("image")
    size = {"width": image.width, "height": image.height} if image else {}
    context = {
        "model": model,
        "fields": fields.build(model, given, pictures=origin.pictures, errors=more.get("errors", ())),
        "origin": origin,
        "size": size,
        "may_run": actor.may(Right.GENERATE),
        "side_limit": inputs.SIDE_LIMIT,
        "snippets": values.code(model, given, settings.PUBLIC_URL),
        "rates": values.rates(model),
        "about": values.about(model),
        "refusal": more.get("refusal", ""),
        **(more.get("price") or _price(model, {**given, **size}, actor)),
    }
    return render(request, "studio/playground.html", context, status=more.get("status", 200))


def _refuse(
    request: HttpRequest,
    model: ImageModel,
    *,
    errors: tuple[FieldError, ...] = (),
    refusal: str = "",
    price: Price | None = None,
    status: int,
) -> HttpResponse:
    """Say what was wrong: htmx puts it at the fields and leaves what was entered; otherwise the page comes again.

    price: the real one, where what the form shows is too low.
    """
    priced = {"price": price} if price else {}
    refusal = refusal or " ".join(error.message for error in errors if error.field not in model.by_name)
    given = {**UNCHECKED, **request.POST.dict()}
    errors = tuple(_plainly(model, error, given) for error in errors if error.field in model.by_name)
    if not _is_htmx(request):
        return _page(request, model, given, errors=errors, refusal=refusal, price=priced, status=status)
    context = {"fields": fields.build(model, given, errors=errors), "refusal": refusal, **priced}
    return render(request, "studio/parts/refused.html", context, status=status)


def _plainly(model: ImageModel, error: FieldError, given: dict[str, Any]) -> FieldError:
    """Say it for a person at a form: what is empty is asked for, and the field's own name is left out."""
    parameter = model.by_name[error.field]
    if not error.value and parameter.is_image and "is required" in error.message:
        return replace(error, message=f"Add a picture here: {parameter.title.lower()}.")
    if parameter.is_image and "is empty" in error.message:
        return replace(error, message="This file is empty. Choose another.")
    if not given.get(error.field, "").strip() and not parameter.is_image:
        return replace(error, message=f"Fill this in: {parameter.title.lower()}.")
    message = error.message.removeprefix(f"{error.field}: ").removeprefix(f"{error.field} ")
    return replace(error, message=message[:1].upper() + message[1:] + ("" if message.endswith(".") else "."))


def _price(model: ImageModel, given: dict[str, Any], actor: Actor) -> dict[str, Any]:
    try:
        price = values.price(model, given, actor)
    except parsing.Refused as error:
        return {"price": None, "price_problem": f"No price yet: {error}"}
    is_usual_size = not (given.get("width") or model.size_from)
    return {"price": price, "is_usual_size": is_usual_size, "usual_side": values.USUAL_SIDE}


def _too_few(error: InsufficientCredits) -> str:
    return (
        f"The team has {format_credits(error.available)} credits, and this run needs up to "
        f"{format_credits(error.required)}. Nothing was run and nothing was charged."
    )


def _rose(error: submission.QuoteRose) -> str:
    return (
        f"This run costs up to {format_credits(error.price.quote)} credits, more than the price "
        "that was shown. Nothing was run and nothing was charged. Run again to accept the new price."
    )


def _model(slug: str) -> ImageModel:
    try:
        return catalogue.get(slug)
    except catalogue.UnknownModel as error:
        raise Http404(str(error)) from error


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
