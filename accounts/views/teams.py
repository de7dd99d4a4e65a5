"""Changing the team that one acts for."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.views import session

LONGEST = 19
"""digits of an id"""


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Act for the team whose id is in `team`, from the models page on: what was open belongs to the other team."""
    chosen = request.POST.get("team", "")
    is_number = chosen.isascii() and chosen.isdigit() and len(chosen) <= LONGEST
    if not (is_number and session.choose(request, int(chosen))):
        raise Http404(f"team: {chosen[:LONGEST]!r}; you are not in such a team")
    return redirect("/")
