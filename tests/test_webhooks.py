"""Webhooks of a request: what is accepted, and that it is written down with the generation or not at all."""

import json
from typing import Any

import pytest
from django.conf import LazySettings

from accounts import ledger
from accounts.access import Actor
from accounts.models import Balance, Team
from generations import submission, webhooks
from generations.catalogue.validation import InvalidInput
from generations.models import Generation, Webhook
from generations.models.generation import Door
from generations.models.webhook import EVENTS, Event
from tests.doors import Post, encoded
from tests.jobs import Configure, given

URL = "https://example.com/hook"


def errors(url: Any, events: Any = None) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        webhooks.read(url, events)
    return {error.field: error.message for error in caught.value.errors}


def test_nothing_asked_for_is_no_hook() -> None:
    assert webhooks.read(None, None) is None


def test_without_a_filter_it_is_every_event() -> None:
    assert webhooks.read(URL) == webhooks.Hook(URL, EVENTS)


def test_events_come_in_the_order_in_which_they_happen_each_once() -> None:
    hook = webhooks.read(URL, ["completed", "start", "completed"])
    assert hook is not None
    assert list(hook.events) == ["start", "completed"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "a URL is required"),
        ("", "a URL is required"),
        (5, "5: a URL is required"),
        (["https://example.com"], "a URL is required"),
        ("example.com/hook", "http"),
        ("ftp://example.com/hook", "http"),
        ("javascript:alert(1)", "http"),
        ("http://example.com/hook", "https is allowed"),
        ("https://user:word@example.com/", "name or password"),
        ("https://example.com/" + "a" * 2000, "characters; at most 2,000"),
        ("https://example.com/" + "ä" * 700, "characters; at most 2,000"),
        ("https://127.0.0.1/hook", "not on the public internet"),
        ("https://[::1]/hook", "not on the public internet"),
        ("https://169.254.169.254/latest", "not on the public internet"),
        ("https://10.0.0.1:8443/", "not on the public internet"),
        ("https://[::ffff:127.0.0.1]/", "not on the public internet"),
        ("https://localhost/x", "not on the public internet"),
        ("https://LOCALHOST./x", "not on the public internet"),
        ("https://shop.localhost/x", "not on the public internet"),
        ("https://printer.local/x", "not on the public internet"),
        ("https://hooks.internal/x", "not on the public internet"),
        ("https://router.home.arpa/x", "not on the public internet"),
        ("https://web:8443/x", "not on the public internet"),
        ("https://127.1/x", "not on the public internet"),
        ("https://0x7f.1/x", "not on the public internet"),
        ("https://2130706433/x", "not on the public internet"),
        ("https://127.0.0.1:8443/x", "OUTBOUND_ALLOW=127.0.0.1:8443"),
        ("http://127.0.0.1:9000/x", "https is allowed; the URL's host is not on the public internet; the operator can"),
        ("http://shop.example/x", "for http as well, with OUTBOUND_ALLOW=shop.example:80"),
        ("https:///hook", "http"),
    ],
)
def test_a_bad_url_is_refused_by_name(url: Any, says: str) -> None:
    told = errors(url, ["completed"])
    assert set(told) == {"webhook"}
    assert told["webhook"].startswith("webhook: ")
    assert says in told["webhook"]


@pytest.mark.parametrize(
    "url",
    ["https://example.com/", "https://93.184.215.14/", "https://[2606:4700::1111]/", "https://local.example.com/"],
)
def test_an_address_that_may_be_public_is_taken_unresolved(url: str) -> None:
    assert webhooks.read(url) is not None


@pytest.mark.parametrize("events", ["completed", [], 3, {}, ["done"], ["start", None], [["start"]], ["test"]])
def test_bad_events_are_refused_by_name(events: Any) -> None:
    told = errors(URL, events)
    assert set(told) == {"webhook_events_filter"}
    assert "start, output, logs, completed" in told["webhook_events_filter"]


def test_both_wrong_are_both_told() -> None:
    assert set(errors("ftp://x", ["done"])) == {"webhook", "webhook_events_filter"}


def test_the_operator_opens_private_and_plain_addresses(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1:9000", "hooks.internal:80"]
    assert webhooks.read("http://127.0.0.1:9000/hook") is not None
    assert webhooks.read("http://hooks.internal/hook") is not None
    assert "webhook" in errors("http://127.0.0.1:9001/hook")


def submit(actor: Actor) -> Generation:
    hook = webhooks.read(URL, ["completed"])
    assert hook is not None
    return submission.submit(
        actor=actor,
        door=Door.JOBS,
        model="bg-replace",
        raw=given(),
        alongside=[webhooks.alongside(hook)],
    ).generation


@pytest.mark.usefixtures("unpublished")
def test_a_hook_is_written_with_its_generation(actor: Actor, engines: Configure) -> None:
    generation = submit(actor)
    row = Webhook.objects.get()
    assert (row.generation_id, row.team_id, row.url, row.events) == (
        generation.id,
        actor.team_id,
        URL,
        ["completed"],
    )
    generation.refresh_from_db()
    assert generation.hooked == Event.COMPLETED.bit


@pytest.mark.usefixtures("unpublished")
def test_a_refused_generation_leaves_no_hook(actor: Actor, engines: Configure, team: Team) -> None:
    Balance.objects.filter(team=team).update(posted=1)
    with pytest.raises(ledger.InsufficientCredits):
        submit(actor)
    assert not Webhook.objects.exists()
    assert not Generation.objects.exists()


# --- of the jobs API ----------------------------------------------------------------------------------------

PATH = "/v1/models/official/bg-replace/predictions"


def create(post: Post, **more: Any) -> Any:
    return post(PATH, {"input": encoded(), **more})


@pytest.mark.usefixtures("unpublished", "untold")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("asked", "events"),
    [
        ({"webhook": URL}, list(EVENTS)),
        ({"webhook": URL, "webhook_events_filter": ["completed"]}, ["completed"]),
        ({"webhook_completed": URL}, ["completed"]),
        ({"webhook": None}, None),
    ],
    ids=["all", "some", "the older way", "none"],
)
def test_a_prediction_takes_its_webhook(post: Post, asked: dict[str, Any], events: list[str] | None) -> None:
    answer = create(post, **asked)
    assert answer.status_code == 201
    rows = list(Webhook.objects.filter(generation_id=answer.json()["id"]))
    assert [row.events for row in rows] == ([events] if events else [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"webhook": "ftp://x"}, ["webhook"]),
        ({"webhook": 3, "webhook_events_filter": "completed"}, ["webhook", "webhook_events_filter"]),
        ({"webhook_events_filter": ["completed"]}, ["webhook"]),
        ({"webhook": URL, "webhook_events_filter": ["done"]}, ["webhook_events_filter"]),
        ({"webhook_completed": "http://10.0.0.1/"}, ["webhook_completed"]),
        ({"webhook": URL, "webhook_completed": URL}, ["webhook_completed"]),
    ],
    ids=json.dumps,
)
def test_a_bad_webhook_is_a_422_and_costs_nothing(post: Post, asked: dict[str, Any], fields: list[str]) -> None:
    answer = create(post, **asked)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/{field}" for field in fields]
    assert not Generation.objects.exists()


@pytest.mark.django_db
def test_a_dry_run_checks_it_and_writes_nothing(post: Post) -> None:
    assert create(post, webhook="ftp://x", dry_run=True).status_code == 422
    assert create(post, webhook=URL, dry_run=True).status_code == 200
    assert not Webhook.objects.exists()
