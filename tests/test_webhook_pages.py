"""The pages of webhooks: the secret when it is asked for, addresses for who may manage them, deliveries for all."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Team, User
from generations.models import Delivery, DeliveryAttempt, Webhook
from generations.models.webhook import Event, bits
from generations.webhooks import endpoints, listing, signing
from tests.pages import MakeRun

pytestmark = pytest.mark.django_db

URL = "https://example.com/hook"


@pytest.fixture
def browser(client: Client, admin: User, untold: list[Any]) -> Client:
    """The admin's; nothing is sent."""
    client.force_login(admin)
    return client


def make(team: Team, **more: Any) -> Webhook:
    return Webhook.objects.create(team=team, **{"url": URL, "events": ["completed"], **more})


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/webhooks{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_secret_is_shown_when_it_is_asked_for(browser: Client, team: Team) -> None:
    assert signing.secret(team.pk) not in page(browser)
    answer = browser.post("/webhooks/secret")
    assert signing.secret(team.pk) in answer.content.decode()
    assert "no-store" in answer["cache-control"]


def test_a_new_secret_is_made(browser: Client, team: Team) -> None:
    before = signing.secret(team.pk)
    assert browser.post("/webhooks/secret/rotate").status_code == 302
    assert signing.secret(team.pk) != before
    assert "the secret before it signs as well" in page(browser)


def test_an_address_is_added_changed_tested_and_deleted(browser: Client, team: Team, untold: list[Any]) -> None:
    given = {"url": URL, "events": ["start", "completed"], "description": "The shop"}
    assert browser.post("/webhooks", given).status_code == 302
    row = Webhook.objects.get()
    assert (row.team_id, row.url, row.events, row.description) == (team.pk, URL, ["start", "completed"], "The shop")
    team.refresh_from_db()
    assert team.hooked == bits([Event.START, Event.COMPLETED])
    browser.post(reverse("webhook-change", args=[row.id]), {"events": ["logs"], "enabled": "on"})
    row.refresh_from_db()
    team.refresh_from_db()
    assert (row.events, row.is_enabled, team.hooked) == (["logs"], True, Event.LOGS.bit)
    answer = browser.post(reverse("webhook-test", args=[row.id]))
    made = Delivery.objects.get()
    assert answer["location"] == reverse("webhook-delivery", args=[made.key])
    assert (made.event, made.webhook) == (Event.TEST, row)
    browser.post(reverse("webhook-change", args=[row.id]), {"events": ["logs"]})
    row.refresh_from_db()
    team.refresh_from_db()
    made.refresh_from_db()
    assert (row.disabled, team.hooked, made.state) == ("person", 0, "failed")
    assert browser.post(reverse("webhook-delete", args=[row.id])).status_code == 302
    assert not Webhook.objects.exists()
    assert Delivery.objects.get().webhook is None


def test_what_is_wrong_stands_beside_it(browser: Client) -> None:
    answer = browser.post("/webhooks", {"url": "http://10.0.0.1/", "events": []})
    told = answer.content.decode()
    assert answer.status_code == 422
    assert "https is allowed" in told
    assert "Choose one event at least" in told
    assert "data-open" in told
    assert not Webhook.objects.exists()


def test_there_are_so_many_and_no_more(browser: Client, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generations.webhooks.endpoints.MOST", 1)
    make(team)
    answer = browser.post("/webhooks", {"url": URL, "events": ["start"]})
    assert answer.status_code == 422
    assert "more are not allowed" in answer.content.decode()


def test_a_change_without_events_changes_nothing(browser: Client, team: Team) -> None:
    row = make(team)
    assert (
        "Choose one event"
        in browser.post(reverse("webhook-change", args=[row.id]), {"enabled": "on"}, follow=True).content.decode()
    )
    row.refresh_from_db()
    assert row.events == ["completed"]


def test_a_members_page_has_no_buttons_that_change(client: Client, member: User, team: Team) -> None:
    client.force_login(member)
    make(team)
    shown = page(client)
    assert URL in shown
    assert "Show the secret" in shown
    assert not any(word in shown for word in ("New address", "Make a new one", "Send a test", "Delete"))


def test_a_viewer_does_not_see_the_secret(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert "Show the secret" not in page(client)


def test_another_teams_addresses_are_not_there(browser: Client, outsider: User) -> None:
    other = Team.objects.exclude(memberships__user__email="admin@example.com").get()
    row = make(other, url="https://other.example/")
    delivery = Delivery.objects.create(team=other, event="test", url=row.url)
    assert "other.example" not in page(browser)
    for name, key in (("webhook-change", row.id), ("webhook-delete", row.id), ("webhook-test", row.id)):
        assert browser.post(reverse(name, args=[key]), {"events": ["start"]}).status_code == 404
    assert browser.post(reverse("webhook-replay", args=[delivery.key])).status_code == 404
    assert browser.get(reverse("webhook-delivery", args=[delivery.key])).status_code == 404
    assert Webhook.objects.filter(id=row.id, events=["completed"]).exists()


def test_a_requests_own_address_is_no_registered_one(browser: Client, make_run: MakeRun) -> None:
    run = make_run()
    row = make(run.team, generation=run, url="https://own.example/")
    assert "own.example" not in page(browser)
    assert browser.post(reverse("webhook-delete", args=[row.id])).status_code == 404


def deliveries(team: Team, count: int, **more: Any) -> list[Delivery]:
    made = [
        Delivery.objects.create(team=team, url=f"https://example.com/{uuid.uuid4()}", event="test", **more)
        for _ in range(count)
    ]
    for each in made:
        DeliveryAttempt.objects.create(
            delivery=each, number=1, started_at=each.created_at, ended_at=each.created_at, status_code=500, error="500"
        )
    return made


def test_deliveries_come_in_pages_by_state(browser: Client, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    failed, delivered = deliveries(team, 5, state="failed"), deliveries(team, 2, state="delivered")
    first = page(browser)
    newest = [*reversed(delivered), failed[4]]
    assert [each.url in first for each in newest] == [True] * 3
    assert failed[3].url not in first
    second = page(browser, f"?before={failed[4].id}")
    assert [each.url in second for each in failed] == [False, True, True, True, False]
    only = page(browser, "?state=delivered")
    assert [each.url in only for each in delivered] == [True, True]
    assert failed[4].url not in only
    nonsense = page(browser, "?state=nonsense&before=x")
    assert [each.url in nonsense for each in (*newest, failed[3])] == [True, True, True, False]


def test_a_page_costs_the_same_whatever_the_rows(browser: Client, team: Team) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(browser)
        return len(captured)

    deliveries(team, 1)
    make(team)
    few = cost()
    deliveries(team, 20)
    for number in range(5):
        make(team, url=f"{URL}/{number}")
    assert cost() == few


def test_a_delivery_shows_every_attempt(browser: Client, team: Team) -> None:
    (row,) = deliveries(team, 1, state="failed")
    DeliveryAttempt.objects.create(delivery=row, number=2, started_at=row.created_at)
    DeliveryAttempt.objects.create(
        delivery=row,
        number=3,
        started_at=row.created_at,
        ended_at=row.created_at,
        status_code=200,
        body='{"id": "sent"}',
        answer="<script>taken</script>",
    )
    told = browser.get(reverse("webhook-delivery", args=[row.key])).content.decode()
    assert row.message_id in told
    assert "whether it arrived is not known" in told
    assert "&lt;script&gt;taken" in told
    assert "{&quot;id&quot;: &quot;sent&quot;}" in told


def test_a_replay_is_asked_for(
    browser: Client, team: Team, django_capture_on_commit_callbacks: Any, untold: Any
) -> None:
    (row,) = deliveries(team, 1, state="failed")
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(reverse("webhook-replay", args=[row.key])).status_code == 302
    row.refresh_from_db()
    assert (row.state, untold) == ("pending", [row.id])


def test_tests_and_replays_that_are_too_many_are_refused(
    browser: Client, team: Team, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = ""
    monkeypatch.setattr(endpoints, "BY_HAND", 1)
    (row,) = deliveries(team, 1, state="failed")
    hook = make(team)
    with time_machine.travel(datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC), tick=False):
        browser.force_login(User.objects.get(memberships__team=team, memberships__role="admin"))
        assert browser.post(reverse("webhook-replay", args=[row.key])).status_code == 302
        Delivery.objects.filter(id=row.id).update(state="failed")
        for path in (reverse("webhook-replay", args=[row.key]), reverse("webhook-test", args=[hook.id])):
            answer = browser.post(path)
            assert (answer.status_code, answer["Retry-After"]) == (429, "50")
            assert "A team sends 1 tests and replays a minute; try again in 50 seconds." in answer.content.decode()
    assert list(Delivery.objects.values_list("state", flat=True)) == ["failed"]


def test_the_menu_leads_there(browser: Client) -> None:
    assert 'href="/webhooks"' in browser.get("/").content.decode()
