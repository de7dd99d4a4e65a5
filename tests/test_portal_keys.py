"""/api/keys, /api/account, /api/teams, /api/members, /api/models: who asks, and what they may give away."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.models import ApiKey, Membership, Team, User
from generations import catalogue
from tests.conftest import make_team
from tests.jobs import Configure
from tests.portal import Api, ask, key_of, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client: Client, member: User) -> Api:
    """Return a function that asks as the member in the browser."""
    client.force_login(member)

    def send(method: str, path: str, body: Any = None) -> Any:
        return client.generic(method, path, json.dumps(body), content_type="application/json")

    return send


def test_a_key_is_shown_once(person: Api, client: Client, team: Team) -> None:
    answer = person("POST", "/api/keys", {"name": "Web shop"})
    assert answer.status_code == 201
    made = answer.json()
    assert made["scopes"] == ["generate", "read"]
    assert made["key"].startswith(made["prefix"])
    actor = keys.authenticate(made["key"])
    assert actor is not None
    assert actor.team_id == team.pk
    assert made["key"] not in person("GET", "/api/keys").content.decode()
    assert person("GET", f"/api/keys/{made['id']}").json()["name"] == "Web shop"
    assert person("DELETE", f"/api/keys/{made['id']}").status_code == 204
    assert person("DELETE", f"/api/keys/{made['id']}").status_code == 204
    assert keys.authenticate(made["key"]) is None
    assert person("GET", "/api/keys").json()["results"][0]["is_active"] is False


def test_a_key_has_its_limits(person: Api) -> None:
    limits = {"models": ["bg-replace"], "rate_limit": 60, "daily": 5, "monthly": 20.5}
    made = person("POST", "/api/keys", {"name": "a", "scopes": ["generate"], **limits}).json()
    assert (made["models"], made["rate_limit"]) == (["bg-replace"], 60)
    assert (made["day"], made["month"]) == ({"used": 0, "limit": 5}, {"used": 0, "limit": 20.5})
    changed = person("PATCH", f"/api/keys/{made['id']}", {"daily": 1}).json()
    assert (changed["models"], changed["rate_limit"], changed["day"]["limit"]) == ([], None, 1)
    assert changed["month"]["limit"] is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": ""}, ["name", "1 to 80"]),
        ({"name": "a", "scopes": ["root"]}, ["scopes", "root", "generate"]),
        ({"name": "a", "scopes": []}, ["scopes", "none"]),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, ["expires_at", "2020-01-01"]),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00"}, ["expires_at"]),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-12:00"}, ["expires_at", "9999", "up to 9000"]),
        ({"name": "a", "expires_at": "0001-01-01T00:00:00+14:00"}, ["expires_at"]),
        ({"name": "a", "models": ["none"]}, ["models", "none", "bg-replace"]),
        ({"name": "a", "rate_limit": 0}, ["rate_limit", "0"]),
        ({"name": "a", "daily": -1}, ["daily"]),
        ({"name": "a", "daily": 0.00000001}, ["daily", "six decimals"]),
        ({"name": "a", "digest": "x"}, ["digest", "unknown"]),
    ],
)
def test_a_wrong_key_is_not_made(person: Api, body: Any, named: list[str]) -> None:
    detail = problem(person("POST", "/api/keys", body), 422, "invalid_input")
    for part in named:
        assert part in detail
    assert not ApiKey.objects.exists()


def test_a_key_makes_keys_within_its_own_scopes(client: Client, member: User, team: Team) -> None:
    narrow = key_of(member, team, "manage")
    answer = ask(client, narrow, "POST", "/api/keys", {"name": "a", "scopes": ["generate"]})
    assert "scopes" in problem(answer, 422, "invalid_input")
    made = ask(client, narrow, "POST", "/api/keys", {"name": "a", "scopes": ["manage"]}).json()
    assert made["scopes"] == ["manage"]
    problem(ask(client, made["key"], "POST", "/api/keys", {"name": "b", "scopes": ["manage"]}), 403, "forbidden")
    problem(ask(client, narrow, "PATCH", f"/api/keys/{made['id']}", {"daily": 100}), 403, "forbidden")
    for scopes in (["generate"], ["read"], ["generate", "read"]):
        raw = key_of(member, team, *scopes)
        problem(ask(client, raw, "POST", "/api/keys", {"name": "a"}), 403, "forbidden")
        problem(ask(client, raw, "GET", "/api/keys"), 403, "forbidden")


def test_a_member_sees_their_own_keys_and_an_admin_all(
    person: Api, client: Client, admin: User, team: Team, outsider: User
) -> None:
    mine = person("POST", "/api/keys", {"name": "mine"}).json()["id"]
    key_of(admin, team)
    assert [row["name"] for row in person("GET", "/api/keys").json()["results"]] == ["mine"]
    theirs = ApiKey.objects.get(membership__user=admin).pk
    for method in ("GET", "PATCH", "DELETE"):
        problem(person(method, f"/api/keys/{theirs}", {}), 404, "not_found")
    problem(person("GET", f"/api/keys/{10**30}"), 404, "not_found")
    client.force_login(admin)
    assert [row["name"] for row in client.get("/api/keys").json()["results"]] == ["test", "mine"]
    assert client.delete(f"/api/keys/{mine}").status_code == 204
    client.force_login(outsider)
    problem(client.delete(f"/api/keys/{theirs}"), 404, "not_found")


def test_who_asks_is_told_so(api: Api, client: Client, member: User, team: Team) -> None:
    body = api("GET", "/api/account").json()
    assert (body["user"]["email"], body["team"]["slug"], body["team"]["role"]) == (member.email, team.slug, "member")
    assert body["key"]["name"] == "test"
    assert body["balance"] == {"available": 25.0, "posted": 25.0, "held": 0.0}
    assert "manage_members" not in body["rights"]
    client.force_login(member)
    assert client.get("/api/account").json()["key"] is None


def test_teams_are_those_of_the_person_and_to_a_key_its_own(api: Api, client: Client, member: User, team: Team) -> None:
    make_team("Another", member)
    assert [(row["slug"], row["is_current"]) for row in api("GET", "/api/teams").json()["results"]] == [
        (team.slug, True)
    ]
    client.force_login(member)
    rows = client.get("/api/teams").json()["results"]
    assert [(row["name"], row["role"], row["is_current"]) for row in rows] == [
        ("Another", "owner", True),
        ("Perfumers", "member", False),
    ]


def test_members_are_listed_in_pages(api: Api, owner: User, member: User, viewer: User, outsider: User) -> None:
    found: list[str] = []
    path = "/api/members?limit=2"
    while path:
        page = api("GET", path).json()
        found += [row["email"] for row in page["results"]]
        path = page["next"]
    assert found == [viewer.email, member.email, owner.email]


def test_models_say_what_they_take_and_cost(api: Api, engines: Configure) -> None:
    rows = api("GET", "/api/models").json()["results"]
    assert [row["slug"] for row in rows] == list(catalogue.MODELS)
    body = api("GET", "/api/models/bg-replace").json()
    assert body["price"]["quote"] >= body["price"]["estimate"] > 0
    assert {each["name"] for each in body["parameters"]} == set(body["schema"]["properties"])
    assert next(each for each in body["parameters"] if each["name"] == "samples")["maximum"] == 4
    assert "there are" in problem(api("GET", "/api/models/none"), 404, "unknown_model")
    assert "takes none" in problem(api("GET", "/api/models?x=1"), 400)


@pytest.mark.parametrize("path", ["/api/keys", "/api/members"])
def test_the_number_of_queries_does_not_grow(client: Client, owner: User, team: Team, path: str) -> None:
    raw = key_of(owner, team)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask(client, raw, "GET", path).status_code == 200
        return len(captured)

    count()
    few = count()
    for number in range(10):
        user = User.objects.create_user(f"u{number}@example.com")
        Membership.objects.create(team=team, user=user, role="member")
        key_of(user, team)
    assert count() == few <= 3
