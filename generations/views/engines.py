"""The operator's page of engines."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.credits import format_credits
from accounts.views import session
from generations import engine_report, upkeep

Told = TypeVar("Told")


@require_safe
@session.operator_required
def index(request: HttpRequest) -> HttpResponse:
    """Show every engine, and the attempts whose outcome is not known; those of the team chosen link to their runs."""
    place = session.membership(request)
    context = {
        "engines": engine_report.engines(),
        "attempts": engine_report.unknown_attempts(),
        "most": engine_report.MOST_UNKNOWN,
        "own_team": place.team_id if place else None,
    }
    return render(request, "studio/engines.html", context)


@require_POST
@session.operator_required
def drain(request: HttpRequest, alias: str) -> HttpResponse:
    """Call an engine no more."""
    _found(upkeep.drain, alias)
    messages.success(request, f"{alias} is drained: it gets no new jobs, and what it has in hand is collected.")
    return redirect("engines")


@require_POST
@session.operator_required
def resume(request: HttpRequest, alias: str) -> HttpResponse:
    """Call an engine again."""
    _found(upkeep.resume, alias)
    messages.success(request, f"{alias} gets jobs again.")
    return redirect("engines")


@require_POST
@session.operator_required
def balance(request: HttpRequest, alias: str) -> HttpResponse:
    """Ask what is left upstream."""
    try:
        left = _found(upkeep.ask_balance, alias)
    except upkeep.NoAnswer as error:
        messages.error(request, f"The balance of {alias} could not be asked for. {error}")
    else:
        messages.success(request, f"{alias} has {format_credits(left)} credits left.")
    return redirect("engines")


def _found(do: Callable[[str], Told], alias: str) -> Told:
    """Do something with an engine. Raises Http404 where there is none under the alias."""
    try:
        return do(alias)
    except upkeep.UnknownEngine as error:
        raise Http404(str(error)) from error
