"""The engine that CONTRIBUTING.md shows is run as it stands there."""

import json
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import LazySettings

from config import engines
from generations import catalogue, delivery, execution
from generations.imaging import decode
from generations.models import Attempt, Generation, Output
from generations.models.generation import Status
from tests.jobs import Submit, png

GUIDE = Path(__file__).resolve().parent.parent / "CONTRIBUTING.md"

pytestmark = pytest.mark.django_db


@pytest.fixture
def blocks() -> list[str]:
    return re.findall(r"```(?:python|sh)\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.fixture
def _configured(blocks: list[str], settings: LazySettings, monkeypatch: pytest.MonkeyPatch, submit: Submit) -> None:
    """Put the example where the guide says, with the settings that it shows."""
    code, configuration = blocks
    module = ModuleType("generations.engines.paper")
    module.__spec__ = ModuleSpec(module.__name__, loader=None)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(GUIDE), "exec"), vars(module))
    given = {name: json.loads(value) for name, value in re.findall(r"export (\w+)='(.*)'", configuration)}
    settings.ENGINES = engines.engines(given["ENGINES"])
    settings.ROUTES = engines.routes(given["ROUTES"], catalogue.MODELS, settings.ENGINES)


def test_it_has_forty_lines_at_most(blocks: list[str]) -> None:
    body = blocks[0].split("class PaperEngine")[1]
    assert len(body.splitlines()) <= 40


@pytest.mark.usefixtures("_configured")
def test_it_serves_a_job(submit: Submit, unpublished: list[int]) -> None:
    done = run(submit(image=cut_out()))
    assert (done.status, done.engine) == (Status.SUCCEEDED, "paper")
    picture = decode.decode(delivery.read(Output.objects.get().file))
    assert tuple(picture[0, 0]) == (238, 232, 220)
    assert tuple(picture[32, 32]) == (200, 30, 30)


@pytest.mark.usefixtures("_configured")
def test_what_it_cannot_do_goes_to_the_next_engine(submit: Submit, unpublished: list[int]) -> None:
    generation = run(submit())
    attempts = list(generation.attempts.order_by("number").values_list("engine", "state"))
    assert attempts == [("paper", "failed"), ("classical", "queued")]


def run(generation: Generation) -> Generation:
    execution.run(Attempt.objects.get(generation=generation, number=1).id)
    generation.refresh_from_db()
    return generation


def cut_out() -> bytes:
    """Return a subject on nothing."""
    return png(mode="RGBA", colour=(200, 30, 30, 255))
