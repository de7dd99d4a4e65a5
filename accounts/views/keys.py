"""The page of API keys."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import keys as api_keys
from accounts import queries
from accounts.access import Right
from accounts.models import Membership
from accounts.views import session
from accounts.views.forms import KeyForm, LimitsForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@session.team_required
def index(request: HttpRequest) -> HttpResponse:
    """List the keys; POST makes one. The answer to that POST is the only page that ever shows it."""
    if request.method != "POST":
        return _page(request, KeyForm())
    actor = session.require(request, Right.CREATE_KEYS)
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    place = get_object_or_404(Membership, team_id=actor.team_id, user_id=actor.user_id)
    fields = form.cleaned_data
    try:
        _, raw = api_keys.create(
            place,
            name=fields["name"],
            scopes=fields["scopes"],
            expires_at=form.expires_at(),
            models=fields["models"],
            rate_limit=fields["rate_limit"],
            daily=fields["daily"],
            monthly=fields["monthly"],
        )
    except api_keys.TooMany as error:
        form.add_error("name", f"{error.message[:1].upper()}{error.message[1:]}.")
        return _page(request, form, status=422)
    return _page(request, KeyForm(), new_key=raw)


@require_POST
@never_cache
@session.team_required
def limit(request: HttpRequest, key_id: int) -> HttpResponse:
    """Set all limits of a key that the actor may see and change, as PATCH /api/keys/{id} does."""
    actor = session.require(request, Right.CREATE_KEYS)
    key = get_object_or_404(queries.keys(actor).filter(revoked_at=None), pk=key_id)
    form = LimitsForm.of(key, queries.key_spending(actor.team_id, [key.pk])[key.pk], request.POST)
    if not form.is_valid():
        return _page(request, KeyForm(), wrong={key.pk: form}, status=422)
    try:
        api_keys.limit(key, **form.cleaned_data)
    except api_keys.InvalidKey as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _page(request, KeyForm(), wrong={key.pk: form}, status=422)
    messages.success(request, f"The limits of “{key.name}” are set.")
    return redirect("keys")


@require_POST
@session.team_required
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """End a key that the actor may see: one's own, or any with the right to manage keys; others are not there."""
    key = get_object_or_404(queries.keys(session.current(request)), pk=key_id)
    api_keys.revoke(key)
    messages.success(request, f"The key “{key.name}” is revoked.")
    return redirect("keys")


def _page(
    request: HttpRequest,
    form: KeyForm,
    *,
    wrong: Mapping[int, LimitsForm] | None = None,
    new_key: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show the keys. wrong: a key's number → what was to be its limits, and cannot."""
    actor = session.current(request)
    keys = list(queries.keys(actor))
    spending = queries.key_spending(actor.team_id, [key.pk for key in keys])
    context = {
        "keys": keys,
        "rows": [
            (key, spending[key.pk], (wrong or {}).get(key.pk) or LimitsForm.of(key, spending[key.pk])) for key in keys
        ],
        "form": form,
        "new_key": new_key,
        "may_create": actor.may(Right.CREATE_KEYS),
    }
    return render(request, "accounts/keys.html", context, status=status)
