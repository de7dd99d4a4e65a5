"""The operator's page of engines, and a run that another engine took over: light, dark and narrow."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import expect

from accounts.credits import MICRO
from accounts.models import Membership, Role, Team, User
from generations import catalogue
from generations.models import Gate, Generation, Heartbeat
from generations.models.attempt import State
from generations.models.generation import Status
from tests import upstream
from tests.browser.conftest import OpenStudio, Studio
from tests.browser.test_pages import LOOKS, assert_fits, findings
from tests.hosted import make_attempt
from tests.pages import MakeRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AWAY = "The hosted API can't be reached: connection refused."


@pytest.fixture
def busy(hosted: upstream.Server, settings: LazySettings, make_run: MakeRun, operator: User, team: Team) -> Generation:
    """A day of much trouble: a low balance, an open breaker, unknown attempts, and this run, taken over and done."""
    Membership.objects.create(team=team, user=operator, role=Role.ADMIN)
    rung = {"engine": "segmind", "teams": [team.slug], "most": 0.02, "requires": ["mask"]}
    settings.ROUTES = {slug: [rung, "classical"] for slug in catalogue.MODELS}
    now = timezone.now()
    Gate.objects.create(
        engine="segmind",
        balance=2 * MICRO + 345_678,
        balance_at=now - timedelta(hours=3),
        open_until=now + timedelta(hours=1),
        answer="The hosted API answered 503; whether it runs the job is not known.",
        answered_at=now,
        alert="The hosted API does not accept the key (401): the key has expired",
    )
    Heartbeat.objects.create(worker="network@here", queue="network", at=now + timedelta(hours=1))
    lost = make_run(status=Status.FAILED, error="It may have been carried out.", age=60)
    make_attempt(lost, "segmind", State.UNKNOWN, upstream_id="b1946ac9-2d1c-4c8a-9e0f-4f8c6a1d7c55", error=AWAY)
    make_attempt(lost, "segmind", State.UNKNOWN, number=2, error="The worker that ran this stopped.")
    note = f"classical stood in for segmind: {AWAY}"
    run = make_run(
        "a bottle on a quay",
        engine="classical",
        route=["segmind", "classical"],
        notes=[note, "It composites and fills; the prompt was not read."],
    )
    make_attempt(run, "segmind", State.FAILED, error=AWAY, cost=0)
    make_attempt(run, "classical", State.DONE, number=2, seconds=1.2, cost=1800)
    return run


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_of_engines(open_studio: OpenStudio, busy: Generation, operator: User, look: str) -> None:
    theme, width = LOOKS[look]
    page = open_studio(operator, theme=theme, width=width).open("/engines")
    expect(page.get_by_text("breaker open until")).to_be_visible()
    assert not findings(page)
    assert_fits(page)


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_that_was_taken_over(open_studio: OpenStudio, busy: Generation, member: User, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(member, theme=theme, width=width)
    for path in (f"/runs/{busy.pk}", f"/gallery/{busy.outputs.get().pk}"):
        page = studio.open(path)
        expect(page.get_by_text("Made by classical instead of segmind")).to_be_visible()
        expect(page.get_by_role("region", name="Attempts")).to_contain_text("Did not deliver")
        assert not findings(page)
        assert_fits(page)


def test_an_engine_is_drained_asked_and_resumed(open_studio: OpenStudio, busy: Generation, operator: User) -> None:
    studio: Studio = open_studio(operator)
    page = studio.open("/")
    page.get_by_title("segmind: The hosted API does not accept the key").click()
    page.wait_for_url("**/engines")
    page.get_by_role("button", name="Drain segmind").click()
    expect(page.get_by_text("segmind is drained")).to_be_visible()
    page.get_by_role("button", name="Ask for the balance of segmind").click()
    expect(page.get_by_text("segmind has 12.50 credits left.")).to_be_visible()
    expect(page.locator(".balance--upstream")).to_contain_text("12.50")
    expect(page.locator(".balance--care")).to_have_count(0)
    page.get_by_role("button", name="Resume segmind").click()
    expect(page.get_by_text("segmind gets jobs again.")).to_be_visible()
    page.locator("details.menu summary").first.click()
    page.get_by_role("button", name="Perfumers").click()
    page.wait_for_url("**/")
    studio.open("/engines").locator("td a").first.click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("heading", name="It did not work")).to_be_visible()
