"""The documentation, light, dark and narrow: no finding of axe, nothing wider than the window; tabs and links work."""

import pytest
from playwright.sync_api import expect

from generations.views import docs
from tests.browser.conftest import OpenStudio, Studio
from tests.browser.test_pages import LOOKS, assert_fits, findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = (
    *("/docs", "/docs/models/bg-replace", "/docs/models/inpaint-auto", "/docs/api"),
    *("/docs/errors", "/docs/limits", "/docs/webhooks"),
    *(f"/docs/migrate/{client}" for client in docs.CLIENTS),
)


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_is_found(open_studio: OpenStudio, look: str) -> None:
    theme, width = LOOKS[look]
    studio = open_studio(None, theme=theme, width=width)
    found = []
    for path in PAGES:
        page = studio.open(path)
        for folded in page.locator("details.operation").all()[:3]:
            folded.evaluate("element => { element.open = true }")
        found += findings(page)
        assert_fits(page)
        cut = page.evaluate(
            "[...document.querySelectorAll('.snippet__bar')].filter(bar => bar.scrollWidth > bar.clientWidth).length"
        )
        assert cut == 0, f"{path}: the languages do not fit"
    assert not found


def test_a_language_is_chosen_once_for_all_code_and_all_pages(studio: Studio) -> None:
    page = studio.open("/docs")
    first, second = page.locator("[role=tablist]").all()
    first.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(first.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#code-python")).to_be_visible()
    page.reload()
    expect(second.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#panel-poll-python")).to_be_visible()
    page = studio.open("/docs/migrate/replicate")
    expect(page.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")


def test_the_whole_of_the_code_is_copied(studio: Studio) -> None:
    page = studio.open("/docs/migrate/segmind")
    page.get_by_role("tab", name="Node").click()
    page.locator("#code-from-segmind").get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import { readFile")
    assert "api.segmind.com" not in copied
    assert copied.count("\n") == page.locator("#panel-from-segmind-node [data-after]").inner_text().strip().count("\n")


def test_a_link_into_the_reference_opens_its_operation(studio: Studio) -> None:
    page = studio.open("/docs/models/bg-replace")
    page.get_by_role("link", name="In the reference").click()
    expect(page.locator("#runBgReplace")).to_be_visible()
    expect(page.locator("#runBgReplace")).to_be_in_viewport()


def test_go_and_php_are_in_the_playground(studio: Studio) -> None:
    page = studio.open("/playground/bg-replace")
    page.get_by_role("tab", name="PHP").click()
    expect(page.locator("#code-php")).to_contain_text("curl_init")
    page.locator("#id_prompt").fill("on a $shelf")
    expect(page.locator("#code-php")).to_contain_text('"on a \\$shelf"')
    page.get_by_role("tab", name="Go").click()
    expect(page.locator("#code-go")).to_contain_text("net/http")
