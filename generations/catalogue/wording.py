"""The words in which values and what is allowed are told to people; shared by errors, schema and docs."""

import difflib
from collections.abc import Callable, Iterable, Mapping

from generations.catalogue.parameters import Kind, Parameter

SHOWN_LENGTH = 60
LISTED_CHOICES = 12
IMAGE_SOURCES = "an http(s) URL, base64, a data: URI or an uploaded file"

_TYPES: Mapping[type, str] = {
    type(None): "null",
    dict: "an object",
    list: "a list",
    tuple: "a list",
    bytes: "a file",
}


def printable(text: str) -> str:
    """Return `text` fit for one line of an answer or a header: shortened, with no unprintable character."""
    cut = text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def number(value: int | float) -> str:
    """Return 7.0 as "7", 0.99 as "0.99", 999999999999999 in full."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def shown(value: object) -> str:
    """Return a value as an error names it: short, and harmless in a log or an answer."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{printable(value)}"'
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, int | float):
        return str(value)
    return _TYPES.get(type(value), f"a {type(value).__name__}")


def closest(wrong: str, allowed: Iterable[str], count: int = 3) -> list[str]:
    """Return what `wrong` was perhaps meant to be, best first; case and underscores do not matter."""
    by_key = {_key(name): name for name in allowed}
    key = _key(wrong[:200])
    parts = [whole for whole in by_key if len(key) > 3 and key in whole]  # "steps": num_inference_steps
    alike = difflib.get_close_matches(key, by_key, n=count, cutoff=0.5)
    found = dict.fromkeys([*(whole for whole in alike if whole in parts), *parts, *alike])
    return [by_key[whole] for whole in found][:count]


def allowed(parameter: Parameter) -> str:
    """Return what the parameter takes, to follow "must be": "a whole number from 1 to 4"."""
    return _ALLOWED[parameter.kind](parameter)


def _key(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _bounded(noun: str, parameter: Parameter) -> str:
    low, high = parameter.minimum, parameter.maximum
    return noun if low is None or high is None else f"{noun} from {number(low)} to {number(high)}"


def _text(parameter: Parameter) -> str:
    limit = f"at most {parameter.max_length:,} characters" if parameter.max_length else "any length"
    return f"text of {limit}" + (", not empty" if parameter.required else "")


def _choice(parameter: Parameter) -> str:
    if len(parameter.choices) > LISTED_CHOICES:
        return f"one of {len(parameter.choices)} names"
    return "one of " + ", ".join(map(str, parameter.choices))


_ALLOWED: Mapping[Kind, Callable[[Parameter], str]] = {
    Kind.IMAGE: lambda _: IMAGE_SOURCES,
    Kind.TEXT: _text,
    Kind.INTEGER: lambda parameter: _bounded("a whole number", parameter),
    Kind.NUMBER: lambda parameter: _bounded("a number", parameter),
    Kind.CHOICE: _choice,
    Kind.BOOLEAN: lambda _: "true or false",
}
