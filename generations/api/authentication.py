"""Which key a request carries, in any of the headers that clients use."""

from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from accounts import keys
from accounts.access import Actor

SCHEMES = ("bearer ", "token ")
UNKNOWN_KEY = "Unauthorized. API key is invalid or may have expired."


def actor(request: Request) -> Actor:
    """Return who the request's key acts for. Raises NotAuthenticated without, AuthenticationFailed on a bad one."""
    given = _given(request)
    if not given:
        raise NotAuthenticated("Missing Authorization or x-api-key in header")
    found = keys.authenticate(given)
    if found is None:
        raise AuthenticationFailed(UNKNOWN_KEY)
    return found


def is_given(request: Request) -> bool:
    """Return whether the request carries a key, good or bad."""
    return bool(_given(request))


def _given(request: Request) -> str:
    return request.headers.get("x-api-key", "") or _from_authorization(request.headers.get("authorization", ""))


def _from_authorization(header: str) -> str:
    for scheme in SCHEMES:
        if header[: len(scheme)].lower() == scheme:
            return header[len(scheme) :].strip()
    return ""
