"""The portal's resources: who may ask, by key or by session, and how problems are told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import clear_url_caches, path
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import keys
from accounts.access import Right
from accounts.models import Membership, Team, User
from config import urls
from generations.api import filters
from generations.api.portal import PortalView
from tests.conftest import PASSWORD, make_team

pytestmark = pytest.mark.django_db


class WhoView(PortalView):
    """Says who asks."""

    rights = {"GET": Right.VIEW, "POST": Right.GENERATE}

    def get(self, request: Request) -> HttpResponse:
        return Response({"team": self.actor.team_id, "key": self.actor.key_id})

    post = get


@pytest.fixture(autouse=True)
def _who(settings: Any) -> Iterator[None]:
    """Serve WhoView at /who, beside everything else."""
    urls.urlpatterns.insert(0, path("who", WhoView.as_view()))
    yield
    urls.urlpatterns.pop(0)


@pytest.fixture(autouse=True)
def _urls_are_read_anew(_who: None) -> Iterator[None]:
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.fixture
def browser(member: User) -> Client:
    """The member's browser, in which CSRF is enforced."""
    client = Client(enforce_csrf_checks=True)
    assert client.login(email=member.email, password=PASSWORD)
    return client


def problem(answer: Any, status: int, kind: str) -> str:
    assert answer.status_code == status
    assert answer["content-type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert body["type"].endswith(f"#{kind}")
    assert body["status"] == status
    return str(body["detail"])


def test_a_key_speaks_for_itself(client: Client, key: str, team: Team) -> None:
    for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}, {"authorization": f"Token {key}"}):
        assert client.get("/who", headers=headers).json()["team"] == team.pk
        assert client.post("/who", headers=headers).json()["key"]


def test_nobody_is_401_and_no_redirect(client: Client) -> None:
    detail = problem(client.get("/who"), 401, "unauthorized")
    assert "Sign in" in detail
    assert "x-api-key" in detail


def test_a_wrong_key_is_401_even_in_a_session(browser: Client) -> None:
    assert "invalid" in problem(browser.get("/who", headers={"x-api-key": "ss_nope"}), 401, "unauthorized")


def test_a_session_speaks_for_the_team_chosen_in_it(browser: Client, member: User, team: Team) -> None:
    assert browser.get("/who").json() == {"team": team.pk, "key": None}
    other = make_team("Zebra", member)
    session = browser.session
    session["team"] = other.pk
    session.save()
    assert browser.get("/who").json()["team"] == other.pk
    session["team"] = -1
    session.save()
    assert browser.get("/who").json()["team"] == team.pk


def test_a_session_changes_nothing_without_the_token(browser: Client) -> None:
    assert "X-CSRFToken" in problem(browser.post("/who"), 403, "forbidden")
    browser.get("/")
    token = browser.cookies["csrftoken"].value
    assert browser.post("/who", headers={"X-CSRFToken": token}).status_code == 200
    problem(browser.post("/who", headers={"X-CSRFToken": token[:-1]}), 403, "forbidden")
    foreign = {"X-CSRFToken": token, "origin": "https://evil.example"}
    assert "Origin" in problem(browser.post("/who", headers=foreign), 403, "forbidden")


def test_a_key_needs_no_token(key: str) -> None:
    assert Client(enforce_csrf_checks=True).post("/who", headers={"x-api-key": key}).status_code == 200


def test_who_is_in_no_team_is_told_so(client: Client) -> None:
    client.force_login(User.objects.create_user("loner@example.com"))
    assert "add_member" in problem(client.get("/who"), 403, "forbidden")


def test_each_method_has_its_right(client: Client, viewer: User, membership: Membership) -> None:
    client.force_login(viewer)
    assert client.get("/who").status_code == client.head("/who").status_code == 200
    assert "the role owner, admin or member" in problem(client.post("/who"), 403, "forbidden")
    raw = keys.create(membership, name="reads", scopes=["read"])[1]
    assert client.get("/who", headers={"x-api-key": raw}).status_code == 200
    assert "generate" in problem(client.post("/who", headers={"x-api-key": raw}), 403, "forbidden")


