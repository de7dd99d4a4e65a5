"""/api/webhooks and /v1/webhooks: addresses, deliveries and the secret as JSON, by key or by session."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys
from accounts.models import Membership, Role, Team, User
from generations import reference
from generations.models import Delivery, DeliveryAttempt, Generation, Webhook
from generations.models.webhook import EVENTS, Event, bits
from generations.webhooks import endpoints, signing
from tests.pages import MakeRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untold")]

URL = "https://example.com/hook"
Ask = Callable[..., Any]


@pytest.fixture
def ask(client: Client, admin: User, team: Team) -> Ask:
    """Return a function that asks with a key of the admin's that may manage."""
    place = Membership.objects.get(user=admin, team=team)
    raw = keys.create(place, name="ops", scopes=["manage"])[1]

    def do(method: str, path: str, body: Any = None, key: str = raw) -> Any:
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(client, method)(path, headers={"x-api-key": key}, **sent)

    return do


def conforms(name: str, value: Any) -> None:
    document = reference.document()
    jsonschema.validate(value, {"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def refused(answer: Any, status: int, *fields: str) -> str:
    assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert [each["pointer"] for each in body.get("errors", [])] == [f"#/{field}" for field in fields]
    return str(body["detail"])


def deliver(team: Team, count: int = 1, **more: Any) -> list[Delivery]:
    made = [Delivery.objects.create(team=team, url=URL, **{"event": "test", **more}) for _ in range(count)]
    for each in made:
        DeliveryAttempt.objects.create(
            delivery=each, number=1, started_at=timezone.now(), ended_at=timezone.now(), status_code=500, error="500"
        )
    return made


# --- addresses ----------------------------------------------------------------------------------------------


def test_an_address_from_its_beginning_to_its_end(ask: Ask, team: Team) -> None:
    made = ask("post", "/api/webhooks", {"url": URL, "events": ["completed"], "description": "The shop"})
    assert made.status_code == 201
    conforms("Webhook", made.json())
    at = f"/api/webhooks/{made.json()['id']}"
    assert ask("get", at).json() == made.json() == ask("get", "/api/webhooks").json()["results"][0]
    changed = ask("patch", at, {"events": ["logs", "start"], "enabled": False}).json()
    conforms("Webhook", changed)
    assert (changed["events"], changed["enabled"], changed["disabled_because"]) == (["start", "logs"], False, "person")
    assert changed["description"] == "The shop"
    team.refresh_from_db()
    assert team.hooked == 0
    ask("patch", at, {"enabled": True})
    team.refresh_from_db()
    assert team.hooked == bits([Event.START, Event.LOGS])
    assert ask("delete", at).status_code == 204
    assert ask("get", at).status_code == 404
    team.refresh_from_db()
    assert team.hooked == 0


def test_without_events_it_is_told_everything(ask: Ask) -> None:
    assert ask("post", "/api/webhooks", {"url": URL}).json()["events"] == list(EVENTS)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"url": "http://example.com/"}, ["url"]),
        ({"url": "https://10.0.0.1/"}, ["url"]),
        ({"url": 5}, ["url"]),
        ({"url": URL, "events": ["done"]}, ["events"]),
        ({"url": URL, "events": []}, ["events"]),
        ({"url": "https://[::1]/", "events": ["done"]}, ["url", "events"]),
        ({"url": URL, "description": "a" * 121}, ["description"]),
        ({"url": URL, "description": "a\u0000"}, ["description"]),
        ({"url": URL, "enabled": "yes"}, ["enabled"]),
        ({"url": URL, "event": ["start"]}, ["event"]),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_what_is_wrong_is_named_and_nothing_is_made(ask: Ask, body: Any, fields: list[str]) -> None:
    refused(ask("post", "/api/webhooks", body), 422, *fields)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("body", "fields"), [({"events": []}, ["events"]), ({"url": URL}, ["url"]), ({"description": 3}, ["description"])]
)
def test_a_bad_change_changes_nothing(ask: Ask, team: Team, body: Any, fields: list[str]) -> None:
    row = Webhook.objects.create(team=team, url=URL, events=["completed"])
    refused(ask("patch", f"/api/webhooks/{row.id}", body), 422, *fields)
    row.refresh_from_db()
    assert row.events == ["completed"]


