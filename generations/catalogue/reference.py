"""The table of a model's parameters as its documentation shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generations.catalogue import wording
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter


@dataclass(frozen=True, slots=True)
class Row:
    """One line. default and range are "" where there is none; values lists the names of a choice."""

    name: str
    type: str
    required: bool
    default: str
    range: str
    note: str
    affects_price: bool
    values: tuple[str, ...]


def rows(model: ImageModel) -> tuple[Row, ...]:
    """Return one row per parameter, those that no form shows included."""
    return tuple(_row(parameter) for parameter in model.parameters)


def _row(parameter: Parameter) -> Row:
    return Row(
        name=parameter.name,
        type=parameter.kind.value,
        required=parameter.required,
        default=_default(parameter),
        range=_RANGES[parameter.kind](parameter),
        note=parameter.help + (" Affects the price." if parameter.affects_price else ""),
        affects_price=parameter.affects_price,
        values=tuple(map(str, parameter.choices)),
    )


def _default(parameter: Parameter) -> str:
    value = parameter.default
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return wording.shown(value)
    return wording.number(value) if isinstance(value, int | float) else str(value)


def _bounds(parameter: Parameter) -> str:
    low, high = parameter.minimum, parameter.maximum
    return "" if low is None or high is None else f"{wording.number(low)} to {wording.number(high)}"


def _length(parameter: Parameter) -> str:
    return f"up to {parameter.max_length:,} characters" if parameter.max_length else ""


_RANGES: Mapping[Kind, Callable[[Parameter], str]] = {
    Kind.IMAGE: lambda _: wording.IMAGE_SOURCES,
    Kind.TEXT: _length,
    Kind.INTEGER: _bounds,
    Kind.NUMBER: _bounds,
    Kind.CHOICE: wording.allowed,
    Kind.BOOLEAN: wording.allowed,
}
