"""How a view says what it takes and answers, and how that becomes OpenAPI.

    class CreditsView(SegmindView):
        schema = Described(get=Operation(id="getCredits", summary="…", answers={200: Answer("…", SCHEMA)}))

An operation that differs from model to model is a function of the image model; its path is then listed once for each.
Problems are named by their kinds (kinds.py): the view's own `tell` turns them into codes, bodies and headers.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from rest_framework.response import Response
from rest_framework.views import APIView

from generations import catalogue
from generations.api.kinds import KINDS
from generations.api.operations import HEADERS, JSON, Answer, Group, Named, OfModel, Operation, Schema
from generations.api.problems import Problem


class Door(Protocol):
    """What is read off a view."""

    group: Group

    def tell(self, problem: Problem) -> Response:
        """Tell a problem in the door's words."""


class Described(AutoSchema):
    """What a view answers, method by method. paths: path parameter → the values that are listed one by one."""

    def __init__(self, *, paths: Mapping[str, Iterable[str]] | None = None, **operations: Operation | OfModel) -> None:
        super().__init__()
        self.paths = {name: tuple(values) for name, values in (paths or {}).items()}
        self.operations = operations

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        """`path_regex` is the path before its values were filled in; schema.py sees to that."""
        declared = self.operations.get(method.lower())
        if declared is None:
            return None
        if callable(declared):
            declared = declared(catalogue.get(values(path_regex, path)["slug"]))
        made = self._build(declared, path)
        _register(made, registry)
        return made

    @property
    def door(self) -> Door:
        return cast(Door, self.view)

    def _build(self, declared: Operation, path: str) -> Schema:
        made: Schema = {"operationId": declared.id, "summary": declared.summary}
        if declared.description:
            made["description"] = declared.description
        made["tags"] = [self.door.group.tag]
        if parameters := [*_path_parameters(path), *declared.parameters]:
            made["parameters"] = parameters
        if declared.body:
            made["requestBody"] = {"required": declared.body_required, "content": dict(declared.body)}
        made["security"] = [] if declared.is_open else [{scheme: []} for scheme in self.door.group.security]
        made["responses"] = self._responses(declared)
        return made

    def _responses(self, declared: Operation) -> Schema:
        limits = ("RateLimit-Policy", "RateLimit") if "rate_limited" in declared.problems else ()
        answers = {str(code): _answer(each, limits) for code, each in declared.answers.items()}
        for code, response in self._problems(declared, limits).items():
            answers[code] = _merged(answers[code], response) if code in answers else response
        return dict(sorted(answers.items()))

    def _problems(self, declared: Operation, limits: tuple[str, ...]) -> Schema:
        always = {"internal_error"} if declared.is_open else {"unauthorized", "internal_error"}
        told = defaultdict(list)
        for kind in sorted(declared.problems | always, key=list(KINDS).index):
            response = self.door.tell(KINDS[kind].sample())
            told[str(response.status_code)].append((kind, response))
        return {code: self._problem(each, limits) for code, each in told.items()}

    def _problem(self, told: list[tuple[str, Response]], limits: tuple[str, ...]) -> Schema:
        """Return one code's answer, which stands for one kind or several."""
        names = dict.fromkeys(name for _, response in told for name in response.headers if name in HEADERS)
        examples = {kind: {"value": response.data} for kind, response in told}
        content_type = told[0][1].content_type or JSON
        return {
            "description": "\n\n".join(f"`{kind}`: {KINDS[kind].means}" for kind, _ in told),
            "headers": _headers((*names, *limits)),
            "content": {content_type: {"schema": self.door.group.error, "examples": examples}},
        }


def values(template: str, path: str) -> dict[str, str]:
    """Return what stands in a path for each parameter of its template."""
    pattern = "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{\w+\})", template)
    )
    match = re.fullmatch(pattern, path)
    return match.groupdict() if match else {}


def _path_parameters(path: str) -> list[Schema]:
    return [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]


def _path_parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": _PLACES.get(name, _place(name))}


def _place(name: str) -> Schema:
    return {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"}


_PLACES: Mapping[str, Schema] = {"slug": {"type": "string", "enum": list(catalogue.MODELS)}}


def _headers(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", *names)}


def _answer(answer: Answer, limits: tuple[str, ...]) -> Schema:
    content: Schema = {kind: dict(media) for kind, media in answer.content.items()}
    if answer.schema is not None:
        content[JSON] = {"schema": answer.schema}
        if answer.example is not None:
            content[JSON]["example"] = answer.example
    own = {name: {"description": says, "schema": {"type": "string"}} for name, says in answer.headers.items()}
    made: Schema = {"description": answer.description, "headers": {**_headers(limits), **own}}
    return made | ({"content": content} if content else {})


def _merged(answer: Schema, problem: Schema) -> Schema:
    """Return the answer for a code that stands for a result and for a problem."""
    merged = {**problem["content"]}
    for kind, media in answer.get("content", {}).items():
        if kind in merged:
            media = {
                "schema": {"anyOf": [media["schema"], merged[kind]["schema"]]},
                "examples": merged[kind]["examples"],
            }
        merged[kind] = media
    description = f"{answer['description']}\n\n{problem['description']}"
    return {
        "description": description,
        "headers": {**problem["headers"], **answer["headers"]},
        "content": merged,
    }


def _register(node: Any, registry: ComponentRegistry) -> None:
    """Put every named schema under `node`, and those in them, into the document."""
    if isinstance(node, Named):
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            node.name, ResolvedComponent.SCHEMA, node.schema, node.name
        )
        if component not in registry:
            registry.register(component)
            _register(node.schema, registry)
    elif isinstance(node, dict):
        for child in node.values():
            _register(child, registry)
    elif isinstance(node, list | tuple):
        for child in node:
            _register(child, registry)


def of(view: type[APIView]) -> Described:
    """Return what a view class says of itself."""
    return cast(Described, view.schema)
