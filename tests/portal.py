"""Shared by the tests of the portal's resources: requests with a key, and what their problems say."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from accounts.models import Membership, Team, User

Api = Callable[..., Any]
ALL = ("generate", "read", "manage")


def key_of(user: User, team: Team, *scopes: str) -> str:
    """Return a raw key of a person's, with every scope unless some are named."""
    place = Membership.objects.get(user=user, team=team)
    return keys.create(place, name="test", scopes=scopes or ALL)[1]


def ask(client: Client, raw: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send JSON with a key."""
    sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return client.generic(method, path, **sent, headers={"x-api-key": raw, **headers})  # type: ignore[arg-type]


def problem(answer: Any, status: int, kind: str = "") -> str:
    """Return the detail of an answer that is this problem."""
    assert answer.status_code == status, answer.content
    assert answer["content-type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert body["status"] == status
    assert body["type"].endswith(f"#{kind}") or not kind, body["type"]
    return str(body["detail"])


def rows_read(plan: dict[str, Any]) -> int:
    """Return the rows that a plan's scans read, those that they threw away included."""
    own = 0
    if "Scan" in plan["Node Type"]:
        own = plan["Actual Rows"] * plan["Actual Loops"] + plan.get("Rows Removed by Filter", 0)
    return int(own) + sum(rows_read(each) for each in plan.get("Plans", []))


@pytest.fixture
def api(client: Client, member: User, team: Team) -> Api:
    """Return a function that asks with a key of the member's that has every scope."""
    raw = key_of(member, team)
    return lambda method, path, body=None, **headers: ask(client, raw, method, path, body, **headers)


@pytest.fixture
def admins(client: Client, admin: User, team: Team) -> Api:
    raw = key_of(admin, team)
    return lambda method, path, body=None, **headers: ask(client, raw, method, path, body, **headers)


@pytest.fixture
def others(client: Client, outsider: User) -> Api:
    """Return a function that asks with another team's key."""
    raw = key_of(outsider, outsider.memberships.get().team)
    return lambda method, path, body=None, **headers: ask(client, raw, method, path, body, **headers)
