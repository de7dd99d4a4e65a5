"""What may stand in a resource's query: each resource declares its names, and how the value of each is read.

Nothing of a query reaches the database by its name: a resource takes the values that it knows.
"""

import contextlib
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from generations.catalogue import wording

Parse = Callable[[str], Any]
"""Makes a value of a query's text. Raises ValueError, whose message says what is allowed."""

_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_TRUTHS = {"true": True, "false": False}


def read(
    request: Request, *allowed: Mapping[str, Parse], unknown: Literal["refuse", "ignore"] = "refuse"
) -> dict[str, Any]:
    """Return the query's values by name. Raises ParseError, which names what is wrong and what is allowed."""
    parsers = {name: parse for each in allowed for name, parse in each.items()}
    said = [(name, texts) for name, texts in request.query_params.lists() if unknown == "refuse" or name in parsers]
    return {name: _one(name, texts, parsers) for name, texts in said}


def _one(name: str, texts: list[str], parsers: Mapping[str, Parse]) -> Any:
    if name not in parsers:
        known = f"allowed are {', '.join(sorted(parsers))}" if parsers else "this address takes none"
        raise ParseError(f"{wording.printable(name)}: no such query parameter; {known}")
    if len(texts) > 1:
        raise ParseError(f"{name}: given {len(texts)} times; once is allowed")
    try:
        return parsers[name](texts[0])
    except ValueError as error:
        raise ParseError(f"{name}: {wording.shown(texts[0])}; {error}") from error


# --- kinds of values ----------------------------------------------------------------------------------------


def one_of(choices: Collection[str]) -> Parse:
    """Read one of a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"allowed are {', '.join(choices)}")
        return text

    return parse


def several_of(choices: Collection[str]) -> Parse:
    """Read words with commas between them, each once; none where the text is empty."""

    def parse(text: str) -> list[str]:
        words = text.split(",") if text else []
        if not set(words) <= set(choices) or len(set(words)) < len(words):
            raise ValueError(f"allowed are {', '.join(choices)}, each once, with commas between them")
        return words

    return parse


def text(longest: int) -> Parse:
    """Read a text that a database can compare."""

    def parse(given: str) -> str:
        if len(given) > longest or "\0" in given or not given.isprintable():
            raise ValueError(f"{longest} printable characters are allowed")
        return given

    return parse


def whole(least: int, most: int = 10**18) -> Parse:
    """Read a whole number."""

    def parse(given: str) -> int:
        if not _DIGITS.fullmatch(given) or not least <= int(given) <= most:
            raise ValueError(f"a whole number from {least} to {most} is allowed")
        return int(given)

    return parse


def truth(given: str) -> bool:
    """Read true or false."""
    if given not in _TRUTHS:
        raise ValueError("allowed are true, false")
    return _TRUTHS[given]


def identifier(given: str) -> uuid.UUID:
    """Read a UUID."""
    try:
        return uuid.UUID(given)
    except ValueError:
        raise ValueError("a UUID is allowed") from None


def day(given: str) -> date:
    """Read a date."""
    with contextlib.suppress(ValueError):
        return date.fromisoformat(given)
    raise ValueError("a date is allowed, such as 2026-05-01")


def moment(given: str) -> datetime:
    """Read a time, or a date, which stands for its beginning; in UTC where it names no zone."""
    for written in (given, given.replace(" ", "+")):  # a plus sign that nobody escaped
        with contextlib.suppress(ValueError):
            found = datetime.fromisoformat(written)
            return _in_utc(found)
    raise ValueError("a time is allowed as ISO 8601 has it, such as 2026-05-01T12:00:00Z, or a date")


def _in_utc(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
