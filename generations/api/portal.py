"""The portal's resources, /api/…: for API keys, and for whoever is signed in to the studio."""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import CSRFCheck
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import session
from accounts.access import Actor
from generations.api import authentication, door, portal_schema, problem_json
from generations.api.door import DoorView
from generations.api.problems import Problem

SAFE = ("GET", "HEAD")
"""Methods that change nothing: a session needs no CSRF token for them."""


class PortalView(DoorView):
    """A view of the portal's resources.

    A key speaks for itself; without one the session does, for the team chosen in it, and then what changes anything
    needs the CSRF token.
    """

    group = portal_schema.GROUP

    def tell(self, problem: Problem) -> Response:
        return problem_json.answer(problem)

    def perform_authentication(self, request: Request) -> None:
        """Left to `identify`: DRF would take the session's user off the request."""

    def identify(self, request: Request) -> Actor:
        if authentication.is_given(request):
            return authentication.actor(request)
        return _of_session(request._request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-store"
        return final


class UnknownView(door.UnknownView, PortalView):
    """Any other path under /api/; it comes last."""


def _of_session(request: HttpRequest) -> Actor:
    """Return who is signed in, for the team chosen. Raises NotAuthenticated, PermissionDenied."""
    if not getattr(getattr(request, "user", None), "is_authenticated", False):
        raise NotAuthenticated("Sign in, or send an API key in the header Authorization or x-api-key")
    if request.method not in SAFE:
        _require_token(request)
    return session.current(request)


def _require_token(request: HttpRequest) -> None:
    """Do for this request what Django's middleware leaves to API views. Raises PermissionDenied."""
    check = CSRFCheck(lambda _: None)  # type: ignore[arg-type]
    check.process_request(request)
    reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    if reason:
        raise PermissionDenied(f"{reason} Send the cookie csrftoken's value in the header X-CSRFToken.")