def test_a_method_without_a_right_cannot_be_written() -> None:
    with pytest.raises(AssertionError, match="DELETE"):
        type("Open", (PortalView,), {"rights": {"GET": Right.VIEW}, "delete": lambda self, request: None})


@pytest.mark.parametrize("address", ["/api", "/api/", "/api/no/such/thing", "/api/keys/1/2/3"])
def test_an_unknown_address_is_a_problem_for_anybody(client: Client, key: str, address: str) -> None:
    for headers in ({}, {"x-api-key": key}):
        for method in (client.get, client.post, client.delete):
            assert address in problem(method(address, headers=headers), 404, "not_found")


def test_a_wrong_method_is_a_problem_that_says_which_are_right(client: Client, key: str) -> None:
    answer = client.put("/who", headers={"x-api-key": key})
    problem(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer["allow"].replace(" ", "").split(","))


def test_answers_are_nobodys_to_keep(client: Client, key: str) -> None:
    answer = client.get("/who", headers={"x-api-key": key})
    assert answer["cache-control"] == "private, no-store"
    assert answer["x-content-type-options"] == "nosniff"


# --- what stands in a query ---------------------------------------------------------------------------------

ALLOWED: dict[str, filters.Parse] = {
    "model": filters.one_of(["a", "b"]),
    "key": filters.whole(1),
    "favourite": filters.truth,
    "collection": filters.identifier,
    "created_after": filters.moment,
    "from": filters.day,
    "search": filters.text(5),
    "group_by": filters.several_of(["day", "model"]),
}


def read(query: str) -> dict[str, Any]:
    return filters.read(Request(RequestFactory().get(f"/?{query}")), ALLOWED)


def test_values_are_read_as_what_they_are() -> None:
    query = "model=a&key=7&favourite=false&from=2026-05-01&search=é&group_by=model,day"
    assert list(read(query).values())[:3] == ["a", 7, False]
    assert str(read("from=2026-05-01")["from"]) == "2026-05-01"
    assert read("group_by=model,day")["group_by"] == ["model", "day"]
    assert read("group_by=")["group_by"] == []


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-05-01T12:00:00Z", "2026-05-01 12:00:00+00:00"),
        ("2026-05-01T12:00:00+02:00", "2026-05-01 10:00:00+00:00"),
        ("2026-05-01T12:00:00%2B02:00", "2026-05-01 10:00:00+00:00"),
        ("2026-05-01 12:00:00", "2026-05-01 12:00:00+00:00"),
        ("2026-05-01", "2026-05-01 00:00:00+00:00"),
    ],
)
def test_times_are_utc_unless_they_say_else(given: str, utc: str) -> None:
    assert str(read(f"created_after={given}")["created_after"]) == utc


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("team__name=x", ["team__name", "allowed are collection, created_after, favourite"]),
        ("model__startswith=a", ["model__startswith", "no such query parameter"]),
        ("model=c", ["model", '"c"', "a, b"]),
        ("model=a&model=b", ["model", "once"]),
        ("key=0", ["key", '"0"', "from 1"]),
        ("key=1e3", ["key", "whole number"]),
        ("key=٣", ["key", "whole number"]),
        ("key=" + "9" * 30, ["key", "whole number"]),
        ("favourite=yes", ["favourite", "true, false"]),
        ("collection=x", ["collection", "UUID"]),
        ("created_after=yesterday", ["created_after", "ISO 8601"]),
        ("created_after=2026-02-30", ["created_after", "ISO 8601"]),
        ("created_after=0001-01-01T00:00:00%2B23:00", ["created_after", "ISO 8601"]),
        ("from=2026-02-30", ["from", "2026-02-30", "a date"]),
        ("search=toolong", ["search", "5 printable"]),
        ("search=%00", ["search", "5 printable"]),
        ("group_by=day,day", ["group_by", "each once"]),
        ("group_by=team_id", ["group_by", "day, model"]),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(query: str, named: list[str]) -> None:
    with pytest.raises(ParseError) as raised:
        read(query)
    for part in named:
        assert part in str(raised.value.detail)
