"""Reads one raw value (JSON, multipart text, a query string) as its parameter wants it, or says why not."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from generations.catalogue import wording
from generations.catalogue.parameters import Kind, Parameter

_NUMERIC = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
# Python's multipart clients write "True"; 1 and 1.0 are the same key.
_BOOLEANS: Mapping[object, bool] = {
    True: True,
    "true": True,
    "1": True,
    False: False,
    "false": False,
    "0": False,
}
# PostgreSQL stores no NUL, and half a surrogate pair cannot be sent on as UTF-8.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_NO_PICTURE = (bool, int, float, list, tuple, set, frozenset, Mapping)


class Refused(ValueError):
    """The value is not one of those allowed; the message names parameter, value and what is allowed."""


def parse(parameter: Parameter, raw: object) -> Any:
    """Return `raw` as the parameter's own type: str, int, float, bool, or an image's source as it was given.

    Raises `Refused`.
    """
    return _PARSERS[parameter.kind](parameter, raw)


def _refused(parameter: Parameter, raw: object, hint: str = "") -> Refused:
    return Refused(f"{parameter.name} must be {wording.allowed(parameter)}; got {wording.shown(raw)}{hint}")


def _finite(raw: object) -> float | int | None:
    """Return the number in `raw`; None where there is none, or none that is finite."""
    if isinstance(raw, str):
        text = raw.strip()
        raw = float(text) if len(text) <= 40 and _NUMERIC.fullmatch(text) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return raw if isinstance(raw, int) or math.isfinite(raw) else None


def _within(parameter: Parameter, raw: object) -> float | int:
    value = _finite(raw)
    low, high = parameter.minimum, parameter.maximum
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        raise _refused(parameter, raw)
    return value


def _number(parameter: Parameter, raw: object) -> float:
    return float(_within(parameter, raw)) + 0.0  # makes -0.0 a plain zero


def _integer(parameter: Parameter, raw: object) -> int:
    value = _within(parameter, raw)
    if value != int(value):
        raise _refused(parameter, raw)
    return int(value)


def _boolean(parameter: Parameter, raw: object) -> bool:
    key = raw.strip().lower() if isinstance(raw, str) else raw
    if not isinstance(key, str | bool | int | float) or key not in _BOOLEANS:
        raise _refused(parameter, raw)
    return _BOOLEANS[key]


def _text(parameter: Parameter, raw: object) -> str:
    if not isinstance(raw, str):
        raise _refused(parameter, raw)
    if parameter.required and not raw.strip():
        raise _refused(parameter, raw)
    if parameter.max_length is not None and len(raw) > parameter.max_length:
        raise Refused(f"{parameter.name} must be {wording.allowed(parameter)}; got {len(raw):,} characters")
    if _NOT_TEXT.search(raw):
        raise _refused(parameter, raw, ", with a NUL or half a surrogate pair, which is not text")
    return raw


def _choice(parameter: Parameter, raw: object) -> str | int:
    is_numeric = isinstance(parameter.choices[0], int)
    key = _finite(raw) if is_numeric else raw
    named: tuple[str | int, ...] = (*parameter.choices, *parameter.unlisted)
    for choice in named:
        if choice == key:
            return choice
    if isinstance(key, str) and key in parameter.aliases:
        return parameter.aliases[key]
    raise _refused(parameter, raw, _meant(parameter, raw))


def _meant(parameter: Parameter, raw: object) -> str:
    if not isinstance(raw, str) or len(parameter.choices) <= wording.LISTED_CHOICES:
        return ""
    names = [str(choice) for choice in parameter.choices]
    near = wording.closest(raw, names)
    return f"; closest: {', '.join(near)}" if near else f"; for example {', '.join(names[:4])}"


def _image(parameter: Parameter, raw: object) -> object:
    """Refuse what cannot be a picture; whether it is one, only decoding tells."""
    if isinstance(raw, _NO_PICTURE):
        raise _refused(parameter, raw)
    if isinstance(raw, str | bytes | bytearray | memoryview):
        is_empty = not (raw.strip() if isinstance(raw, str) else len(raw))
    else:
        is_empty = getattr(raw, "size", None) == 0  # an uploaded file of no bytes
    if is_empty:
        raise Refused(f"{parameter.name} is empty; it must be {wording.allowed(parameter)}")
    return raw


_PARSERS: Mapping[Kind, Callable[[Parameter, object], Any]] = {
    Kind.IMAGE: _image,
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.CHOICE: _choice,
    Kind.BOOLEAN: _boolean,
}
