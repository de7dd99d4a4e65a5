"""One call on its way: what it says, and what it is about."""

import email
import email.policy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.upstream import pictures
from tests.upstream.account import Account, Job, Record, job_key
from tests.upstream.wire import Answer, Connection, Request

NO_KEY = "Missing Authorization or x-api-key in header"
WRONG_KEY = "Unauthorized. API key is invalid or may have expired."


class Refused(Exception):
    """The API answers an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.answer = Answer.json({"error": error}, status)


def _as_it_is(job: Job) -> None:
    """Decide nothing about a job."""


@dataclass(slots=True)
class Call:
    """One call on its way: what came, what it is about, and what will be answered."""

    request: Request
    connection: Connection
    account: Account
    record: Record
    named: tuple[str, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)
    job: Job | None = None
    fate: Callable[[Job], None] = _as_it_is
    unreadable: Refused | None = None
    answer: Answer = field(default_factory=lambda: Answer.json({}))

    @property
    def origin(self) -> str:
        return f"http://{self.request.headers.get('host', '')}"

    @property
    def prompt(self) -> str:
        params = self.job.params if self.job else self.fields
        return str(params.get("prompt") or "")

    def known_job(self) -> Job:
        """Return the job that the path names. Raises Refused."""
        if self.job is None:
            raise Refused(404, "Request not found")
        return self.job

    def url(self, job: Job, number: int) -> str:
        """Return where an output lies."""
        return job.url or f"{self.origin}/outputs/{job.id}/{number}.{pictures.EXTENSIONS[self.account.options.format]}"

    def look_up(self) -> None:
        """Learn what the call is about: the body's fields, or the job that its path names."""
        if self.request.method == "POST":
            try:
                self.fields = _fields(self.request)
                self.record.key = job_key(self.fields)
            except Refused as refused:
                self.unreadable = refused
        elif self.named and self.named[0] in self.account.jobs:
            self.job = self.account.jobs[self.named[0]]
            self.record.key, self.record.request_id = self.job.key, self.job.id

    def authenticate(self) -> None:
        """Raise Refused for a call without the key."""
        headers = self.request.headers
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if not given:
            raise Refused(401, NO_KEY)
        if given != self.account.options.key:
            raise Refused(401, WRONG_KEY)


def _fields(request: Request) -> Mapping[str, Any]:
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        return _parts(content_type, request.body)
    if not content_type.startswith("application/json"):
        raise Refused(406, f"Not acceptable: Content-Type {content_type!r}")
    try:
        read = json.loads(request.body)
    except ValueError as error:
        raise Refused(400, f"malformed JSON: {error}") from error
    if not isinstance(read, dict):
        raise Refused(400, "malformed JSON: an object is expected")
    return read


def _parts(content_type: str, body: bytes) -> Mapping[str, Any]:
    """Return the parts by name: files as bytes, everything else as text."""
    whole = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    message = email.message_from_bytes(whole, policy=email.policy.HTTP)
    found: dict[str, Any] = {}
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and isinstance(data, bytes):
            found[name] = data if part.get_filename() else data.decode()
    return found
