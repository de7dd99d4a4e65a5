"""Bodies of the portal's resources: a JSON object, each declared as a msgspec.Struct."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from generations.api import bodies
from generations.catalogue import wording
from generations.catalogue.validation import FieldError, InvalidInput, unknown_names

Body = TypeVar("Body", bound=msgspec.Struct)

LONGEST_REASON = 200
"""Characters of what msgspec says, which may hold a whole value."""
_AT = " - at `$"
_PLACE = re.compile(r"\.(?P<field>\w+)(?:\[(?P<number>\d+|\.\.\.)\])?.*`")
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(request: Request, kind: type[Body]) -> Body:
    """Return the body. Raises UnsupportedMediaType, ParseError, InvalidInput."""
    sent = bodies.kind(request)
    if sent != bodies.JSON:
        shown = wording.printable(sent) or "none"
        raise UnsupportedMediaType(sent, f"Content-Type: {shown}; {bodies.JSON} is allowed")
    body = request._request.body
    bodies.require_bounded(body)
    given: Mapping[str, msgspec.Raw] = {}
    try:
        given = _members.decode(body)
        _refuse_unknown(given, kind)
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), given, kind) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"the body is not JSON: {error}") from error


def wrong(field: str, value: Any, allowed: str) -> InvalidInput:
    """Return the error of one field."""
    shown = wording.shown(value)
    return InvalidInput((FieldError(field, shown, f"{field}: {shown}; {allowed}"),))


def refused(field: str, message: str) -> InvalidInput:
    """Return the error of one field in words that are there already."""
    return InvalidInput((FieldError(field, "", message),))


def name(value: str) -> str:
    """Return a name without the space around it. Raises InvalidInput."""
    plain = value.strip()
    if not 1 <= len(plain) <= 80 or not plain.isprintable():
        raise wrong("name", value, "1 to 80 printable characters are allowed")
    return plain


def _refuse_unknown(given: Mapping[str, msgspec.Raw], kind: type[Body]) -> None:
    """Raise InvalidInput for names that are no field: msgspec would put the first, however long, in its words."""
    errors = unknown_names([name for name in given if name not in kind.__struct_fields__], lambda n: _unknown(n, kind))
    if errors:
        raise InvalidInput(tuple(errors))


def _unknown(name: str, kind: type[Body]) -> FieldError:
    field = wording.printable(name)
    return FieldError(field, "", f"{field}: unknown; the fields are {_fields(kind)}")


def _invalid(said: str, given: Mapping[str, msgspec.Raw], kind: type[Body]) -> InvalidInput:
    """Return what msgspec found, as the error of its field. What stands before the place may have been sent."""
    before, _, path = said.rpartition(_AT)
    place, missing = _PLACE.fullmatch(path), _MISSING.fullmatch(said)
    if place:
        what = before if len(before) <= LONGEST_REASON else f"{before[: LONGEST_REASON - 1]}…"
        field, shown = place["field"], _shown(given[place["field"]])
        where = f" (number {place['number']})" if place["number"] else ""
        return InvalidInput((FieldError(field, shown, f"{field}: {shown}; {what}{where}"),))
    if missing:
        field = missing["field"]
        return refused(field, f"{field}: {said}; the fields are {_fields(kind)}")
    return refused("", f"{before or path}; an object is allowed, with the fields {_fields(kind)}")


def _shown(member: msgspec.Raw) -> str:
    """Return a value as an error names it; of one that nothing can be made of, its beginning as it was sent."""
    try:
        return wording.shown(bodies.value(member))
    except ParseError:
        return wording.printable(bytes(memoryview(member)[: wording.SHOWN_LENGTH]).decode(errors="replace"))


def _fields(kind: type[Body]) -> str:
    return ", ".join(kind.__struct_fields__)
