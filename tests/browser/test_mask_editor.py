"""The mask editor by hand: painting with mouse, keys and fingers, what becomes of it, and what it runs."""

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from django.conf import LazySettings
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from generations import catalogue, delivery
from generations.models import Asset, Generation
from tests.browser.conftest import OpenStudio, Studio
from tests.browser.test_pages import assert_fits, findings
from tests.browser.test_playground import note, pick

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

URL = "/playground/sdxl-inpaint"
MUG = Path(__file__).parent.parent / "images" / "subjects" / "mug_white.jpg"
WIDTH, HEIGHT = 320, 240

Plane = npt.NDArray[np.uint8]


def noise() -> bytes:
    pixels = np.random.default_rng(5).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def small(path: Path, format_: str) -> bytes:
    buffer = io.BytesIO()
    Image.open(path).reduce(4).save(buffer, format_)
    return buffer.getvalue()


def start(studio: Studio, data: bytes = b"", url: str = URL) -> Page:
    page = studio.open(url)
    pick(page, "image", data or noise())
    note(page, "image")
    page.get_by_role("button", name="Paint the mask").click()
    expect(viewport(page)).to_be_focused()
    return page


def viewport(page: Page) -> Locator:
    return page.locator("[data-viewport]")


def act(page: Page, name: str) -> None:
    page.locator(f"[data-act={name}]").click()


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a point of the image, in shares of its sides, is in the window."""
    box = page.locator("[data-stage]").bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=6)
    page.mouse.up()


def shown(page: Page) -> Plane:
    """Return what is painted, as the editor shows it: (H, W), 255 where the picture is to be repainted."""
    data = page.evaluate(_SHOWN).partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))[..., 3]


_SHOWN = """() => {
  const painted = document.querySelector("[data-stage] canvas");
  const copy = Object.assign(document.createElement("canvas"), { width: painted.width, height: painted.height });
  copy.getContext("2d").drawImage(painted, 0, 0);
  return copy.toDataURL("image/png");
}"""


def held(page: Page) -> Plane:
    """Return the mask that the form holds, once what was painted has become its file."""
    values = page.evaluate("""async () => {
      const input = document.querySelector("mask-editor").field.input;
      await input.ready;
      return [...new Uint8Array(await input.file.files[0].arrayBuffer())];
    }""")
    return np.asarray(Image.open(io.BytesIO(bytes(values))).convert("L"))


def is_painted(mask: Plane, x: float, y: float) -> bool:
    return bool(mask[int(y * mask.shape[0]), int(x * mask.shape[1])] > 127)


def test_what_is_painted_is_repainted_and_nothing_else(
    studio: Studio, inline: list[int], settings: LazySettings
) -> None:
    settings.ROUTES = {slug: ["classical"] for slug in catalogue.MODELS}
    page = start(studio)
    page.keyboard.press("x")
    drag(page, (0.3, 0.3), (0.6, 0.7))
    page.locator("[data-feather]").fill("12")
    page.fill("#id_prompt", "moss")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/*")
    run = Generation.objects.get()
    assert run.status == "succeeded", run.error
    before, mask, after = (
        np.asarray(Image.open(io.BytesIO(data)))
        for data in (
            *(delivery.read(Asset.objects.get(id=run.inputs[name]).file) for name in ("image", "mask")),
            delivery.read(run.outputs.get().file),
        )
    )
    mask = mask if mask.ndim == 2 else mask[..., 0]
    changed = (before[..., :3] != after[..., :3]).any(axis=2)
    assert mask.shape == (HEIGHT, WIDTH)
    assert [(mask == level).any() for level in (0, 255)] == [True, True]
    assert ((mask > 140) & (mask < 230)).any()  # the soft edge
    assert not changed[mask < 128].any()
    assert changed[mask == 255].mean() > 0.9


def test_tools_and_steps(studio: Studio) -> None:
    page = start(studio)
    drag(page, (0.2, 0.2), (0.4, 0.2))
    stroke = shown(page)
    assert is_painted(stroke, 0.3, 0.2)
    assert not is_painted(stroke, 0.3, 0.5)
    page.keyboard.press("e")
    drag(page, (0.3, 0.1), (0.3, 0.3))
    assert not is_painted(shown(page), 0.3, 0.2)
    page.keyboard.press("Control+z")
    assert (shown(page) == stroke).all()
    page.keyboard.press("Control+Shift+z")
    assert not is_painted(shown(page), 0.3, 0.2)
    act(page, "clear")
    page.keyboard.press("x")
    drag(page, (0.25, 0.25), (0.75, 0.75))
    box = shown(page)
    assert set(np.unique(box)) == {0, 255}
    assert (box > 0).mean() == pytest.approx(0.25, abs=0.01)
    page.keyboard.press("i")
    assert (shown(page) == 255 - box).all()
    page.keyboard.press("Control+y")
    act(page, "clear")
    page.keyboard.press("l")
    drag(page, (0.1, 0.1), (0.9, 0.1), (0.1, 0.9))
    lasso = shown(page)
    assert is_painted(lasso, 0.2, 0.2)
    assert not is_painted(lasso, 0.8, 0.8)
    for _ in range(6):
        act(page, "undo")
    assert (shown(page) == stroke).all()
    page.keyboard.press("Control+z")
    assert not shown(page).any()


def test_by_keyboard_alone(studio: Studio) -> None:
    page = studio.open(URL)
    pick(page, "image", noise())
    note(page, "image")
    page.get_by_role("button", name="Paint the mask").focus()
    page.keyboard.press("Enter")
    expect(viewport(page)).to_be_focused()
    expect(page.locator("[data-ring][data-cursor]")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-said]")).to_contain_text("Cursor at")
    page.keyboard.down(" ")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.keyboard.up(" ")
    painted = shown(page)
    assert is_painted(painted, 0.5 + 0.1, 0.5)
    assert not is_painted(painted, 0.4, 0.5)
    size = page.locator("[data-brush]").input_value()
    page.keyboard.press("]")
    assert int(page.locator("[data-brush]").input_value()) > int(size)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Paint the mask")).to_be_focused()
    assert is_painted(held(page), 0.6, 0.5)


def test_the_subject_and_the_last_mask(studio: Studio) -> None:
    page = start(studio, small(MUG, "JPEG"))
    act(page, "subject")
    expect(page.locator("[data-said]")).to_have_text("The subject is selected.")
    subject = shown(page)
    truth = np.asarray(Image.open(io.BytesIO(small(MUG.with_name("mug_white_alpha.png"), "PNG"))).convert("L")) > 127
    assert ((subject > 127) & truth).sum() / ((subject > 127) | truth).sum() > 0.9
    act(page, "background")
    expect(page.locator("[data-said]")).to_have_text("The background is selected.")
    assert ((shown(page) > 127) == (subject < 128)).mean() > 0.99
    kept = held(page)
    with page.expect_download() as downloading:
        act(page, "download")
    assert (np.asarray(Image.open(downloading.value.path()).convert("L")) == kept).all()
    act(page, "done")
    page.get_by_role("button", name="Remove: Mask").click()
    page.get_by_role("button", name="Paint the mask").click()
    expect(viewport(page)).to_be_focused()
    assert not shown(page).any()
    act(page, "reuse")
    expect(page.locator("[data-said]")).to_contain_text("last mask is here")
    assert ((shown(page) > 127) == (kept > 127)).all()


def test_no_subject_is_said_in_words(studio: Studio) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "white").save(buffer, "PNG")
    page = start(studio, buffer.getvalue())
    act(page, "subject")
    expect(page.locator("[data-said]")).to_contain_text("No subject found")
    assert "422" in studio.problems.pop()


def test_a_mask_survives_a_reload_and_goes_on(studio: Studio) -> None:
    page = start(studio)
    drag(page, (0.3, 0.4), (0.6, 0.4))
    page.locator("[data-feather]").fill("10")
    before = held(page)
    painted = shown(page)
    page.wait_for_timeout(500)
    page.reload()
    expect(page.locator("#note-mask")).to_contain_text("will be repainted")
    assert (held(page) == before).all()
    page.get_by_role("button", name="Paint the mask").click()
    expect(page.locator("[data-feather]")).to_have_value("10")
    expect(viewport(page)).to_be_focused()
    assert ((shown(page) > 127) == (painted > 127)).mean() > 0.99


def test_a_pen_paints_by_its_pressure_and_a_palm_beside_it_does_not(studio: Studio) -> None:
    page = start(studio)
    devices = page.context.new_cdp_session(page)

    def pen(kind: str, x: float, y: float, force: float) -> None:
        left, top = place(page, x, y)
        given = {"type": kind, "x": left, "y": top, "button": "left", "buttons": 1, "clickCount": 1, "force": force}
        devices.send("Input.dispatchMouseEvent", {**given, "pointerType": "pen"})

    widths: list[int] = []
    for row, force in ((0.3, 0.2), (0.7, 1.0)):
        pen("mousePressed", 0.3, row, force)
        pen("mouseMoved", 0.6, row, force)
        pen("mouseReleased", 0.6, row, 0)
        widths.append(int((shown(page)[:, int(0.45 * WIDTH)] > 127).sum()) - sum(widths))
    assert 0 < widths[0] < widths[1] / 2
    painted = shown(page)
    at = dict(zip("xy", place(page, 0.5, 0.5), strict=True))
    devices.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    devices.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{**at, "y": at["y"] + 40}]})
    devices.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert (shown(page) == painted).all()
    expect(page.get_by_label("A pen’s pressure counts")).to_be_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fingers_on_a_phone(open_studio: OpenStudio, member: User, theme: str) -> None:
    studio = open_studio(member, theme=theme, width=390)
    page = start(studio)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    viewport(page).scroll_into_view_if_needed()
    fingers("touchStart", place(page, 0.3, 0.5))
    fingers("touchMove", place(page, 0.5, 0.5))
    fingers("touchMove", place(page, 0.6, 0.5))
    fingers("touchEnd")
    painted = shown(page)
    assert is_painted(painted, 0.5, 0.5)
    one, other, far = place(page, 0.4, 0.4), place(page, 0.6, 0.6), place(page, 0.8, 0.8)
    wide = page.locator("[data-stage]").bounding_box()
    fingers("touchStart", one)
    fingers("touchStart", one, other)
    fingers("touchMove", one, far)
    fingers("touchEnd")
    wider = page.locator("[data-stage]").bounding_box()
    assert wide
    assert wider
    assert wider["width"] > 1.5 * wide["width"]
    assert (shown(page) == painted).all()
    assert not findings(page)
    assert_fits(page)
