"""What may stand in a resource's query: each resource declares its names, and how the value of each is read.

Nothing of a query reaches the database by its name: a resource takes the values that it knows. The same declarations
are the parameters in the reference.
"""

import contextlib
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from generations.api import operations
from generations.api.operations import Schema
from generations.catalogue import wording

FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Of a day."""

_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parse:
    """Makes a value of a query's text. Raises ValueError, whose message says what is allowed.

    schema: of the text, as the reference shows it.
    """

    make: Callable[[str], Any]
    schema: Schema

    def __call__(self, given: str) -> Any:
        return self.make(given)


def read(
    request: Request, *allowed: Mapping[str, Parse], unknown: Literal["refuse", "ignore"] = "refuse"
) -> dict[str, Any]:
    """Return the query's values by name. Raises ParseError, which names what is wrong and what is allowed."""
    parsers = {name: parse for each in allowed for name, parse in each.items()}
    said = [(name, texts) for name, texts in request.query_params.lists() if unknown == "refuse" or name in parsers]
    return {name: _one(name, texts, parsers) for name, texts in said}


def described(allowed: Mapping[str, Parse], says: Mapping[str, str]) -> tuple[Schema, ...]:
    """Return the parameters for the reference; `says` explains those whose names do not."""
    return tuple(operations.query(name, says.get(name, ""), parse.schema) for name, parse in allowed.items())


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

    def parse(given: str) -> str:
        if given not in choices:
            raise ValueError(f"allowed are {', '.join(choices)}")
        return given

    return Parse(parse, {"type": "string", "enum": list(choices)})


def several_of(choices: Collection[str]) -> Parse:
    """Read words with commas between them, each once; none where the text is empty."""

    def parse(given: str) -> list[str]:
        words = given.split(",") if given else []
        if not set(words) <= set(choices) or len(set(words)) < len(words):
            raise ValueError(f"allowed are {', '.join(choices)}, each once, with commas between them")
        return words

    word = "|".join(choices)
    return Parse(parse, {"type": "string", "pattern": f"^(({word})(,({word}))*)?$"})


def text(longest: int) -> Parse:
    """Read a text that a database can compare."""

    def parse(given: str) -> str:
        if len(given) > longest or not given.isprintable():
            raise ValueError(f"{longest} printable characters are allowed")
        return given

    return Parse(parse, {"type": "string", "maxLength": longest})


def whole(least: int, most: int = 10**18) -> Parse:
    """Read a whole number."""

    def parse(given: str) -> int:
        if not _DIGITS.fullmatch(given) or not least <= int(given) <= most:
            raise ValueError(f"a whole number from {least} to {most} is allowed")
        return int(given)

    return Parse(parse, {"type": "integer", "minimum": least, "maximum": most})


def _truth(given: str) -> bool:
    if given not in _TRUTHS:
        raise ValueError("allowed are true, false")
    return _TRUTHS[given]


def _identifier(given: str) -> uuid.UUID:
    try:
        return uuid.UUID(given)
    except ValueError:
        raise ValueError("a UUID is allowed") from None


def _day(given: str) -> date:
    """Read a date, of a year that there are days around."""
    with contextlib.suppress(ValueError):
        found = date.fromisoformat(given)
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    raise ValueError(f"a date from {FIRST_YEAR} on is allowed, such as 2026-05-01")


def _moment(given: str) -> datetime:
    for written in (given, given.replace(" ", "+")):  # a plus sign that nobody escaped
        with contextlib.suppress(ValueError):
            return _in_utc(datetime.fromisoformat(written))
    raise ValueError("a time is allowed as ISO 8601 has it, such as 2026-05-01T12:00:00Z, or a date")


def _in_utc(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


truth = Parse(_truth, {"type": "boolean"})
"""Read true or false."""
identifier = Parse(_identifier, {"type": "string", "format": "uuid"})
"""Read a UUID."""
day = Parse(_day, {"type": "string", "format": "date"})
"""Read a date."""
moment = Parse(_moment, {"type": "string", "format": "date-time"})
"""Read a time, or a date, which stands for its beginning; in UTC where it names no zone."""
