"""ENGINES and ROUTES as an operator gives them."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import engines
from generations.catalogue import MODELS

PAPER = {"paper": {"BACKEND": "generations.engines.scripted.ScriptedEngine"}}


def test_without_any_the_cpu_engine_serves_every_model() -> None:
    known = engines.engines({})
    assert engines.routes({}, MODELS, known) == {slug: ["classical"] for slug in MODELS}


def test_what_is_given_is_laid_over_the_default() -> None:
    known = engines.engines(PAPER)
    routes = engines.routes({"bg-replace": ["paper", "classical"]}, MODELS, known)
    assert set(known) == {"classical", "paper"}
    assert routes["bg-replace"] == ["paper", "classical"]
    assert routes["sdxl-inpaint"] == ["classical"]


@pytest.mark.parametrize("given", [[], {"paper": "path"}, {"paper": {"OPTIONS": {}}}])
def test_an_engine_without_a_backend_is_refused(given: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="ENGINES="):
        engines.engines(given)


@pytest.mark.parametrize("path", ["generations.engines.nope.Engine", "nope.nope.Engine", "Engine", "a..b"])
def test_a_backend_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="there is no module for"):
        engines.engines({"paper": {"BACKEND": path}})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "ROUTES="),
        ({"nope": ["classical"]}, "there are bg-replace"),
        ({"bg-replace": ["paper"]}, "ENGINES has classical"),
        ({"bg-replace": []}, "bg-replace"),
        ({"bg-replace": "classical"}, "not a list"),
    ],
)
def test_a_route_to_nowhere_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        engines.routes(given, MODELS, engines.engines({}))
