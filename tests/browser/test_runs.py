"""A run from the form to the gallery, carried out by real workers, and the pages that show it."""

import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts import ledger
from accounts.models import Team
from generations import queries
from generations.models import Generation, Output
from generations.models.generation import Status
from tests.browser.conftest import Studio
from tests.browser.test_playground import URL, note, pick
from tests.jobs import png
from tests.live import Workers
from tests.pages import UNCHANGED, MakeRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill(page: Page, prompt: str) -> None:
    pick(page, "image", png(160, 120))
    pick(page, "ref_image", png(160, 120, (10, 90, 200)))
    page.fill("#id_prompt", prompt)
    note(page, "image")
    note(page, "ref_image")


@pytest.fixture
def scripted_engines() -> dict[str, Any]:
    """Slow enough to be seen at work; the price of it is known before."""
    return {"scripted": {"delay": 2.0, "steps": 8, "rate": 0.0015}}


@pytest.fixture
def at_work(workers: Workers) -> Workers:
    workers.start("compute")
    workers.start("network")
    workers.start("control")
    workers.ready(3)
    return workers


@pytest.mark.workers
def test_a_run_from_the_form_to_the_gallery(at_work: Workers, studio: Studio, team: Team) -> None:
    page = studio.open(URL)
    fill(page, "a quay at dusk")
    ceiling = page.locator("#quote strong").nth(1)
    single = ceiling.inner_text()
    page.locator("#id_samples").fill("2")
    expect(ceiling).not_to_have_text(single)
    quote = ceiling.inner_text()
    before = page.locator("#balance").inner_text()
    page.locator("#id_prompt").press("Control+Enter")
    page.wait_for_url("**/runs/*")
    expect(page.locator("#run-progress")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel this run")).to_be_visible()
    expect(page.locator("[data-ended]")).to_be_visible(timeout=40_000)
    expect(page.locator("#run-announcer")).to_have_text("Done")
    expect(page.locator("#run-progress")).to_have_count(0)

    run = Generation.objects.get()
    assert run.status == Status.SUCCEEDED
    expect(page.locator("#balance")).not_to_have_text(before)
    shown = page.locator(".price strong").inner_text()
    assert float(shown) * 1_000_000 == pytest.approx(run.cost)
    assert ledger.balance(team.pk).posted == 25_000_000 - (run.cost or 0)
    assert float(shown) <= float(quote)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download JPEG").click()
    assert download.value.suggested_filename.endswith(".jpg")
    page.get_by_role("link", name="Sample 2").click()
    page.wait_for_url("**?sample=2")
    page.get_by_role("link", name="Gallery", exact=True).first.click()
    expect(page.locator(".tile img")).to_have_count(2)
    page.wait_for_function("[...document.querySelectorAll('.tile img')].every((image) => image.naturalWidth > 0)")


@pytest.mark.workers
def test_a_run_can_be_canceled_and_is_free(at_work: Workers, studio: Studio, team: Team) -> None:
    page = studio.open(URL)
    fill(page, "a quay @delay=60 @steps=300 @cost=0.001")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/*")
    expect(page.locator("#run-progress")).to_contain_text("%")
    page.get_by_role("button", name="Cancel this run").click()
    expect(page.get_by_role("heading", name="Canceled", exact=True)).to_be_visible()
    expect(page.locator(".outcome")).to_contain_text("It cost nothing")
    amounts = ledger.balance(team.pk)
    assert (amounts.posted, amounts.held) == (25_000_000, 0)


def test_the_pictures_are_compared_by_keys_and_by_dragging(studio: Studio, make_run: MakeRun) -> None:
    page = studio.open(f"/runs/{make_run().id}")
    slider = page.get_by_role("slider", name="How much of the picture before is shown")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "55 % before, 45 % after")
    assert page.locator("before-after").evaluate("element => element.style.getPropertyValue('--at')") == "55%"
    page.keyboard.press("Home")
    assert slider.input_value() == "0"
    box: Any = page.locator("before-after").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 1, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=4)
    page.mouse.up()
    assert 72 <= int(slider.input_value()) <= 78


def test_the_comparison_comes_after_the_result(studio: Studio, make_run: MakeRun) -> None:
    run = make_run(ready=False)
    page = studio.open(f"/runs/{run.id}")
    expect(page.locator("#fidelity")).to_contain_text("Comparing with the input")
    run.outputs.update(fidelity=UNCHANGED)
    expect(page.locator("#fidelity")).to_contain_text("Subject pixels unchanged")


def test_an_ended_run_is_not_asked_for_again(studio: Studio, make_run: MakeRun) -> None:
    run = make_run(status=Status.RUNNING, progress=0.3)
    page = studio.open(f"/runs/{run.id}")
    expect(page.locator("#run-progress")).to_contain_text("30 %")
    with page.expect_response("**/progress"):
        Generation.objects.filter(id=run.id).update(status=Status.FAILED, error="It broke.")
    expect(page.locator(".outcome")).to_contain_text("It broke.")
    expect(page.locator("[data-ended]")).to_be_focused()
    assert page.locator("[data-ended]").evaluate("element => getComputedStyle(element).outlineStyle") == "none"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1600)  # two polls would have come by now
    assert [url for url in asked if url.endswith("/progress")] == []


