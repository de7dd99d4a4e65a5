"""The OpenAPI document: what drf-spectacular calls while it makes it, and the view that serves it."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.renderers import OpenApiYamlRenderer2
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generations import reference
from generations.api import described, operations, problem_json
from generations.api.door import DoorView
from generations.api.kinds import KINDS
from generations.api.operations import HEADERS, Answer, Group, Operation
from generations.api.problems import Problem

Endpoint = tuple[str, str, str, Callable[..., Any]]
"""Path, regular expression or template, method, view."""

DESCRIPTION = """\
One job core behind several doors: the same models, prices and jobs, in the words that Segmind's, Replicate's and
OpenAI's clients already speak. Every path is without a trailing slash and never redirects. Only success is charged:
credits are held at the submit, settled at the end, and never above the quote."""

SECURITY = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "x-api-key: KEY"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY"},
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "Authorization: Token KEY",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The studio's session; writing needs the CSRF token in X-CSRFToken as well.",
    },
}
ORDER = ("Segmind API", "Jobs API", "OpenAI API", "Webhooks", "Portal", "Reference")
"""The doors as the document has them: those that make pictures first."""

_DOCUMENT = {"type": "object", "required": ["openapi", "info", "paths"]}
_GENERAL = Group("Reference", error=problem_json.SCHEMA, security=())


class SchemaView(DoorView):
    """GET /api/schema: this document, for everybody."""

    group = _GENERAL
    rights = {"GET": None}
    schema = described.Described(
        get=Operation(
            id="getSchema",
            summary="This document",
            parameters=(operations.query("format", "json, or yaml.", {"type": "string", "enum": ["json", "yaml"]}),),
            answers={
                200: Answer("OpenAPI 3.1.", _DOCUMENT, content={OpenApiYamlRenderer2.media_type: {"schema": _DOCUMENT}})
            },
            problems=frozenset({"malformed_request"}),
            is_open=True,
        )
    )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask nobody for a key: nothing here is anybody's."""
        APIView.initial(self, request, *args, **kwargs)

    def tell(self, problem: Problem) -> Response:
        return problem_json.answer(problem)

    def get(self, request: Request) -> HttpResponse:
        form = request.query_params.get("format", "json")
        if form not in ("json", "yaml"):
            raise ParseError(f"format: {form!r} is not one of json, yaml")
        if form == "json":
            return Response(reference.document())
        text = OpenApiYamlRenderer2().render(reference.document())  # type: ignore[no-untyped-call]
        return HttpResponse(text, content_type=OpenApiYamlRenderer2.media_type)


def expand(endpoints: list[Endpoint]) -> list[Endpoint]:
    """List each path once for each image model, with its template in place of its regular expression."""
    return [each for endpoint in endpoints for each in _expanded(*endpoint)]


def _expanded(path: str, _regex: str, method: str, view: Callable[..., Any]) -> Iterator[Endpoint]:
    paths = described.of(vars(view)["cls"]).paths
    names = {name: values for name, values in paths.items() if f"{{{name}}}" in path}
    for chosen in product(*names.values()):
        concrete = path
        for name, value in zip(names, chosen, strict=True):
            concrete = concrete.replace(f"{{{name}}}", value)
        yield concrete, path, method, view


def finish(result: dict[str, Any], generator: Any, **_: Any) -> dict[str, Any]:
    """Add what belongs to the whole."""
    components = result.setdefault("components", {})
    components["headers"] = dict(HEADERS)
    components["securitySchemes"] = SECURITY
    views = {vars(view)["cls"] for *_, view in generator.endpoints}
    groups = _groups(views)
    result["paths"] = dict(sorted(result["paths"].items(), key=lambda item: _rank(_tag(item[1]))))
    result["info"] = {"title": "Sceneshift", "version": "0.1.0", "description": DESCRIPTION}
    result["tags"] = [{"name": tag} for tag in dict.fromkeys(map(_tag, result["paths"].values()))]
    result["x-problems"] = [_told(kind, groups) for kind in KINDS]
    return result


def _tag(methods: dict[str, Any]) -> str:
    """Return the door of a path."""
    tag: str = next(iter(methods.values()))["tags"][0]
    return tag


def _rank(tag: str) -> int:
    return ORDER.index(tag) if tag in ORDER else len(ORDER) - 1


def _groups(views: set[type[APIView]]) -> dict[str, DoorView]:
    """Return a view of each door, in the order of their names."""
    doors = sorted((view for view in views if issubclass(view, DoorView) and described.of(view).operations), key=str)
    return {view.group.tag: view() for view in doors if view.group is not _GENERAL}


def _told(kind: str, groups: dict[str, DoorView]) -> dict[str, Any]:
    """Return a kind as the page on errors shows it: with its code at each door that tells of it."""
    said, sample = KINDS[kind], KINDS[kind].sample()
    return {
        "kind": kind,
        "title": sample.title,
        "means": said.means,
        "remedy": said.remedy,
        "codes": {tag: view.tell(sample).status_code for tag, view in groups.items() if said.only_at in ("", tag)},
    }
