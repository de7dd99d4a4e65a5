"""The header Idempotency-Key: what it says, and what makes a request the same as another."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.access import Actor
from generations.api import bodies
from generations.idempotency import LONGEST, Once

_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_PRINTABLE = re.compile(rf"[\x20-\x7e]{{1,{LONGEST}}}")


def once(request: Request, actor: Actor) -> Once | None:
    """Return the request's key with what it is for, as submission.submit takes it; None where it has none.

    Raises ParseError.
    """
    said = request.headers.get("idempotency-key")
    if said is None:
        return None
    key = _key(said.strip())
    if not _PRINTABLE.fullmatch(key):
        raise ParseError(f"Idempotency-Key: 1 to {LONGEST} printable ASCII characters are allowed, quoted or not")
    return Once(actor.team_id, key, fingerprint(request))


def _key(said: str) -> str:
    """Return the key without the quotes that the draft of the header asks for, and that many leave out."""
    quoted = _QUOTED.fullmatch(said)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else said


def fingerprint(request: Request) -> str:
    """Return a digest of what is asked for: the address and the body."""
    digest = hashlib.sha256(request.path.encode())
    for piece in _pieces(request._request, bodies.kind(request)):
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return digest.hexdigest()


def _pieces(request: HttpRequest, kind: str) -> Iterator[bytes]:
    """Yield what the body says. Of a form that is its fields: clients draw another boundary at each try."""
    if kind != bodies.FORM:
        yield request.body
        return
    for name, texts in sorted(bodies.form(request).lists()):
        yield from (b"text", name.encode(), str(len(texts)).encode(), *(text.encode() for text in texts))
    for name, files in sorted(request.FILES.lists()):
        yield from (b"file", name.encode(), str(len(files)).encode(), *map(_content, files))


def _content(file: "UploadedFile[Any]") -> bytes:
    file.seek(0)
    content: bytes = file.read()
    file.seek(0)
    return content
