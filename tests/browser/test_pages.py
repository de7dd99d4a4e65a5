"""Every page, light, dark and narrow: no finding of axe, no complaint in the console, nothing wider than the window."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts import keys
from accounts.credits import MICRO
from accounts.models import Membership, Team, User
from generations import catalogue
from generations.models import Generation
from generations.models.generation import Fault, Status
from tests.browser.conftest import OpenStudio, Studio
from tests.pages import MakeRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 390)}


@pytest.fixture
def addresses(make_run: MakeRun, member: User, team: Team) -> dict[str, str]:
    """Return a page of every kind."""
    place = Membership.objects.get(user=member, team=team)
    keys.create(place, name="web shop")
    every = sorted(catalogue.MODELS)
    keys.create(place, name="a long name, with limits", models=every, rate_limit=60, daily=123_456, monthly=25 * MICRO)
    done = make_run("a bottle on a quay, with a prompt that goes on for a while", samples=2, notes=["A note."])
    failed = make_run(status=Status.FAILED, fault=Fault.REJECTED, error="No subject was found.")
    return {
        "models": "/",
        "bg-replace": "/playground/bg-replace",
        "remix": f"/playground/bg-replace?from={done.id}",
        "inpaint-auto": "/playground/inpaint-auto",
        "sd1.5-inpainting": "/playground/sd1.5-inpainting",
        "running": f"/runs/{make_run(status=Status.RUNNING, progress=0.4, age=60).id}",
        "done": f"/runs/{done.id}",
        "failed": f"/runs/{failed.id}",
        "canceled": f"/runs/{make_run(status=Status.CANCELED).id}",
        "gallery": "/gallery",
        "no match": "/gallery?q=zebra",
        "image": f"/gallery/{done.outputs.get(number=1).id}",
        "keys": "/keys",
        "password": "/accounts/password/change/",
        "sign out": "/accounts/logout/",
    }


ENTRANCE = ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/signup/")


def findings(page: Page) -> list[str]:
    """Return what axe has against the page."""
    violations = Axe().run(page).response["violations"]
    return [f"{page.url} {found['id']}: {node['html'][:200]}" for found in violations for node in found["nodes"]]


def assert_fits(page: Page) -> None:
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window, f"{page.url} is {width} px wide"


@pytest.mark.parametrize("look", LOOKS)
def test_every_page(open_studio: OpenStudio, addresses: dict[str, str], member: User, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(member, theme=theme, width=width)
    found = []
    for path in addresses.values():
        page = studio.open(path)
        for folded in page.locator("details.advanced").all():
            folded.evaluate("element => { element.open = true }")
        found += findings(page)
        assert_fits(page)
    assert not found


@pytest.mark.parametrize("look", LOOKS)
def test_the_way_in(open_studio: OpenStudio, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(None, theme=theme, width=width)
    found = []
    for path in ENTRANCE:
        page = studio.open(path)
        found += findings(page)
        assert_fits(page)
    assert not found


@pytest.mark.parametrize("look", LOOKS)
def test_an_empty_gallery_and_an_error(open_studio: OpenStudio, viewer: User, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(viewer, theme=theme, width=width)
    found = []
    for path in ("/gallery", "/playground/bg-replace", "/keys", "/nowhere"):
        page = studio.open(path)
        found += findings(page)
        assert_fits(page)
    assert not found
    assert len(studio.problems) == 1
    assert "404" in studio.problems.pop()


def test_axe_really_looks(studio: Studio, member: User) -> None:
    """A missing label and a pale text, in the colours that the studio is made of, are found."""
    page = studio.open("/playground/bg-replace")
    page.evaluate("document.querySelector('label[for=id_prompt]').remove()")
    page.evaluate("document.querySelector('h1').style.color = 'oklch(0.9 0.01 200)'")
    page.evaluate("document.querySelector('#id_prompt').placeholder = ''")
    found = " ".join(findings(page))
    assert "label:" in found
    assert "color-contrast:" in found


def test_open_dialogs_and_menus(studio: Studio, addresses: dict[str, str]) -> None:
    page = studio.open("/keys")
    page.get_by_role("button", name="New key").click()
    assert not findings(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Revoke web shop").click()
    assert page.get_by_role("button", name="Keep it").evaluate("element => element === document.activeElement")
    assert not findings(page)
    page.keyboard.press("Escape")
    page.locator("details.menu summary").last.click()
    assert not findings(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).not_to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_a_key_is_made_with_limits(open_studio: OpenStudio, member: User, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(member, theme=theme, width=width)
    page = studio.open("/keys")
    page.get_by_role("button", name="New key").first.click()
    page.get_by_label("Name").fill("shop")
    page.get_by_text("Limits", exact=True).click()
    page.get_by_label("bg-replace").check()
    page.get_by_label("Submits a minute").fill("60")
    page.get_by_label("Credits a day").fill("nothing")
    assert not findings(page)
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("a decimal number is allowed")).to_be_visible()
    assert not findings(page)
    assert "422" in studio.problems.pop()
    page.get_by_label("Credits a day").fill("0.5")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", name="Your new key")).to_be_visible()
    row = page.get_by_role("row", name="shop")
    for words in ("only bg-replace", "60 a minute", "today 0.00 of 0.50", "this month 0.00"):
        expect(row).to_contain_text(words)
    assert not findings(page)
    assert_fits(page)


def test_signing_in_leads_to_the_page_that_was_asked_for(open_studio: OpenStudio, member: User) -> None:
    studio = open_studio(None)
    page = studio.open("/gallery")
    page.get_by_label("E-mail").fill(member.email)
    page.get_by_label("Password").fill("correct horse battery staple")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gallery")


def test_going_back_after_signing_out_shows_nothing(studio: Studio, make_run: MakeRun) -> None:
    make_run("a secret quay")
    page = studio.open("/gallery")
    page.locator("details.menu summary").last.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    assert "secret" not in page.content()


def test_the_keyboard_goes_through_the_page(studio: Studio) -> None:
    """Tab starts at the skip link, and whatever has the focus shows it."""
    page = studio.open("/playground/bg-replace")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached: list[tuple[str, bool]] = []
    while not reached or reached[-1][0] != "tab-curl":
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_FOCUS))
        assert len(reached) < 40, reached
    names = [name for name, _ in reached]
    assert [name for name, is_visible in reached if not is_visible] == []
    wanted = ["id_image", "id_ref_image", "id_prompt", "id_negative_prompt", "id_samples"]
    assert [name for name in names if name in wanted] == wanted
    assert "run" in names


_FOCUS = """() => {
  const element = document.activeElement;
  const shown = element.matches(".picture__file") ? element.closest(".picture__zone") : element;
  const name = element.id || ("run" in element.dataset ? "run" : element.tagName);
  return [name, getComputedStyle(shown).outlineStyle !== "none"];
}"""


def test_a_team_of_many_switches(open_studio: OpenStudio, member: User, outsider: User) -> None:
    other = Team.objects.get(name="Others")
    Membership.objects.create(team=other, user=member, role="member")
    page = open_studio(member).open("/")
    page.locator("details.menu summary").first.click()
    page.get_by_role("button", name="Others").click()
    expect(page.locator("details.menu summary").first).to_have_text(re.compile(r"Others\s*$"))
    assert Generation.objects.count() == 0
