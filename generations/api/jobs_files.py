"""The jobs API: pictures that are uploaded to be named by address in later requests."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import access, inputs, uploads
from generations.api import bodies, filters, jobs_answers, jobs_schema, pagination
from generations.api.jobs import JobsView
from generations.catalogue import FieldError, InvalidInput, wording

PARTS = ("content", "filename", "type", "metadata")
LONGEST_NAME = 255
MOST_METADATA = 16 * 1024
"""Bytes of it as JSON."""


class FilesView(JobsView):
    """/v1/files: the team's uploads, and a new one."""

    schema = jobs_schema.FILES
    rights = {"GET": Right.VIEW, "POST": Right.GENERATE}

    def get(self, request: Request) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (datetime.fromisoformat, uuid.UUID))
        found = pagination.page(uploads.current(self.actor.team_id), asked)
        return pagination.answer(request, found, jobs_answers.file)

    def post(self, request: Request) -> HttpResponse:
        parts = _parts(request)
        content = parts["content"]
        try:
            upload = uploads.create(self.actor, content, name=_name(parts), metadata=_metadata(parts.get("metadata")))
        except inputs.Unusable as error:
            raise _wrong("content", f"<{wording.printable(content.name or 'a file')}>", str(error)) from error
        return Response(jobs_answers.file(upload), status=201)


class FileView(JobsView):
    """GET and DELETE /v1/files/{id}."""

    schema = jobs_schema.FILE_VIEW
    rights = {"GET": Right.VIEW, "DELETE": Right.GENERATE}

    def get(self, request: Request, file_id: uuid.UUID) -> HttpResponse:
        return Response(jobs_answers.file(access.upload(self.actor, file_id)))

    def delete(self, request: Request, file_id: uuid.UUID) -> HttpResponse:
        uploads.delete(access.upload(self.actor, file_id))
        return Response(status=204)


def _parts(request: Request) -> dict[str, Any]:
    """Return the form's parts; `content` is a file. Raises InvalidInput, NotAcceptable, ParseError."""
    if bodies.kind(request) != bodies.FORM:
        raise bodies.NotAcceptable(f"Content-Type: send {bodies.FORM} with the picture as the part content")
    parts = bodies.read(request)
    unknown = [name for name in parts if name not in PARTS]
    if unknown:
        raise _wrong(wording.printable(unknown[0]), "", f"no such part; allowed are {', '.join(PARTS)}")
    if not isinstance(parts.get("content"), UploadedFile):
        shown = "missing" if "content" not in parts else "a text"
        raise _wrong("content", "", f"{shown}; a file is required, a PNG, JPEG, GIF or WebP")
    return parts


def _name(parts: Mapping[str, Any]) -> str:
    """Return what the client calls the file, as one line, without folders."""
    said = parts.get("filename") or parts["content"].name or "file"
    name = PurePosixPath(str(said).replace("\\", "/")).name or "file"
    return "".join(c if c.isprintable() else "_" for c in name)[-LONGEST_NAME:]


def _metadata(part: object) -> dict[str, Any]:
    """Return the metadata, which clients send as a text, or as a file of type application/json."""
    if part is None:
        return {}
    text = part.read() if isinstance(part, UploadedFile) else str(part).encode()
    try:
        found = msgspec.json.decode(text[: MOST_METADATA + 1], type=dict[str, Any])
        if len(text) <= MOST_METADATA and b"\\u0000" not in msgspec.json.encode(found):  # PostgreSQL keeps no NUL
            return found
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    raise _wrong("metadata", "", f"a JSON object of at most {MOST_METADATA // 1024} KiB is allowed")


def _wrong(part: str, shown: str, problem: str) -> InvalidInput:
    return InvalidInput((FieldError(part, shown, f"{part}: {problem}"),))
