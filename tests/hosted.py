"""For tests of the operator's view: a hosted engine against the stand-in of its API, with the built-in one behind it,
and attempts as they are left behind."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from generations import catalogue
from generations.models import Attempt, Generation
from generations.models.attempt import LIVE
from tests import upstream
from tests.conftest import make_team, make_user

BACKEND = "generations.engines.segmind.engine.SegmindEngine"
CLASSICAL = "generations.engines.classical.engine.ClassicalEngine"


@pytest.fixture
def standin() -> Iterator[upstream.Server]:
    with upstream.running(delay=0.0, credits=12.5) as running:
        yield running


@pytest.fixture
def hosted(standin: upstream.Server, settings: LazySettings) -> upstream.Server:
    """Put the hosted engine on every route, and `classical` after it; the operator is warned under 5 credits."""
    options = {"key": upstream.KEY, "base_url": standin.origin}
    settings.ENGINES = {
        "segmind": {"BACKEND": BACKEND, "OPTIONS": options},
        "classical": {"BACKEND": CLASSICAL, "OPTIONS": {"rate": 0.0015}},
    }
    settings.ROUTES = {slug: ["segmind", "classical"] for slug in catalogue.MODELS}
    return standin


@pytest.fixture
def operator(db: None) -> User:
    """Who runs the installation, with a team of their own."""
    user = make_user("operator@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    make_team("Operators", user)
    user.refresh_from_db()
    return user


def make_attempt(generation: Generation, engine: str, state: str, *, number: int = 1, **more: Any) -> Attempt:
    """Return an attempt of a run; one that is over ended `age` seconds ago, after two seconds of work."""
    ended = timezone.now() - timedelta(seconds=more.pop("age", 0.0))
    times = {"ended_at": None} if state in LIVE else {"ended_at": ended}
    return Attempt.objects.create(
        generation=generation,
        number=number,
        engine=engine,
        queue="network",
        state=state,
        published_at=ended,
        started_at=ended - timedelta(seconds=2),
        **{"paid": engine == "segmind", **times, **more},
    )
