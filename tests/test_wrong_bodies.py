"""Bodies that are wrong in every way that a door can trip over: whatever is sent, no JSON operation answers 5xx."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from generations import reference
from tests.jobs import Configure
from tests.pages import MakeRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpublished", "untold")]

DEEP = 20_000
VALUES = {
    "infinite": b"1e999",
    "large": b"1e300",
    "many digits": b"9" * 4000,
    "more than a column": b"99999999999999999999999",
    "half a surrogate": b'"\\ud800"',
    "half in a list": b'["\\ud800"]',
    "no UTF-8": b'"\xff"',
    "NUL": b'"a\\u0000b"',
    "NUL in a list": b'["a\\u0000b"]',
    "infinite in a list": b"[1e999]",
    "null in a list": b"[null]",
    "deep": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "last moment": b'"9999-12-31T23:59:59-12:00"',
    "first moment": b'"0001-01-01T00:00:00+14:00"',
    "empty": b'""',
    "object": b'{"": {}}',
    "true": b"true",
    "NaN": b"NaN",
}
AFTER = [
    b', "x": 1e999}',
    b', "x": "\\ud800"}',
    b', "x": "\xff"}',
    b', "x": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b"",
    b", ",
]
"""What follows on a value of the wrong type, and is wrong itself."""
WHOLE = [
    b"",
    b"[1]",
    b'"x"',
    b"null",
    b"\xff",
    b"1e999",
    b'{"\\ud800": 1}',
    b'{"\xff": 1}',
    b'{"a\\u0000": 1}',
    b'{"": 1}',
]

SAME = ("inpaint-auto", "sdxl-inpaint", "sd1.5-inpainting")
"""Models whose operations are those of the other one."""


@dataclass(frozen=True)
class Body:
    """What an operation takes. members: their names. example: one that is good."""

    members: list[str]
    example: dict[str, Any]


def operations() -> Mapping[str, Body]:
    """Return the operations that take JSON, "PATCH /api/keys/{number}", with what they take."""
    document = reference.document()
    return {
        f"{method.upper()} {path}": _body(document, operation["requestBody"]["content"]["application/json"])
        for path, item in document["paths"].items()
        if not any(slug in path for slug in SAME)
        for method, operation in item.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }


def _body(document: Any, content: Any) -> Body:
    return Body(sorted(_members(document, content)), content["example"])


def _members(document: Any, content: Any) -> set[str]:
    schema = content["schema"]
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    parts = [schema, *schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    return {name for part in parts for name in part.get("properties", {})}


OPERATIONS = operations()


def wrong(body: Body) -> Iterator[bytes]:
    yield from WHOLE
    for name in body.members:
        member = json.dumps(name).encode()
        others = {other: value for other, value in body.example.items() if other != name}
        begun = json.dumps(others).encode().removesuffix(b"}") + (b", " if others else b"")
        yield from (begun + member + b": " + value + b"}" for value in VALUES.values())
        yield from (b"{" + member + b": 1" + after for after in AFTER)


@pytest.fixture
def ids(client: Client, owner: User, make_run: MakeRun) -> Mapping[str, Any]:
    """Return what stands in paths, of what is there; the client is signed in as the owner."""
    client.force_login(owner)

    def made(path: str, **body: Any) -> Any:
        return client.post(path, body, content_type="application/json").json()["id"]

    return {
        "webhook_id": made("/api/webhooks", url="https://example.com/hook"),
        "collection_id": made("/api/collections", name="Autumn"),
        "number": made("/api/keys", name="Shop"),
        "generation_id": make_run().id,
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_body_is_a_fault_of_ours(
    operation: str, client: Client, ids: Mapping[str, Any], key: str, engines: Configure, settings: LazySettings
) -> None:
    settings.RATE_LIMIT, settings.V1_DEADLINE = 0, 0.001  # nobody runs what is accepted
    method, _, path = operation.partition(" ")
    headers = {} if path.startswith("/api/") else {"x-api-key": key}
    found = {}
    for body in wrong(OPERATIONS[operation]):
        answer = client.generic(method, path.format(**ids), body, content_type="application/json", headers=headers)
        found[body[-60:]] = answer.status_code
    assert {body: status for body, status in found.items() if status >= 500 and status != 504} == {}
    assert set(found.values()) & {400, 406, 422}, "the bodies were read"


def test_every_door_that_takes_json_is_tried() -> None:
    assert {
        "POST /upload-asset",
        "POST /v1/bg-replace",
        "POST /v2/bg-replace",
        "POST /v1/predictions",
        "POST /v1/images/edits",
        "PATCH /api/keys/{number}",
    } <= set(OPERATIONS)
    assert all(body.members for body in OPERATIONS.values())


@pytest.mark.parametrize("name", ["samples", "prompt", "scheduler", "mask", "nonsense"])
@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/models/official/sdxl-inpaint/predictions"])
def test_nor_is_an_input_of_a_prediction(
    name: str, path: str, client: Client, key: str, engines: Configure, settings: LazySettings
) -> None:
    settings.RATE_LIMIT = 0
    version = b'"version": "official/sdxl-inpaint", ' if path == "/v1/predictions" else b""
    for value in VALUES.values():
        body = b"{" + version + b'"input": {"' + name.encode() + b'": ' + value + b"}}"
        answer = client.generic("POST", path, body, content_type="application/json", headers={"x-api-key": key})
        assert answer.status_code in (400, 422), (body[:80], answer.content[:200])
