"""Decides, for every door, whether an input is good, and completes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from generations.catalogue import parsing, wording
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Parameter

Unknown = Literal["refuse", "ignore"]
MOST_UNKNOWN = 20
"""Unknown names that are told one by one."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong: the field, the value in short ("" where it was missing), and the whole message."""

    field: str
    value: str
    message: str


class InvalidInput(ValueError):
    """Everything that is wrong with an input, in the order of the model's parameters; unknown names last."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Input:
    """A good input.

    params: every parameter but the images, defaults filled in. images: parameter → source as it was given
    (text, bytes or an upload; not yet known to be a picture). ignored: unknown names, sorted, printable.
    """

    params: Mapping[str, Any]
    images: Mapping[str, Any] = field(repr=False)
    ignored: tuple[str, ...] = ()


def validate(model: ImageModel, raw: Mapping[str, Any], *, unknown: Unknown) -> Input:
    """Return the input in `raw`, complete; None stands for "not given".

    Raises `InvalidInput` with every error, not only the first.
    """
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for parameter in model.parameters:
        given = raw.get(parameter.name)
        try:
            values[parameter.name] = _read(parameter, given)
        except parsing.Refused as error:
            errors.append(FieldError(parameter.name, "" if given is None else wording.shown(given), str(error)))
    strangers = [name for name in raw if name not in model.by_name]
    if unknown == "refuse":
        errors += unknown_names(strangers, lambda name: _unknown(model, name, raw[name]))
    if errors:
        raise InvalidInput(tuple(errors))
    images = {name: values.pop(name) for name in model.image_names}
    return Input(
        params=values,
        images={name: source for name, source in images.items() if source is not None},
        ignored=tuple(sorted(wording.printable(name) for name in strangers)),
    )


def unknown_names(names: Sequence[str], tell: Callable[[str], FieldError]) -> list[FieldError]:
    """Return the errors of names that nobody knows: one for each of the first, and one for all others, so that a
    long list of them makes no longer answer."""
    told = [tell(name) for name in names[:MOST_UNKNOWN]]
    more = len(names) - len(told)
    return [*told, FieldError("", "", f"and {more:,} more unknown names")] if more else told


def _read(parameter: Parameter, given: Any) -> Any:
    if given is not None:
        return parsing.parse(parameter, given)
    if parameter.required:
        usual = "" if parameter.default is None else f", for example {parameter.default}"
        raise parsing.Refused(f"{parameter.name} is required: {wording.allowed(parameter)}{usual}")
    return parameter.default


def _unknown(model: ImageModel, name: str, value: Any) -> FieldError:
    shown = wording.printable(name)
    near = wording.closest(name, model.by_name, count=1)
    hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(model.by_name)}"
    message = f'"{shown}" is not a parameter of {model.slug} (got {wording.shown(value)}); {hint}'
    return FieldError(shown, wording.shown(value), message)
