"""A real browser on a live server: signed-in pages, and a list of everything that the console complained of."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

# Playwright keeps an event loop in this thread, where Django would refuse its database; nothing here is async.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT = 15_000


@dataclass
class Studio:
    """One person's browser window. problems: what its console said; a test may expect and remove some."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path, wait_until="load")
        return self.page


OpenStudio = Callable[..., Studio]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("needs chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_studio(chromium: Browser, live_server: LiveServer) -> Iterator[OpenStudio]:
    """Return a function that opens a window for somebody (None: not signed in), light or dark, so many pixels wide.

    The test fails on any complaint in a console: errors, warnings, violations of the content security policy.
    """
    opened: list[Studio] = []

    def open_one(user: User | None, *, theme: Any = "light", width: int = 1280) -> Studio:
        context = chromium.new_context(
            color_scheme=theme,
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(TIMEOUT)
        if user:
            client = Client()
            client.force_login(user)
            context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
        studio = Studio(context.new_page(), live_server.url)
        studio.page.on("console", lambda message: _note(studio, message))
        studio.page.on("pageerror", lambda error: studio.problems.append(f"{studio.page.url}: {error}"))
        opened.append(studio)
        return studio

    yield open_one
    problems = [problem for studio in opened for problem in studio.problems]
    for studio in opened:
        studio.page.context.close()
    assert not problems


def _note(studio: Studio, message: ConsoleMessage) -> None:
    if message.type in {"error", "warning"}:
        studio.problems.append(f"{studio.page.url}: {message.text}")


@pytest.fixture
def studio(open_studio: OpenStudio, member: User) -> Studio:
    """The member's window."""
    return open_studio(member)
