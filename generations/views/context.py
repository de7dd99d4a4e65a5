"""What every page's header shows the operator."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.views import session
from generations import engine_report
from generations.engine_report import Headline


def engines(request: HttpRequest) -> dict[str, Any]:
    """`upstream` (engine_report.Headline), read when a template first asks for it; False for everybody else.

    One query for the operator, none for others.
    """
    return {"upstream": SimpleLazyObject(lambda: _headline(request))}


def _headline(request: HttpRequest) -> Headline | None:
    return engine_report.headline() if session.is_operator(request) else None
