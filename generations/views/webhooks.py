"""The pages of webhooks: the team's secret and addresses, and every delivery."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import Right
from accounts.limits import Decision
from accounts.views import session
from generations import access, webhooks
from generations.catalogue.validation import InvalidInput
from generations.models import Delivery, Webhook
from generations.models.webhook import EVENTS, Event
from generations.webhooks import deliveries, endpoints, listing, signing

LONGEST_CURSOR = 18
"""Digits of an id."""


class EndpointForm(forms.Form):
    """What is told to an address."""

    events = forms.MultipleChoiceField(
        choices=[(event.value, event.label) for event in EVENTS],
        initial=[Event.COMPLETED.value],
        error_messages={"required": "Choose one event at least."},
    )
    description = forms.CharField(max_length=120, required=False)

    def chosen(self) -> list[Event]:
        """Call it once the form is valid."""
        return [event for event in EVENTS if event in self.cleaned_data["events"]]


class NewEndpointForm(EndpointForm):
    """A new address."""

    url = forms.CharField(max_length=4000)
    hook: webhooks.Hook

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            hook = webhooks.read(given.get("url"), given.get("events"), names=("url", "events"))
        except InvalidInput as error:
            for each in error.errors:
                if not self.has_error(each.field):
                    self.add_error(each.field, each.message)
        else:
            if hook:  # without URL and events there is none, and the form has said so
                self.hook = hook
        return given


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@session.team_required
def index(request: HttpRequest) -> HttpResponse:
    """List addresses and deliveries; POST registers an address."""
    if request.method != "POST":
        return _page(request, NewEndpointForm())
    actor = session.require(request, Right.MANAGE_WEBHOOKS)
    form = NewEndpointForm(request.POST)
    if form.is_valid():
        try:
            endpoints.register(actor.team_id, form.hook, description=form.cleaned_data["description"])
        except endpoints.TooMany as error:
            form.add_error(None, f"{str(error).capitalize()}.")
        else:
            messages.success(request, f"{form.hook.url} is told of the runs that are submitted from now on.")
            return redirect("webhooks")
    return _page(request, form, status=422)


@require_POST
@never_cache
@session.team_required
def secret(request: HttpRequest) -> HttpResponse:
    """Show the page with the secret in it: the answer to this POST alone does."""
    actor = session.current(request)
    if not access.may_see_secret(actor):
        raise PermissionDenied(f"role: {actor.role}; it does not see the secret of the team's webhooks")
    return _page(request, NewEndpointForm(), secret=signing.secret(actor.team_id))


@require_POST
@session.requires(Right.MANAGE_WEBHOOKS)
def rotate(request: HttpRequest) -> HttpResponse:
    """Make a new secret."""
    signing.rotate(session.current(request).team_id)
    messages.success(request, "There is a new secret. For 24 hours the one before it signs as well.")
    return redirect("webhooks")


@require_POST
@session.requires(Right.MANAGE_WEBHOOKS)
def change(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """Change what an address is told, or whether it is told anything."""
    webhook = access.webhook(session.current(request), webhook_id)
    form = EndpointForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one event at least, and a description of at most 120 characters.")
        return redirect("webhooks")
    is_enabled = request.POST.get("enabled") == "on"
    description = form.cleaned_data["description"]
    try:
        endpoints.change(webhook, events=form.chosen(), description=description, enabled=is_enabled)
    except Webhook.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, f"{webhook.url} is changed.")
    return redirect("webhooks")


@require_POST
@session.requires(Right.MANAGE_WEBHOOKS)
def delete(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """Forget an address."""
    webhook = access.webhook(session.current(request), webhook_id)
    endpoints.delete(webhook)
    messages.success(request, f"{webhook.url} is told nothing any more.")
    return redirect("webhooks")


@require_POST
@session.requires(Right.MANAGE_WEBHOOKS)
def test(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """Send an address an event that is a test."""
    webhook = access.webhook(session.current(request), webhook_id)
    rate = endpoints.count_by_hand(webhook.team_id)
    if not rate.allowed:
        messages.error(request, _over(rate))
        return _later(_page(request, NewEndpointForm(), status=429), rate)
    made = endpoints.send_test(webhook)
    return redirect("webhook-delivery", made.key)


@require_safe
@never_cache
@session.team_required
def delivery(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show one delivery with every attempt."""
    return _delivery_page(request, access.delivery(session.current(request), key))


@require_POST
@session.requires(Right.MANAGE_WEBHOOKS)
def replay(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Send an event once more."""
    found = access.delivery(session.current(request), key)
    rate = endpoints.count_by_hand(found.team_id)
    if not rate.allowed:
        messages.error(request, _over(rate))
        return _later(_delivery_page(request, found, status=429), rate)
    deliveries.replay(found)
    messages.success(request, "It is sent once more, at once and under the same id.")
    return redirect("webhook-delivery", found.key)


def _over(rate: Decision) -> str:
    return f"A team sends {rate.limit} tests and replays a minute; try again in {rate.reset_seconds} seconds."


def _later(answer: HttpResponse, rate: Decision) -> HttpResponse:
    answer["Retry-After"] = str(rate.reset_seconds)
    return answer


def _delivery_page(request: HttpRequest, delivery: Delivery, *, status: int = 200) -> HttpResponse:
    context = {
        "delivery": delivery,
        "attempts": delivery.attempts.order_by("-number"),
        "is_due": delivery.is_due,
        "may_manage": session.current(request).may(Right.MANAGE_WEBHOOKS),
    }
    return render(request, "studio/delivery.html", context, status=status)


def _page(request: HttpRequest, form: NewEndpointForm, *, secret: str = "", status: int = 200) -> HttpResponse:
    actor = session.current(request)
    state = request.GET.get("state", "")
    state = state if state in Delivery.State.values else ""
    context = {
        "endpoints": endpoints.registered(actor.team_id).order_by("created_at", "id"),
        "most": endpoints.MOST,
        "deliveries": listing.page(actor.team_id, state=state, before=_cursor(request)),
        "is_later": _cursor(request) is not None,
        "state": state,
        "states": Delivery.State.choices,
        "events": EVENTS,
        "form": form,
        "secret": secret,
        "overlaps_until": signing.overlaps_until(actor.team_id),
        "may_manage": actor.may(Right.MANAGE_WEBHOOKS),
        "may_see_secret": access.may_see_secret(actor),
    }
    return render(request, "studio/webhooks.html", context, status=status)


def _cursor(request: HttpRequest) -> int | None:
    """Return the page that is asked for; a bad cursor starts at the newest."""
    given = request.GET.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= LONGEST_CURSOR else None
