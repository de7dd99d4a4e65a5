"""Request bodies into plain values: JSON or multipart, the images never copied as text."""

import contextlib
from collections.abc import Collection, Iterator
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

MOST_VALUES = 50_000
"""Values of a JSON body, with those in its lists and objects. Each costs fifty times the bytes that it is sent in."""

_values = msgspec.json.Decoder(dict[str, msgspec.Raw])
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


class NotAcceptable(APIException):
    """A Content-Type that is neither JSON nor multipart; 406 is what this dialect's clients know."""

    status_code = 406


def read(request: Request, images: Collection[str] = ()) -> dict[str, Any]:
    """Return the body's values by name. Raises ParseError, NotAcceptable."""
    if kind(request) == FORM:
        return {**form(request._request).dict(), **request._request.FILES.dict()}
    return _read(envelope(request, f"{JSON} or {FORM}"), images)


def envelope(request: Request, accepted: str = JSON) -> dict[str, msgspec.Raw]:
    """Return the members of a body that is a JSON object, unread; what follows reads them. Raises ParseError,
    NotAcceptable, which names what is accepted."""
    sent = kind(request)
    if sent != JSON:
        raise NotAcceptable(f"Content-Type: {sent or 'none'!r} is not accepted; send {accepted}")
    body = request._request.body
    require_bounded(body)
    return members(body)


def require_bounded(body: bytes) -> None:
    """Raise ParseError where a JSON body has more values than MOST_VALUES, before any is made. A comma or an opening
    bracket comes before each but the first; those in texts count too, of which a good body has few."""
    left = MOST_VALUES
    for mark in (b",", b"[", b"{"):
        at = body.find(mark)  # which leaps over a picture; bytes.count steps through it
        while at >= 0:
            left -= 1
            if not left:
                raise ParseError(f"the body is not a JSON object of at most {MOST_VALUES:,} values, all told")
            at = body.find(mark, at + 1)


def members(value: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Return the members of an object, unread. Raises ParseError."""
    with _told():
        return _values.decode(value)


def objects(member: msgspec.Raw) -> list[dict[str, msgspec.Raw]] | None:
    """Return a list of objects, whose members are unread; None where it is none. Raises ParseError."""
    with _told():
        try:
            return _objects.decode(member)
        except msgspec.ValidationError:
            return None


def values(member: msgspec.Raw, images: Collection[str] = ()) -> dict[str, Any]:
    """Return the values of an object in an envelope by name. Raises ParseError."""
    return _read(members(member), images)


def value(member: msgspec.Raw) -> Any:
    """Return a member of an envelope. Raises ParseError."""
    with _told():
        return msgspec.json.decode(member)


def image(member: msgspec.Raw) -> Any:
    """Return a member that may be a picture: long base64, bare or in a data: URI, decoded without making a text of it.

    What is not base64 as it lies is left as text: some clients escape its "/" or "+", and of the rest the error
    can show the beginning. Raises ParseError.
    """
    view = memoryview(member)
    if len(view) < LONG or view[0] != ord('"'):
        return value(member)
    head = bytes(view[1:100])
    if b"\\" in head or head.startswith((b"http:", b"https:")):
        return value(member)
    start = 2 + head.index(b",") if head.startswith(b"data:") and b";base64," in head else 1
    try:
        return inputs.decode_base64(view[start:-1])
    except inputs.Unusable:
        return value(member)


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


def _read(members: dict[str, msgspec.Raw], images: Collection[str]) -> dict[str, Any]:
    with _told():
        return {name: image(each) if name in images else msgspec.json.decode(each) for name, each in members.items()}


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"the body is not a JSON object: {error}") from error