def test_more_pictures_come_and_take_the_focus(
    studio: Studio, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(queries.gallery.__kwdefaults__ or {}, "limit", 4)
    for number in range(9):
        make_run(f"number {number}", age=number)
    page = studio.open("/gallery")
    expect(page.locator(".tile")).to_have_count(4)
    page.get_by_role("link", name="Show more").press("Enter")
    expect(page.locator(".tile")).to_have_count(8)
    expect(page.locator(".tile a").nth(4)).to_be_focused()
    page.get_by_role("link", name="Show more").press("Enter")
    expect(page.locator(".tile")).to_have_count(9)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)


def test_the_gallery_is_searched(studio: Studio, make_run: MakeRun) -> None:
    make_run("a quay")
    make_run("a forest")
    page = studio.open("/gallery")
    page.get_by_label("Search in prompts").fill("forest")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=forest**")
    expect(page.locator(".tile")).to_have_count(1)


def test_the_arrow_keys_go_from_picture_to_picture(studio: Studio, make_run: MakeRun) -> None:
    old, new = (make_run(name, age=age).outputs.get() for name, age in (("old", 60), ("new", 0)))
    page = studio.open(f"/gallery/{new.id}")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/gallery/{old.id}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/gallery/{new.id}")
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    assert str(new.id) in page.url


def test_an_output_goes_on_as_an_input_of_another_model(studio: Studio, make_run: MakeRun) -> None:
    output: Output = make_run().outputs.get()
    page = studio.open(f"/gallery/{output.id}")
    page.locator("summary", has_text="Use as input").click()
    page.get_by_role("link", name="SDXL Inpainting").click()
    page.wait_for_url(f"**/playground/sdxl-inpaint?output={output.id}")
    assert note(page, "image") == "From an earlier run, 64 × 64 px"


def test_a_key_is_made_copied_and_revoked(studio: Studio) -> None:
    page = studio.open("/keys")
    page.get_by_role("button", name="New key").first.click()
    page.get_by_label("Name").fill("web shop")
    page.get_by_role("button", name="Make the key").click()
    raw = page.locator("#raw-key").inner_text()
    assert raw.startswith("ss_")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == raw
    page.get_by_role("button", name="Revoke web shop").click()
    page.keyboard.press("Enter")  # the focus is on "Keep it"
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.get_by_role("button", name="Revoke web shop").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("The key “web shop” is revoked.")).to_be_visible()
    expect(page.locator(".badge--bad")).to_contain_text("revoked")


def test_a_run_that_is_not_there_is_said(studio: Studio) -> None:
    page = studio.open(f"/runs/{uuid.uuid4()}")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert "404" in studio.problems.pop()
