"""The pages of webhooks: light, dark and narrow, and what a person does there."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Team, User
from generations.models import Delivery, DeliveryAttempt, Webhook
from generations.models.webhook import Event
from generations.webhooks import signing
from tests.browser.conftest import OpenStudio
from tests.browser.test_pages import LOOKS, assert_fits, findings
from tests.pages import MakeRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("untold")]

URL = (
    "https://shop.example.com/hooks/sceneshift?environment=production&reason=a-long-address-that-has-to-wrap-somewhere"
)


@pytest.fixture
def delivery(make_run: MakeRun, team: Team) -> Delivery:
    """One that was tried three times, beside one that was taken and one that waits; three addresses."""
    run, now = make_run("a bottle on a quay"), timezone.now()
    shop = Webhook.objects.create(team=team, url=URL, events=["start", "completed"], description="The shop")
    Webhook.objects.create(team=team, url="https://old.example.com/", events=["completed"], disabled="gone")
    Webhook.objects.create(team=team, url="https://quiet.example.com/", events=["logs"], disabled="person")
    told = {"team": team, "webhook": shop, "generation": run, "url": URL}
    Delivery.objects.create(**told, event=Event.START, state="delivered", ended_at=now)
    failed = Delivery.objects.create(**told, event=Event.COMPLETED, state="failed", ended_at=now)
    Delivery.objects.create(**told, event=Event.OUTPUT, next_at=now + timedelta(hours=2))
    facts = {"delivery": failed, "started_at": now, "body": f'{{"id": "{run.id}", "status": "succeeded"}}'}
    DeliveryAttempt.objects.create(**facts, number=1, ended_at=now, error="the server took longer than 15 s")
    DeliveryAttempt.objects.create(**facts, number=2)
    answer = {"status_code": 502, "error": "the server answered 502", "answer": "<h1>Bad gateway</h1>" * 40}
    DeliveryAttempt.objects.create(**facts, number=3, ended_at=now, **answer)
    return failed


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages(open_studio: OpenStudio, delivery: Delivery, admin: User, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(admin, theme=theme, width=width)
    for path in ("/webhooks", "/webhooks?state=failed", f"/webhooks/deliveries/{delivery.key}"):
        page = studio.open(path)
        for folded in page.locator("details.advanced").all():
            folded.evaluate("element => { element.open = true }")
        assert not findings(page)
        assert_fits(page)


def test_the_dialogs(open_studio: OpenStudio, delivery: Delivery, admin: User) -> None:
    page = open_studio(admin).open("/webhooks")
    for name, focused in (("Make a new one", "Keep it"), (f"Delete {URL}", "Keep it")):
        page.get_by_role("button", name=name).first.click()
        chosen = page.locator("dialog[open]").get_by_role("button", name=focused)
        assert chosen.evaluate("element => element === document.activeElement")
        assert not findings(page)
        page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Change {URL}").click()
    assert not findings(page)


def test_an_empty_page_and_a_refused_address(open_studio: OpenStudio, team: Team, admin: User) -> None:
    studio = open_studio(admin)
    page = studio.open("/webhooks")
    assert not findings(page)
    page.get_by_role("button", name="New address").click()
    page.get_by_label("URL").fill("https://10.0.0.1/hook")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("not on the public internet")).to_be_visible()
    expect(page.get_by_label("URL")).to_have_value("https://10.0.0.1/hook")
    assert not findings(page)
    assert "422" in studio.problems.pop()


def test_an_address_is_added_with_the_keyboard_and_tested(open_studio: OpenStudio, team: Team, admin: User) -> None:
    page = open_studio(admin).open("/webhooks")
    page.get_by_role("button", name="New address").focus()
    page.keyboard.press("Enter")
    page.get_by_label("URL").fill("https://shop.example.com/hook")
    page.get_by_label("Start:").press("Space")
    page.get_by_label("URL").press("Enter")
    expect(page.get_by_role("rowheader", name="https://shop.example.com/hook")).to_be_visible()
    assert Webhook.objects.get().events == ["start", "completed"]
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_url("**/webhooks/deliveries/*")
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text("It is sent once more")).to_be_visible()


def test_the_secret_is_shown_and_copied(open_studio: OpenStudio, team: Team, member: User) -> None:
    studio = open_studio(member)
    page = studio.open("/")
    page.locator("details.menu summary").last.click()
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_role("button", name="Show the secret").click()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == signing.secret(team.pk)
    assert not findings(page)
