"""Shared by the tests of the doors: requests with the member's key."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from tests.jobs import Configure, given

Post = Callable[..., Any]


def encoded(**more: Any) -> dict[str, Any]:
    """Return the least input as JSON carries it."""
    raw = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in given().items()}
    return {**raw, **more}


@pytest.fixture
def post(client: Client, key: str, engines: Configure) -> Post:
    """Return a function that posts JSON with the member's key."""

    def do(path: str = "/v1/bg-replace", body: Any = None, **headers: str) -> Any:
        return client.post(
            path,
            data=json.dumps(encoded() if body is None else body),
            content_type="application/json",
            headers={"x-api-key": key, **headers},
        )

    return do


@pytest.fixture
def one_minute(time_machine: TimeMachineFixture) -> None:
    """Let a window of a rate limit begin: a test that crossed its end would count anew."""
    time_machine.move_to(timezone.now().replace(second=1))


@pytest.fixture
def get(client: Client, key: str) -> Callable[[str], Any]:
    return lambda path: client.get(path, headers={"x-api-key": key})
