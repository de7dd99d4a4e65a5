"""Which engine comes next."""

from typing import Any

import pytest
from django.conf import LazySettings

from generations import catalogue, routing
from generations.engines.base import Queue
from generations.models import Attempt
from tests.jobs import SCRIPTED, Configure

PAID: dict[str, Any] = {"paid": True}


def attempt(engine: str, state: str = "failed", *, lost: bool = False) -> Attempt:
    return Attempt(engine=engine, state=state, lost=lost, paid=engine.startswith("paid"))


def following(*attempts: Attempt) -> str:
    aliases = [engine.alias for engine in routing.route("bg-replace")]
    found = routing.following(aliases, attempts)
    return found.alias if found else ""


def test_the_order_is_the_routes(engines: Configure) -> None:
    engines(first={}, second={}, third={})
    assert [engine.alias for engine in routing.route("bg-replace")] == ["first", "second", "third"]
    assert following() == "first"
    assert following(attempt("first")) == "second"
    assert following(attempt("first"), attempt("second")) == "third"
    assert following(attempt("first"), attempt("second"), attempt("third")) == ""


def test_an_engine_whose_worker_died_is_tried_three_times(engines: Configure) -> None:
    engines(first={}, second={})
    lost = attempt("first", lost=True)
    assert following(lost) == following(lost, lost) == "first"
    assert following(lost, lost, lost) == "second"
    assert following(lost, attempt("first")) == "second"


def test_after_an_unknown_outcome_no_paid_engine_runs(engines: Configure) -> None:
    engines(paid=PAID, paid_too=PAID, free={}, paid_last=PAID)
    unknown = attempt("paid", "unknown", lost=True)
    assert following(unknown) == "free"
    assert following(unknown, attempt("free")) == ""
    assert following(attempt("paid")) == "paid_too"


def test_engines_are_made_once_and_anew_with_the_settings(engines: Configure, settings: LazySettings) -> None:
    engines(one={"rate": 0.5})
    assert routing.engine("one") is routing.engine("one")
    assert routing.engine("one").rate == 0.5
    engines(one={"rate": 0.25})
    assert routing.engine("one").rate == 0.25
    with pytest.raises(KeyError):
        routing.engine("none")


def test_the_queues_that_routes_need(settings: LazySettings) -> None:
    settings.ENGINES = {
        "near": {"BACKEND": SCRIPTED},
        "far": {"BACKEND": SCRIPTED, "OPTIONS": {"queue": "network"}},
        "unused": {"BACKEND": SCRIPTED, "OPTIONS": {"queue": "network"}},
    }
    settings.ROUTES = {slug: ["near"] for slug in catalogue.MODELS}
    assert routing.queues() == {Queue.COMPUTE}
    settings.ROUTES = {**settings.ROUTES, "bg-replace": ["near", "far"]}
    assert routing.queues() == {"compute", "network"}


def test_the_default_settings_route_every_model() -> None:
    for slug in catalogue.MODELS:
        assert routing.route(slug)