def test_there_are_so_many_and_no_more(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 2)
    assert [ask("post", "/api/webhooks", {"url": URL}).status_code for _ in range(3)] == [201, 201, 422]


def test_a_test_is_sent(ask: Ask, team: Team) -> None:
    row = Webhook.objects.create(team=team, url=URL, events=["completed"])
    answer = ask("post", f"/api/webhooks/{row.id}/test")
    assert answer.status_code == 202
    conforms("DeliveryDetail", answer.json())
    assert (answer.json()["event"], answer.json()["webhook"]) == ("test", str(row.id))


def test_a_team_tests_and_replays_ten_times_a_minute(
    ask: Ask, team: Team, outsider: User, settings: LazySettings
) -> None:
    settings.REDIS_URL = ""
    row = Webhook.objects.create(team=team, url=URL, events=["completed"])
    (sent,) = deliver(team)
    paths = [f"/api/webhooks/{row.id}/test", f"/api/webhooks/deliveries/{sent.key}/replay"]
    with time_machine.travel(datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC), tick=False):
        assert ask("post", f"/api/webhooks/{uuid.uuid4()}/test").status_code == 404
        answers = [ask("post", paths[number % 2]) for number in range(30)]
        assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 20
        assert answers[0]["RateLimit"] == '"default";r=9;t=50'
        for refused_one in answers[10:]:
            assert refused_one["Retry-After"] == "50"
            assert "10 requests a minute are allowed" in refused(refused_one, 429)
        assert Delivery.objects.filter(event="test").count() == 6
        other = Webhook.objects.create(team=outsider.memberships.get().team, url=URL, events=["completed"])
        raw = keys.create(outsider.memberships.get(), name="theirs", scopes=["manage"])[1]
        assert ask("post", f"/api/webhooks/{other.id}/test", key=raw).status_code == 202, "each team has its own"
    with time_machine.travel(datetime(2026, 11, 20, 12, 1, tzinfo=UTC), tick=False):
        assert ask("post", paths[0]).status_code == 202


# --- deliveries ---------------------------------------------------------------------------------------------


def test_deliveries_are_listed_in_pages_and_by_filter(
    ask: Ask, team: Team, make_run: MakeRun, settings: LazySettings
) -> None:
    run = make_run()
    own = Webhook.objects.create(team=team, generation=run, url=URL, events=["completed"])
    registered = Webhook.objects.create(team=team, url=URL, events=["completed"])
    deliver(team, 3, state="failed")
    (of_run,) = deliver(team, webhook=own, generation=run, event="completed", state="delivered")
    (of_address,) = deliver(team, webhook=registered, state="delivered")
    first = ask("get", "/api/webhooks/deliveries?limit=2").json()
    for each in first["results"]:
        conforms("Delivery", each)
    assert [each["id"] for each in first["results"]] == [str(of_address.key), str(of_run.key)]
    assert [each["webhook"] for each in first["results"]] == [str(registered.id), None]
    assert first["results"][0]["last_status"] == 500
    second = ask("get", first["next"].removeprefix(settings.PUBLIC_URL)).json()
    assert len(second["results"]) == 2
    for query, found in (
        ("state=delivered", 2),
        ("state=failed", 3),
        (f"prediction={run.id}", 1),
        (f"webhook={registered.id}", 1),
    ):
        assert len(ask("get", f"/api/webhooks/deliveries?{query}").json()["results"]) == found
    for query in ("state=lost", "webhook=1", "run=1"):
        refused(ask("get", f"/api/webhooks/deliveries?{query}"), 400)


def test_a_list_costs_the_same_whatever_the_rows(ask: Ask, team: Team) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            ask("get", "/api/webhooks/deliveries")
        return len(captured)

    hook = Webhook.objects.create(team=team, url=URL, events=["completed"])
    deliver(team, 1, webhook=hook)
    ask("get", "/api/webhooks/deliveries")
    few = cost()
    deliver(team, 30, webhook=hook)
    assert cost() == few


def test_a_delivery_and_its_replay(ask: Ask, team: Team) -> None:
    (row,) = deliver(team, state="failed")
    shown = ask("get", f"/api/webhooks/deliveries/{row.key}").json()
    conforms("DeliveryDetail", shown)
    assert shown["attempts"][0]["status"] == 500
    again = ask("post", f"/api/webhooks/deliveries/{row.key}/replay")
    assert (again.status_code, again.json()["state"]) == (202, "pending")


