"""The gallery by hand: choosing, stars, the bin and back, the lightbox, collections, comparing, filters."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import CDPSession, Page, expect

from accounts.models import User
from generations import queries
from generations.models import Collection, CollectionItem, Generation, Output
from tests.browser.conftest import OpenStudio, Studio
from tests.browser.test_pages import assert_fits, findings
from tests.pages import MakeRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def runs(make_run: MakeRun) -> list[Generation]:
    return [make_run(f"number {number}", age=number) for number in range(5)]


def box(page: Page, number: int) -> None:
    page.locator(".tile input").nth(number).click(force=True)


def test_choosing_deleting_and_undo(studio: Studio, runs: list[Generation]) -> None:
    page = studio.open("/gallery")
    box(page, 1)
    page.locator(".tile input").nth(3).click(modifiers=["Shift"], force=True)
    expect(page.locator("#chosen")).to_have_text("3")
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()
    page.locator(".tile a").first.focus()
    page.keyboard.press("Control+a")
    expect(page.locator("#chosen")).to_have_text("5")
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert not findings(page)
    page.keyboard.press("Escape")  # closes the list alone
    expect(page.locator("#chosen")).to_have_text("5")
    page.keyboard.press("Escape")
    box(page, 0)
    box(page, 1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as file:
        assert len(file.namelist()) == 2
    page.keyboard.press("Delete")
    expect(page.locator("#toast")).to_contain_text("2 pictures deleted.")
    expect(page.locator(".tile:visible")).to_have_count(3)
    assert Generation.objects.filter(removed_at=None).count() == 3
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile:visible")).to_have_count(5)
    expect(page.locator(".tile a").first).to_be_focused()
    assert Generation.objects.filter(removed_at=None).count() == 5


def test_a_star_by_key_and_the_truth_when_it_fails(studio: Studio, make_run: MakeRun) -> None:
    run = make_run(samples=2)
    page = studio.open("/gallery")
    stars = page.locator(".tile__star")
    page.locator(".tile a").first.focus()
    with page.expect_response("**/gallery/favourite"):
        page.keyboard.press("f")
    for number in range(2):  # the star is the run's, and both of its pictures show it
        expect(stars.nth(number)).to_have_attribute("aria-pressed", "true")
    assert Generation.objects.exclude(favourite_at=None).get().id == run.id
    page.route("**/gallery/favourite", lambda route: route.abort())
    page.keyboard.press("f")
    expect(page.locator("#toast")).to_contain_text("The server did not answer")
    expect(stars.first).to_have_attribute("aria-pressed", "true")
    assert "ERR_FAILED" in studio.problems.pop()
    page.unroute("**/gallery/favourite")
    studio.open(f"/gallery/{run.outputs.get(number=0).id}")
    with page.expect_response("**/gallery/favourite"):
        page.keyboard.press("f")
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "false")
    run.refresh_from_db()
    assert run.favourite_at is None


def test_the_lightbox(studio: Studio, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(queries.gallery.__kwdefaults__ or {}, "limit", 3)
    runs = [make_run(f"number {number}", age=number) for number in range(4)]
    pictures = [run.outputs.get().id for run in runs]
    page = studio.open("/gallery")
    lightbox = page.locator("#lightbox")
    page.locator(".tile a").nth(1).press("Enter")
    expect(lightbox).to_be_visible()
    expect(page).to_have_url(re.compile(f"/gallery/{pictures[1]}$"))
    assert not findings(page)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#lightbox-place")).to_have_text("1 of 3+")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # the fourth is on the next page of tiles
    expect(page.locator("#lightbox-place")).to_have_text("4 of 4")
    with page.expect_response("**/gallery/favourite"):
        page.keyboard.press("f")
    expect(lightbox.locator("[data-star]")).to_have_attribute("aria-pressed", "true")
    with page.expect_download():
        page.keyboard.press("d")
    page.keyboard.press("Delete")
    expect(lightbox.locator(".lightbox__text")).to_have_text("number 2")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#lightbox-place")).to_have_text("3 of 4")
    page.keyboard.press("Escape")
    expect(lightbox).to_be_hidden()
    expect(page.locator(".tile a").nth(2)).to_be_focused()
    expect(page).to_have_url(re.compile("/gallery$"))
    page.keyboard.press("Enter")
    expect(lightbox).to_be_visible()
    page.go_back()
    expect(lightbox).to_be_hidden()
    page.go_forward()
    expect(lightbox).to_be_visible()
    page.reload()
    expect(page.locator(".stage__picture")).to_be_visible()


def test_a_collection_from_the_first_picture_to_the_filter(studio: Studio, runs: list[Generation]) -> None:
    page = studio.open("/gallery")
    box(page, 0)
    page.get_by_role("button", name="Collect").click()
    page.get_by_label("New collection").fill("Autumn")
    assert not findings(page)
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#toast")).to_contain_text("1 run added to “Autumn”.")
    page.get_by_role("link", name="Open it").click()
    expect(page.get_by_role("heading", name="Autumn")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(1)
    box(page, 0)
    page.get_by_role("button", name="Take out").click()
    expect(page.locator(".tile:visible")).to_have_count(0)
    page.goto(f"{studio.base}/gallery")
    box(page, 2)
    page.get_by_role("button", name="Collect").click()
    page.get_by_role("button", name="Autumn").click()
    expect(page.locator("#toast")).to_contain_text("1 run added")
    assert CollectionItem.objects.get().generation_id == runs[2].id
    studio.open("/collections")
    page.get_by_role("button", name="Change Autumn").click()
    page.get_by_label("Name").last.fill("Fall")
    page.get_by_label("Who sees it").last.select_option("team")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Fall")).to_be_visible()
    page.get_by_role("button", name="Delete Fall").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="No collections yet")).to_be_visible()


def test_comparing_and_one_zoom_for_all(studio: Studio, runs: list[Generation]) -> None:
    page = studio.open("/gallery")
    box(page, 0)
    box(page, 1)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".compare__view img")).to_have_count(2)
    expect(page.get_by_role("row", name="Prompt")).to_contain_text("number 0")
    page.wait_for_load_state()  # until then nobody listens to the keys
    page.locator(".compare__view").first.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#zoom-said")).to_have_text("125 %")
    expect(page.locator(".compare__view img").first).to_have_attribute("style", re.compile("scale: 1.25"))
    styles = page.locator(".compare__view img").evaluate_all("all => all.map((each) => each.getAttribute('style'))")
    assert len(set(styles)) == 1


def test_filters_are_chips_that_come_off(studio: Studio, runs: list[Generation], admin: User) -> None:
    Generation.objects.filter(id=runs[0].id).update(user=admin, favourite_at=timezone.now())
    page = studio.open("/gallery")
    page.get_by_role("link", name="Favourites").click()
    page.get_by_text("More filters").click()
    page.get_by_label("Made by").select_option(label=admin.email)
    expect(page).to_have_url(re.compile(rf"/gallery\?favourite=1&person={admin.pk}$"))
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_role("link", name="By admin@example.com").click()
    page.get_by_role("link", name="Favourites : remove this filter").click()
    expect(page.locator(".tile")).to_have_count(5)


LOOKS = {"light": ("light", 1280), "dark and narrow": ("dark", 390)}


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_in_every_look(open_studio: OpenStudio, member: User, runs: list[Generation], look: str) -> None:
    theme, width = LOOKS[look]
    Generation.objects.filter(id=runs[1].id).update(favourite_at=timezone.now())
    made = Collection.objects.create(
        team=runs[0].team, owner=member, name="A long name for one, " * 3, visibility="team"
    )
    CollectionItem.objects.create(collection=made, generation=runs[0], added_at=timezone.now())
    Output.objects.update(width=4000, height=3000)
    studio = open_studio(member, theme=theme, width=width)
    ids = ",".join(str(run.outputs.get().id) for run in runs[:3])
    found = []
    for path in (
        f"/gallery?person={member.pk}&q=number",
        "/collections",
        f"/gallery/compare?ids={ids}",
        "/gallery/compare",
    ):
        page = studio.open(path)
        if page.locator(".tile").count():
            box(page, 0)
        found += findings(page)
        assert_fits(page)
    assert not found


def test_two_thousand_tiles_scroll_without_a_long_task(studio: Studio, make_run: MakeRun) -> None:
    """Counted in CPU time, since the machine may be busy; and nothing moves: the layout's shift stays 0."""
    make_run(samples=4)
    page = studio.open("/gallery")
    page.evaluate(_MANY)
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    spent = []
    for _ in range(20):
        before = _seconds(client)
        page.evaluate("() => { scrollBy(0, 900); return new Promise(requestAnimationFrame); }")
        spent.append(_seconds(client) - before)
    assert page.locator(".tile").count() > 2000
    assert sorted(spent)[len(spent) // 2] < LONG_TASK, spent
    assert page.evaluate("window.shift") == 0


LONG_TASK = 0.05

_MANY = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) window.shift += each.value; })
    .observe({ type: "layout-shift" });
  const grid = document.getElementById("tiles");
  const tiles = [...grid.children];
  for (let count = 0; count < 500; count += 1) grid.append(...tiles.map((tile) => tile.cloneNode(true)));
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def _seconds(client: CDPSession) -> float:
    """Return the CPU time that the page has spent on its main thread."""
    metrics = client.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))
