"""The rows of a model's web form: what a template needs to draw each field, and nothing about how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from generations.catalogue import parsing
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter
from generations.catalogue.validation import FieldError

SLIDER_POSITIONS = 1000
LONG_TEXT = 200

WIDGETS: Mapping[Kind, str] = {
    Kind.IMAGE: "image",
    Kind.TEXT: "text",
    Kind.INTEGER: "number",
    Kind.NUMBER: "number",
    Kind.CHOICE: "select",
    Kind.BOOLEAN: "checkbox",
}
ROOMIER: Mapping[str, str] = {"text": "textarea", "number": "range"}
"""What replaces a widget for long text, and for a number whose positions fit a slider."""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str | int
    label: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One field. value is what it shows: a valid value in its own type, else what was typed."""

    name: str
    label: str
    widget: str
    help: str
    value: Any
    default: Any
    required: bool
    choices: tuple[Choice, ...]
    minimum: int | float | None
    maximum: int | float | None
    step: int | float | None
    max_length: int | None
    placeholder: str
    affects_price: bool
    advanced: bool
    error: str


def rows(
    model: ImageModel, values: Mapping[str, Any] | None = None, errors: Iterable[FieldError] = ()
) -> tuple[Row, ...]:
    """Return the form's rows, filled with `values` (a query string, an earlier run) or else the defaults."""
    messages = {error.field: error.message for error in errors}
    given = values or {}
    return tuple(
        _row(parameter, given.get(parameter.name), messages.get(parameter.name, ""))
        for parameter in model.parameters
        if parameter.in_form
    )


def widget(parameter: Parameter) -> str:
    """Return image, textarea, text, number, range, select or checkbox."""
    name = WIDGETS[parameter.kind]
    return ROOMIER.get(name, name) if _is_long(parameter) or _slides(parameter) else name


def _is_long(parameter: Parameter) -> bool:
    return parameter.kind is Kind.TEXT and (parameter.max_length or LONG_TEXT + 1) > LONG_TEXT


def _slides(parameter: Parameter) -> bool:
    if parameter.minimum is None or parameter.maximum is None or not parameter.step:
        return False
    return (parameter.maximum - parameter.minimum) / parameter.step <= SLIDER_POSITIONS


def _row(parameter: Parameter, given: Any, error: str) -> Row:
    value = _value(parameter, given)
    return Row(
        name=parameter.name,
        label=parameter.title,
        widget=widget(parameter),
        help=parameter.help,
        value=value,
        default=parameter.default,
        required=parameter.required,
        choices=_choices(parameter, value),
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        step=parameter.step,
        max_length=parameter.max_length,
        placeholder=parameter.example,
        affects_price=parameter.affects_price,
        advanced=parameter.advanced,
        error=error,
    )


def _value(parameter: Parameter, given: Any) -> Any:
    if parameter.is_image:
        return None
    given = parameter.default if given is None else given
    try:
        value = parsing.parse(parameter, given)
        return int(value) if isinstance(value, float) and value.is_integer() else value
    except parsing.Refused:
        cannot_show = parameter.kind in (Kind.CHOICE, Kind.BOOLEAN)
        return parameter.default if cannot_show else given


def _choices(parameter: Parameter, value: Any) -> tuple[Choice, ...]:
    # An unlisted value is shown where an earlier run used it: a remix must not change it in silence.
    offered = (*parameter.choices, *(name for name in parameter.unlisted if name == value))
    return tuple(Choice(choice, str(choice), choice == value) for choice in offered)
