"""The playground by hand: pictures, price, code, drafts and mistakes."""

import io
import re

import pytest
from django.conf import LazySettings
from PIL import Image
from playwright.sync_api import Page, Route, expect

from accounts import ledger
from accounts.credits import MICRO, format_credits, parse
from accounts.models import Team, User
from generations.models import Asset, Generation
from tests.browser.conftest import Studio
from tests.browser.test_pages import findings
from tests.conftest import PASSWORD
from tests.jobs import Configure, mask, png
from tests.pages import MakeRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

URL = "/playground/bg-replace"


@pytest.fixture(autouse=True)
def _scripted(engines: Configure, unpublished: list[int]) -> None:
    """No job runs here: these tests end where a run begins."""


def pick(page: Page, field: str, data: bytes, name: str = "picture.png", mime: str = "image/png") -> None:
    page.set_input_files(f"#id_{field}", {"name": name, "mimeType": mime, "buffer": data})


def note(page: Page, field: str) -> str:
    locator = page.locator(f"#note-{field}")
    expect(locator).to_have_text(re.compile(r"^(?!Reading the picture…)."))  # one look: empty comes before, too
    return locator.inner_text()


def sideways_jpeg(width: int, height: int) -> bytes:
    """Return a JPEG whose EXIF says: turn me clockwise; its top left corner, once turned, is red."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((220, 20, 20), (0, height // 2, width // 2, height))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


def test_a_large_photograph_is_turned_and_scaled_down_and_that_is_said(studio: Studio) -> None:
    page = studio.open(URL)
    pick(page, "image", sideways_jpeg(3000, 2000), "photo.jpg", "image/jpeg")
    assert note(page, "image") == "Scaled down from 2000 × 3000 to 1365 × 2048 px, the most that is accepted."
    pick(page, "ref_image", png())
    page.fill("#id_prompt", "a beach")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    asset = Asset.objects.get(id=Generation.objects.get().inputs["image"])
    assert (asset.width, asset.height, asset.content_type) == (1365, 2048, "image/jpeg")


def test_what_is_no_picture_is_said(studio: Studio) -> None:
    page = studio.open(URL)
    pick(page, "image", b"not a picture")
    expect(page.locator("#note-image")).to_contain_text("not a picture that can be read here")
    assert page.evaluate("document.querySelector('#id_image').files.length") == 0


def test_a_picture_can_be_dropped_pasted_and_removed(studio: Studio) -> None:
    page = studio.open(URL)
    page.evaluate(_HAND_OVER, ["drop", "picture-input:nth-of-type(2) .picture__zone", list(png(80, 60))])
    assert note(page, "ref_image") == "80 × 60 px"
    page.evaluate(_HAND_OVER, ["paste", "body", list(png(40, 30))])
    assert note(page, "image") == "40 × 30 px"
    page.get_by_role("button", name="Remove: Image").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#note-image")).to_be_empty()
    assert page.evaluate("document.activeElement.id") == "id_image"
    assert page.evaluate("document.querySelector('#id_image').files.length") == 0


def test_a_paste_into_a_text_is_left_to_it(studio: Studio) -> None:
    """A spreadsheet puts a picture of the text beside it."""
    page = studio.open(URL)
    page.focus("#id_prompt")
    assert page.evaluate(_HAND_OVER, ["paste", "#id_prompt", list(png()), "a quay"])
    expect(page.locator("picture-input[data-filled]")).to_have_count(0)
    assert not page.evaluate(_HAND_OVER, ["paste", "#id_prompt", list(png(40, 30))])
    assert note(page, "image") == "40 × 30 px"
    page.evaluate("document.activeElement.blur()")
    assert not page.evaluate(_HAND_OVER, ["paste", "body", list(png(80, 60)), "a quay"])
    assert note(page, "ref_image") == "80 × 60 px"


_HAND_OVER = """([kind, selector, bytes, text]) => {
  const transfer = new DataTransfer();
  if (text) transfer.setData("text/plain", text);
  transfer.items.add(new File([new Uint8Array(bytes)], "picture.png", { type: "image/png" }));
  const target = document.querySelector(selector);
  const options = { bubbles: true, cancelable: true };
  const event = kind === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: transfer })
    : new ClipboardEvent("paste", { ...options, clipboardData: transfer });
  return target.dispatchEvent(event); // true: left to the browser
}"""


def test_a_mask_is_shown_on_the_picture(studio: Studio) -> None:
    page = studio.open("/playground/sdxl-inpaint")
    pick(page, "image", png(200, 100))
    pick(page, "mask", mask(200, 100), "mask.png")
    expect(page.locator("#note-mask")).to_have_text("25 % of the picture will be repainted (tinted).")
    expect(page.locator("mask-preview canvas")).to_be_visible()
    pick(page, "mask", png(200, 100, 0, "L"), "black.png")
    expect(page.locator("#note-mask")).to_contain_text("nothing to repaint")


def test_the_price_follows_samples_and_size(studio: Studio) -> None:
    page = studio.open("/playground/bg-replace")
    price = page.locator("#quote strong").first
    before = price.inner_text()
    page.locator("#id_samples").fill("4")
    expect(price).not_to_have_text(before)
    expect(page.locator("#quote")).to_contain_text("For a picture of 1024 × 1024")
    pick(page, "image", png(300, 200))
    expect(page.locator("#quote")).not_to_contain_text("For a picture of")


def price_by_size(settings: LazySettings, rate: float) -> None:
    backend = "generations.engines.classical.engine.ClassicalEngine"
    settings.ENGINES = {"classical": {"BACKEND": backend, "OPTIONS": {"rate": rate}}}
    settings.ROUTES = {slug: ["classical"] for slug in settings.ROUTES}


def test_a_run_waits_for_the_price_of_its_picture(studio: Studio, settings: LazySettings) -> None:
    price_by_size(settings, 0.0015)
    page = studio.open(URL)
    page.fill("#id_prompt", "a quay")
    pick(page, "ref_image", png())
    shown = page.locator("#quote strong").nth(1).inner_text()
    asked: list[Route] = []
    page.route("**/quote?*", lambda route: asked.append(route))
    with page.expect_request("**/quote?*width=2048*"):
        pick(page, "image", png(2048, 2048))
        page.keyboard.press("Control+Enter")
    expect(page.locator("[data-run]")).to_have_text("Sending…")
    assert not Generation.objects.exists()
    for route in asked:
        route.continue_()
    page.wait_for_url("**/runs/*")
    assert Generation.objects.get().quote > parse(shown)


def test_a_price_that_rose_meanwhile_is_shown_before_it_is_held(
    studio: Studio, settings: LazySettings, team: Team
) -> None:
    price_by_size(settings, 0.0015)
    page = studio.open(URL)
    page.fill("#id_prompt", "a quay")
    pick(page, "ref_image", png())
    with page.expect_response("**/quote?*"):
        pick(page, "image", png())
    price = page.locator("#quote strong").nth(1)
    before = price.inner_text()
    price_by_size(settings, 0.01)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#form-alert")).to_contain_text("Run again to accept the new price")
    expect(price).not_to_have_text(before)
    assert ledger.balance(team.pk).held == 0
    assert not findings(page)
    assert "409" in studio.problems.pop()
    accepted = price.inner_text()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/*")
    assert format_credits(ledger.balance(team.pk).held) == accepted


def test_a_slider_and_its_number_agree(studio: Studio) -> None:
    page = studio.open(URL)
    slider = page.get_by_label("Samples, slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#id_samples").input_value() == "2"
    page.locator("#id_samples").fill("4")
    assert slider.input_value() == "4"


def test_the_address_and_a_reload_keep_the_state_pictures_included(studio: Studio) -> None:
    page = studio.open(URL)
    page.fill("#id_prompt", "a quay at dusk")
    page.locator("#id_samples").fill("3")
    pick(page, "image", png(80, 60))
    note(page, "image")
    page.wait_for_url("**?*samples=3*")
    wait_for_draft(page)
    page.reload()
    assert page.locator("#id_prompt").input_value() == "a quay at dusk"
    assert page.locator("#id_samples").input_value() == "3"
    assert note(page, "image") == "80 × 60 px"
    page.goto(studio.base + URL)
    expect(page.locator("#draft-notice")).to_be_visible()
    assert page.locator("#id_prompt").input_value() == "a quay at dusk"
    page.get_by_role("button", name="Start over").click()
    page.wait_for_url(f"**{URL}")
    expect(page.locator("#id_prompt")).to_have_value("")
    expect(page.locator("picture-input[data-filled]")).to_have_count(0)


def wait_for_draft(page: Page) -> None:
    """Wait until the browser has kept the picture and the three samples."""
    for _ in range(50):
        if page.evaluate(_DRAFT_HAS_PICTURE):
            return
        page.wait_for_timeout(100)
    raise AssertionError("no draft was kept")


_DRAFT_HAS_PICTURE = """async () => {
  if (!(await indexedDB.databases()).length) return false;
  const open = indexedDB.open("sceneshift", 1);
  const database = await new Promise((resolve) => { open.onsuccess = () => resolve(open.result); });
  const all = database.transaction("drafts").objectStore("drafts").getAll();
  const drafts = await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); });
  database.close();
  return drafts.some((draft) => draft.images.image instanceof Blob && draft.values.samples === "3");
}"""


def keep_draft(page: Page) -> None:
    page.locator("#id_samples").fill("3")
    pick(page, "image", png(80, 60))
    note(page, "image")
    wait_for_draft(page)


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_a_draft_survives_a_session_that_ran_out(studio: Studio, member: User) -> None:
    page = studio.open(URL)
    # What is under way ends before the session does: it would find out before the two samples are there.
    with page.expect_response("**/quote?*width=80*"), page.expect_response("**/snippet"):
        keep_draft(page)
    page.context.clear_cookies(name="sessionid")
    page.locator("#id_samples").fill("2")
    page.wait_for_url("**/accounts/login/?next=/playground/bg-replace*")
    sign_in(page, member)
    page.wait_for_url("**/playground/bg-replace?samples=2")
    assert note(page, "image") == "80 × 60 px"
    assert page.locator("#id_samples").input_value() == "2"


def test_signing_out_forgets_the_drafts(studio: Studio) -> None:
    page = studio.open(URL)
    keep_draft(page)
    page.locator("details.menu summary").last.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0


def test_what_somebody_else_left_is_neither_shown_nor_kept(studio: Studio, admin: User) -> None:
    page = studio.open(URL)
    # What is under way ends before the session does: it would go to the sign-in page by itself.
    with page.expect_response("**/quote?*width=80*"), page.expect_response("**/snippet"):
        keep_draft(page)
    page.context.clear_cookies(name="sessionid")
    page.goto(f"{studio.base}/accounts/login/?next={URL}")
    sign_in(page, admin)
    page.wait_for_url(f"**{URL}")
    expect(page.locator("#id_samples")).to_have_value("1")
    for _ in range(50):
        if not page.evaluate(_DRAFT_HAS_PICTURE):
            break
        page.wait_for_timeout(100)
    assert not page.evaluate(_DRAFT_HAS_PICTURE)
    expect(page.locator("picture-input[data-filled]")).to_have_count(0)


def test_mistakes_are_shown_at_the_fields_and_the_first_gets_the_focus(studio: Studio) -> None:
    page = studio.open(URL)
    page.locator("details.advanced summary").click()
    page.locator("#id_num_inference_steps").fill("7")
    page.locator("details.advanced summary").click()
    pick(page, "image", png())
    note(page, "image")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#error-ref_image")).to_have_text("Add a picture here: reference image.")
    expect(page.locator("#error-prompt")).to_have_text("Fill this in: prompt.")
    expect(page.locator("#error-num_inference_steps")).to_contain_text("from 20 to 100")
    expect(page.locator("#id_num_inference_steps")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "id_ref_image"
    assert note(page, "image") == "64 × 64 px"
    assert not findings(page)
    page.fill("#id_prompt", "a quay")
    expect(page.locator("#error-prompt")).to_be_hidden()
    assert "422" in studio.problems.pop()


def test_too_few_credits_are_said_and_nothing_is_lost(studio: Studio, team: Team) -> None:
    page = studio.open(URL)
    pick(page, "image", png())
    pick(page, "ref_image", png())
    page.fill("#id_prompt", "a quay")
    ledger.adjust(team.pk, -25 * MICRO + 1, reference=Generation().id, note="spent")
    note(page, "ref_image")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#form-alert")).to_contain_text("The team has 0.000001 credits, and this run needs up to")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    assert page.locator("#id_prompt").input_value() == "a quay"
    assert "402" in studio.problems.pop()


def test_a_studio_out_of_reach_is_said(studio: Studio) -> None:
    page = studio.open(URL)
    page.context.set_offline(True)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#form-alert")).to_contain_text("The studio cannot be reached")
    page.context.set_offline(False)
    assert studio.problems
    studio.problems.clear()


def test_the_code_follows_the_form_and_can_be_copied(studio: Studio, settings: LazySettings) -> None:
    page = studio.open(URL)
    page.fill("#id_prompt", "a quay at dusk")
    expect(page.locator("#code-curl")).to_contain_text("a quay at dusk")
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#code-python")).to_be_visible()
    page.locator("#id_samples").fill("2")
    expect(page.locator("#code-python")).to_contain_text('"samples": 2')
    expect(page.locator("#code-python")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#code-python code").inner_text().strip()
    assert f"{settings.PUBLIC_URL}/v1/bg-replace" in copied


def test_a_remix_holds_the_pictures_and_runs_on_them(studio: Studio, make_run: MakeRun) -> None:
    run = make_run("a forest")
    page = studio.open(f"{URL}?from={run.id}")
    assert note(page, "image") == "From an earlier run, 64 × 64 px"
    expect(page.locator("picture-input[data-filled]")).to_have_count(2)
    page.fill("#id_prompt", "a quay")
    page.wait_for_url(f"**?from={run.id}&prompt=a+quay&*")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/*")
    assert Generation.objects.exclude(id=run.id).get().inputs == run.inputs


def test_a_remix_set_back_to_a_default_stays_so(studio: Studio, make_run: MakeRun) -> None:
    page = studio.open(f"{URL}?from={make_run(samples=3).id}")
    page.locator("#id_samples").fill("1")
    page.wait_for_url("**&samples=1&*")
    page.reload()
    assert page.locator("#id_samples").input_value() == "1"


def test_a_run_is_sent_once_and_only_when_the_pictures_are_read(studio: Studio) -> None:
    page = studio.open(URL)
    page.fill("#id_prompt", "a quay")
    pick(page, "ref_image", png())
    pick(page, "image", sideways_jpeg(4000, 3000), "photo.jpg", "image/jpeg")
    for _ in range(3):
        page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/*")
    assert Generation.objects.count() == 1
    page.go_back()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    assert "1536 × 2048 px" in note(page, "image")


def test_a_whole_prompt_of_the_allowed_length_survives(studio: Studio) -> None:
    page = studio.open(URL)
    pick(page, "image", png())
    pick(page, "ref_image", png())
    page.fill("#id_prompt", "ä" * 4000)
    note(page, "ref_image")
    expect(page.locator("#code-curl")).to_contain_text("ääää")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/*")
    assert Generation.objects.get().params["prompt"] == "ä" * 4000
