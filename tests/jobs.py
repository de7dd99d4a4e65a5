"""Fixtures for everything that runs jobs: the scripted engine, pictures, and jobs carried out here or by workers."""

import io
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from PIL import Image

from accounts.access import Actor
from generations import catalogue, dispatch, execution, submission
from generations.models import Attempt, Generation
from generations.models.generation import Door

Configure = Callable[..., None]
Submit = Callable[..., Generation]

SCRIPTED = "generations.engines.scripted.ScriptedEngine"


def png(width: int = 64, height: int = 64, colour: Any = (200, 30, 30), mode: str = "RGB") -> bytes:
    """Return a PNG with a rectangle of `colour` in the middle of white (a mask: white in the middle of black)."""
    image = Image.new(mode, (width, height), "white" if mode == "RGB" else 0)
    image.paste(colour, (width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def mask(width: int = 64, height: int = 64) -> bytes:
    return png(width, height, 255, "L")


def given(model: str = "bg-replace", prompt: str = "a beach", **more: Any) -> dict[str, Any]:
    """Return the least that a model asks for."""
    made: dict[str, Any] = {"image": png(), "ref_image": png(colour=(10, 90, 200)), "mask": mask(), "prompt": prompt}
    declared = catalogue.get(model)
    required = {name: made.get(name, declared.by_name[name].default) for name in declared.required_names}
    return {**required, **more}


def let_leases_run_out() -> None:
    """Let so much time pass that every lease is over."""
    past = timezone.now() - timedelta(seconds=1)
    Attempt.objects.update(lease_until=past, published_at=past)


@pytest.fixture
def engines(settings: LazySettings) -> Configure:
    """Return a function that puts scripted engines on the route of every model: alias → options."""

    def configure(**aliases: dict[str, Any]) -> None:
        settings.ENGINES = {alias: {"BACKEND": SCRIPTED, "OPTIONS": options} for alias, options in aliases.items()}
        settings.ROUTES = {slug: list(aliases) for slug in catalogue.MODELS}

    configure(scripted={})
    return configure


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run every attempt in this process as soon as it is published; the list says which were."""
    published: list[int] = []

    def run(attempt_id: int, queue: str, *, after: float = 0.0) -> None:
        published.append(attempt_id)
        execution.run(attempt_id)

    monkeypatch.setattr(dispatch, "attempt", run)
    monkeypatch.setattr(dispatch, "derivatives", lambda generation_id: None)
    return published


@pytest.fixture
def unpublished(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Publish nothing: the broker loses every message; the list says which."""
    lost: list[int] = []
    monkeypatch.setattr(dispatch, "attempt", lambda attempt_id, queue, after=0.0: lost.append(attempt_id))
    monkeypatch.setattr(dispatch, "derivatives", lambda generation_id: None)
    return lost


@pytest.fixture
def submit(actor: Actor, engines: Configure) -> Submit:
    """Return a function that submits for the member, with the least input and a prompt."""

    def do(prompt: str = "a beach", *, model: str = "bg-replace", **more: Any) -> Generation:
        raw = given(model, prompt, **more)
        return submission.submit(actor=actor, door=Door.WEB, model=model, raw=raw).generation

    return do


@pytest.fixture(autouse=True)
def _of_tests(settings: LazySettings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what a test stores out of the installation's own folders, and spend no second on hashing a password."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing is collected for a test
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    base = tmp_path_factory.mktemp("data")
    settings.MEDIA_ROOT = base / "media"
    settings.RUN_DIR = base / "run"
    settings.REDIS_URL = _own_database(settings.REDIS_URL)


def _own_database(url: str) -> str:
    """Return a Redis database of this test process's own: the keys of two databases have the same ids, and limits are
    counted by id."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    server, _, database = url.rpartition("/")
    return f"{server}/{int(database) + int(number)}" if url and number else url