def test_what_was_told_of_a_removed_run_is_not_shown(ask: Ask, team: Team, make_run: MakeRun) -> None:
    run = make_run()
    (row,) = deliver(team, generation=run)
    Generation.objects.filter(id=run.id).update(removed_at=timezone.now())
    assert ask("get", "/api/webhooks/deliveries").json()["results"] == []
    assert ask("get", f"/api/webhooks/deliveries/{row.key}").status_code == 404


# --- the secret ---------------------------------------------------------------------------------------------


def test_the_secret_and_a_new_one(ask: Ask, team: Team, key: str) -> None:
    before = ask("get", "/api/webhooks/secret").json()
    assert before == {"key": signing.secret(team.pk), "overlaps_until": None}
    default = ask("get", "/v1/webhooks/default/secret", key=key)
    assert default.json() == {"key": before["key"]}
    assert "no-store" in default["cache-control"]
    after = ask("post", "/api/webhooks/secret/rotate").json()
    conforms("WebhookSecret", after)
    assert after["key"] != before["key"]
    assert after["overlaps_until"]


# --- who may ------------------------------------------------------------------------------------------------


def addresses(team: Team) -> dict[tuple[str, str], bool]:
    """Return every method and address, and whether it changes something."""
    row = Webhook.objects.create(team=team, url=URL, events=["completed"])
    (delivery,) = deliver(team)
    return {
        ("get", "/api/webhooks"): False,
        ("post", "/api/webhooks"): True,
        ("get", f"/api/webhooks/{row.id}"): False,
        ("patch", f"/api/webhooks/{row.id}"): True,
        ("delete", f"/api/webhooks/{row.id}"): True,
        ("post", f"/api/webhooks/{row.id}/test"): True,
        ("get", "/api/webhooks/deliveries"): False,
        ("get", f"/api/webhooks/deliveries/{delivery.key}"): False,
        ("post", f"/api/webhooks/deliveries/{delivery.key}/replay"): True,
        ("post", "/api/webhooks/secret/rotate"): True,
    }


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_members_look_and_do_not_change(client: Client, request: pytest.FixtureRequest, team: Team, role: str) -> None:
    client.force_login(request.getfixturevalue(role))
    for (method, path), changes in addresses(team).items():
        assert getattr(client, method)(path).status_code == (403 if changes else 200), path
    assert client.get("/api/webhooks/secret").status_code == (200 if role == "member" else 403)


def test_a_key_that_may_only_read_sees_no_secret(ask: Ask, membership: Membership) -> None:
    raw = keys.create(membership, name="reader", scopes=["read"])[1]
    assert ask("get", "/api/webhooks", key=raw).status_code == 200
    refused(ask("get", "/api/webhooks/secret", key=raw), 403)
    refused(ask("get", "/v1/webhooks/default/secret", key=raw), 403)
    refused(ask("post", "/api/webhooks", {"url": URL}, key=raw), 403)


def test_another_teams_are_not_there(ask: Ask, outsider: User, team: Team) -> None:
    others = Membership.objects.get(user=outsider, role=Role.OWNER).team
    for (method, path), _ in addresses(others).items():
        if path.count("/") > 2 and not path.endswith(("deliveries", "rotate")):
            assert ask(method, path, None if method == "get" else {}).status_code == 404, path
    assert ask("get", "/api/webhooks").json()["results"] == []
    assert ask("get", "/api/webhooks/deliveries").json()["results"] == []


def test_without_a_key_or_session_nothing_is_told(client: Client, team: Team) -> None:
    for method, path in addresses(team):
        assert getattr(client, method)(path).status_code == 401
    assert client.get("/v1/webhooks/default/secret").status_code == 401


def test_what_is_not_there(ask: Ask) -> None:
    nobody = uuid.uuid4()
    for path in (f"/api/webhooks/{nobody}", f"/api/webhooks/deliveries/{nobody}", "/v1/webhooks/other"):
        assert ask("get", path).status_code == 404
    assert ask("put", "/api/webhooks", {}).status_code == 405
