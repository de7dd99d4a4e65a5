"""Request bodies into plain values: JSON or multipart, the images never copied as text."""

from collections.abc import Collection
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request

from generations import inputs

JSON, FORM = "application/json", "multipart/form-data"
LONG = 2048
"""Characters from which a text in an image's place is base64 for certain, and is decoded where it lies."""

_values = msgspec.json.Decoder(dict[str, msgspec.Raw])


class NotAcceptable(APIException):
    """A Content-Type that is neither JSON nor multipart; 406 is what this dialect's clients know."""

    status_code = 406


def read(request: Request, images: Collection[str] = ()) -> dict[str, Any]:
    """Return the body's values by name. Raises ParseError, NotAcceptable."""
    sent = kind(request)
    if sent == JSON:
        return _read_json(request._request.body, images)
    if sent == FORM:
        return {**form(request._request).dict(), **request._request.FILES.dict()}
    raise NotAcceptable(f"Content-Type: {sent or 'none'!r} is not accepted; send {JSON} or {FORM}")


def envelope(request: Request) -> dict[str, msgspec.Raw]:
    """Return the members of a body that is a JSON object, unread; `values` and `value` read them. Raises ParseError,
    NotAcceptable."""
    sent = kind(request)
    if sent != JSON:
        raise NotAcceptable(f"Content-Type: {sent or 'none'!r} is not accepted; send {JSON}")
    return _members(request._request.body)


def values(member: msgspec.Raw, images: Collection[str] = ()) -> dict[str, Any]:
    """Return the values of an object in an envelope by name. Raises ParseError."""
    return _read_json(member, images)


def value(member: msgspec.Raw) -> Any:
    """Return a member of an envelope. Raises ParseError."""
    try:
        return _decode(member)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"the body is not JSON: {error}") from error


def kind(request: Request) -> str:
    """Return the body's media type, without its parameters."""
    return (request.content_type or "").partition(";")[0].strip().lower()


def form(request: HttpRequest) -> QueryDict:
    """Return the text fields of a form; its files are in request.FILES after it. Raises ParseError."""
    try:
        return request.POST
    except RequestDataTooBig:
        raise
    except (SuspiciousOperation, LookupError, UnicodeError) as error:  # too many fields, a charset that is none
        raise ParseError(f"the form cannot be read: {error}") from error


def _read_json(body: bytes | msgspec.Raw, images: Collection[str]) -> dict[str, Any]:
    members = _members(body)
    try:
        return {name: _image(member) if name in images else _decode(member) for name, member in members.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"the body is not a JSON object: {error}") from error


def _members(body: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return _values.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"the body is not a JSON object: {error}") from error


def _decode(value: msgspec.Raw) -> Any:
    return msgspec.json.decode(value)


def _image(value: msgspec.Raw) -> Any:
    """Decode long base64, bare or in a data: URI, without making a text of it first.

    What is not base64 as it lies is left as text: some clients escape its "/" or "+", and of the rest the error
    can show the beginning.
    """
    view = memoryview(value)
    if len(view) < LONG or view[0] != ord('"'):
        return _decode(value)
    head = bytes(view[1:100])
    if b"\\" in head or head.startswith((b"http:", b"https:")):
        return _decode(value)
    start = 2 + head.index(b",") if head.startswith(b"data:") and b";base64," in head else 1
    try:
        return inputs.decode_base64(view[start:-1])
    except inputs.Unusable:
        return _decode(value)
