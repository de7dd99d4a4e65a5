"""The limits of a key, changed in the browser."""

import pytest
from playwright.sync_api import expect

from accounts import keys
from accounts.models import ApiKey, Team, User
from tests.browser.conftest import OpenStudio
from tests.browser.test_pages import LOOKS, assert_fits, findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("look", LOOKS)
def test_a_key_s_limits_are_changed(open_studio: OpenStudio, team: Team, member: User, look: str) -> None:
    keys.create(team.memberships.get(user=member), name="web shop", models=["bg-replace"], daily=500_000)
    theme, width = LOOKS[look]
    studio = open_studio(member, theme=theme, width=width)
    page = studio.open("/keys")
    page.get_by_role("button", name="Limits of web shop").click()
    dialog = page.get_by_role("dialog", name="Limits of “web shop”")
    expect(dialog.get_by_label("Credits a day")).to_have_value("0.5")
    expect(dialog.get_by_label("bg-replace")).to_be_checked()
    assert_fits(page)
    assert findings(page) == []
    dialog.get_by_label("Credits a day").fill("none")
    dialog.get_by_role("button", name="Set the limits").click()
    expect(dialog.get_by_text("a decimal number is allowed")).to_be_visible()
    assert "422" in studio.problems.pop()
    dialog.get_by_label("Credits a day").fill("")
    dialog.get_by_label("Submits a minute").fill("30")
    dialog.get_by_role("button", name="Set the limits").click()
    expect(page.get_by_text("The limits of “web shop” are set.")).to_be_visible()
    row = ApiKey.objects.get()
    assert (row.rate_limit, row.models) == (30, ["bg-replace"])
