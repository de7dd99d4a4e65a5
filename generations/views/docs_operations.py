"""The reference page's view of the OpenAPI document: doors, their operations, and flat tables of fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generations import reference
from generations.reference import Document

BOUNDLESS = 10**16
"""A bound from which on nobody cares what it is."""
DEEPEST = 3
"""Levels of objects in objects that a table shows."""

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a table. name: with its way from the top: "metrics.cost", "images[].url"."""

    name: str
    type: str
    required: bool
    note: str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """kinds: of the problems that the code stands for; their meaning is on the page on errors."""

    code: str
    note: str
    kinds: list[str]
    types: list[str]
    headers: list[tuple[str, str]]
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Operation:
    """model: the slug whose page lists the body's fields, "" for none."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    is_open: bool
    parameters: list[Field]
    body_types: list[str]
    body: list[Field]
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Door:
    title: str
    anchor: str
    operations: list[Operation]


def doors() -> list[Door]:
    """Return every door with its operations, in the order of the document."""
    document = reference.document()
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(_operation(document, method.upper(), path, operation))
    return [Door(title, title.lower().replace(" ", "-"), operations) for title, operations in found.items()]


def _operation(document: Document, method: str, path: str, operation: Node) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    body: Node = next((media["schema"] for media in content.values()), {})
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        is_open=not operation["security"],
        parameters=[_parameter(document, each) for each in operation.get("parameters", ())],
        body_types=list(content),
        body=fields(document, body),
        answers=[_answer(document, code, each) for code, each in operation["responses"].items()],
    )


def _parameter(document: Document, parameter: Node) -> Field:
    schema = parameter["schema"]
    note = ". ".join(part.rstrip(".") for part in (parameter.get("description", ""), _range(schema)) if part)
    return Field(
        name=parameter["name"],
        type=f"{parameter['in']}, {_type(document, schema)}",
        required=parameter["required"],
        note=note,
        default=schema.get("default"),
    )


def _answer(document: Document, code: str, answer: Node) -> Answer:
    content = answer.get("content", {})
    kinds = [kind for media in content.values() for kind in media.get("examples", {})]
    schema = content.get("application/json", {}).get("schema", {})
    note = answer["description"].partition("\n\n`")[0]
    return Answer(
        code=code,
        note="" if note.startswith("`") else note,
        kinds=list(dict.fromkeys(kinds)),
        types=list(content),
        headers=[(name, _header(document, each)) for name, each in answer.get("headers", {}).items()],
        fields=fields(document, schema) if code.startswith("2") else [],
    )


def _header(document: Document, header: Node) -> str:
    return str(_resolved(document, header)["description"])


def fields(document: Document, schema: Node) -> list[Field]:
    """Return an object's fields, those of objects in it after it."""
    return list(_fields(document, schema, "", DEEPEST))


def _fields(document: Document, schema: Node, way: str, depth: int) -> Iterator[Field]:
    whole = _resolved(document, schema)
    required = whole.get("required", ())
    for name, given in whole.get("properties", {}).items():
        each = _resolved(document, given)
        note = ". ".join(part.rstrip(".") for part in (each.get("description", ""), _range(each)) if part)
        yield Field(f"{way}{name}", _type(document, each), name in required, note, each.get("default"))
        inner = _resolved(document, each["items"]) if "items" in each else each
        if depth > 1:
            yield from _fields(document, inner, f"{way}{name}{'[]' if 'items' in each else ''}.", depth - 1)


def _resolved(document: Document, node: Node) -> Node:
    """Return what a reference stands for."""
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _type(document: Document, schema: Node) -> str:
    whole = _resolved(document, schema)
    if "items" in whole:
        return f"list of {_type(document, whole['items'])}"
    if "const" in whole:
        return f'"{whole["const"]}"'
    options = whole.get("anyOf") or whole.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_type(document, each) for each in options))
    if whole.get("format") == "binary":
        return "file"
    kind = whole.get("type", "string" if "enum" in whole else "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _range(schema: Node) -> str:
    """Return what is allowed, in words; "" where anything is."""
    if "enum" in schema:
        return "One of " + ", ".join("null" if each is None else str(each) for each in schema["enum"])
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < BOUNDLESS:
        return f"{low} to {high}"
    if low is not None:
        return f"At least {low}"
    longest = schema.get("maxLength")
    return f"Up to {longest} characters" if longest else ""
