"""JSON Schema (2020-12, as OpenAPI 3.1 has it) of a model's input."""

from collections.abc import Callable, Mapping
from typing import Any

from generations.catalogue import wording
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter
from generations.catalogue.validation import Unknown

Schema = dict[str, Any]


def input_schema(model: ImageModel, *, unknown: Unknown = "refuse") -> Schema:
    """Return the schema of the object that the model takes.

    Extensions: x-order (position), x-affects-price, x-advanced, x-image (the text is a picture's URL, base64
    or data: URI), x-unlisted (names in `enum` that are accepted but offered nowhere). Numbers and booleans
    are accepted as text as well, which the schema leaves out: a client should send them as what they are.
    """
    return {
        "type": "object",
        "title": model.title,
        "description": model.description,
        "required": list(model.required_names),
        "properties": {p.name: _property(p, order) for order, p in enumerate(model.parameters)},
        "additionalProperties": unknown == "ignore",
    }


def property_of(parameter: Parameter) -> Schema:
    """Return the schema of one parameter."""
    described: Schema = {"title": parameter.title, "description": parameter.help}
    described |= _CONSTRAINTS[parameter.kind](parameter)
    if parameter.default is not None:
        described["default"] = parameter.default
    if parameter.example:
        described["examples"] = [parameter.example]
    return described


def _property(parameter: Parameter, order: int) -> Schema:
    schema = property_of(parameter)
    schema["x-order"] = order
    if parameter.affects_price:
        schema["x-affects-price"] = True
    if parameter.advanced:
        schema["x-advanced"] = True
    return schema


def _text(parameter: Parameter) -> Schema:
    schema: Schema = {"type": "string"}
    if parameter.required:
        schema |= {"minLength": 1, "pattern": r"\S"}
    return schema | ({"maxLength": parameter.max_length} if parameter.max_length else {})


def _bounded(kind: str) -> Callable[[Parameter], Schema]:
    def constraints(parameter: Parameter) -> Schema:
        bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
        return {"type": kind} | {name: bound for name, bound in bounds.items() if bound is not None}

    return constraints


def _choice(parameter: Parameter) -> Schema:
    is_numeric = isinstance(parameter.choices[0], int)
    schema: Schema = {"type": "integer" if is_numeric else "string", "enum": list(parameter.accepted)}
    offered_nowhere = [*parameter.unlisted, *parameter.aliases]
    return schema | ({"x-unlisted": offered_nowhere} if offered_nowhere else {})


def _image(_: Parameter) -> Schema:
    note = {"x-image": True, "x-accepts": wording.IMAGE_SOURCES}
    return {"type": "string", "minLength": 1} | note


_CONSTRAINTS: Mapping[Kind, Callable[[Parameter], Schema]] = {
    Kind.IMAGE: _image,
    Kind.TEXT: _text,
    Kind.INTEGER: _bounded("integer"),
    Kind.NUMBER: _bounded("number"),
    Kind.CHOICE: _choice,
    Kind.BOOLEAN: lambda _: {"type": "boolean"},
}
