"""Bodies of the portal's resources: a JSON object, each declared as a msgspec.Struct."""

import re
from typing import Any, TypeVar

import msgspec
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from generations.catalogue import wording
from generations.catalogue.validation import FieldError, InvalidInput

Body = TypeVar("Body", bound=msgspec.Struct)

_PLACE = re.compile(r" - at `\$\.?(?P<field>\w*)(?:\[(?P<number>\d+|\.\.\.)\])?.*`$")
_NAMED = re.compile(r"field `(?P<field>.*?)`")


def read(request: Request, kind: type[Body]) -> Body:
    """Return the body. Raises UnsupportedMediaType, ParseError, InvalidInput."""
    sent = (request.content_type or "").partition(";")[0].strip().lower()
    if sent != "application/json":
        raise UnsupportedMediaType(sent or "none", "Content-Type: {media_type}; application/json is allowed")
    try:
        return msgspec.json.decode(request._request.body, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), request._request.body, kind) from error
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


def _invalid(said: str, body: bytes, kind: type[Body]) -> InvalidInput:
    """Return what msgspec found, as the error of its field."""
    place, named = _PLACE.search(said), _NAMED.search(said)
    what = said.partition(" - at `")[0]
    if place and place["field"]:
        given = msgspec.json.decode(body).get(place["field"])
        return wrong(place["field"], given, what if not place["number"] else f"{what} (number {place['number']})")
    fields = ", ".join(kind.__struct_fields__)
    if named:
        field = wording.printable(named["field"])
        return InvalidInput((FieldError(field, "", f"{field}: {what}; the fields are {fields}"),))
    return InvalidInput((FieldError("", "", f"{what}; an object is allowed, with the fields {fields}"),))
