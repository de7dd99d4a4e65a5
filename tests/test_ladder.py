"""The ladder of a run: which engines may serve it, decided at the submit, and what stands in for what."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import LazySettings

from accounts import access, keys
from accounts.access import Actor
from accounts.models import Membership, Team
from generations import catalogue, execution, routing, submission
from generations.models import Attempt
from generations.models.attempt import State
from generations.models.generation import Door, Status
from tests.jobs import SCRIPTED, Configure, given

pytestmark = pytest.mark.django_db

CLASSICAL = "generations.engines.classical.engine.ClassicalEngine"
HOSTED = {"BACKEND": SCRIPTED, "OPTIONS": {"cost": 0.02}}
CPU = {"BACKEND": CLASSICAL, "OPTIONS": {"rate": 0.0015}}


@pytest.fixture
def route(settings: LazySettings) -> Any:
    """Return a function that sets the rungs of every model; `hosted` reads prompts, `cpu` does not."""
    settings.ENGINES = {"hosted": HOSTED, "other": HOSTED, "cpu": CPU}

    def put(*rungs: Any) -> None:
        settings.ROUTES = {slug: list(rungs) for slug in catalogue.MODELS}

    return put


def ladder(actor: Actor, *, allow_fallback: bool = True, pixels: int = 4096, **params: Any) -> list[str]:
    chosen = {**catalogue.get("bg-replace").defaults, "prompt": "a beach", **params}
    engines = routing.ladder("bg-replace", chosen, pixels, actor, allow_fallback=allow_fallback)
    return [engine.alias for engine in engines]


def test_an_engine_that_does_not_read_the_prompt_stands_in_only_where_it_is_allowed(actor: Actor, route: Any) -> None:
    route("hosted", "cpu")
    assert ladder(actor) == ["hosted", "cpu"]
    assert ladder(actor, allow_fallback=False) == ["hosted"]


def test_the_first_on_the_route_needs_no_leave(actor: Actor, route: Any) -> None:
    route("cpu", "hosted")
    assert ladder(actor, allow_fallback=False) == ["cpu", "hosted"]


def test_an_engine_serves_the_teams_it_is_for(actor: Actor, route: Any, team: Team) -> None:
    route({"engine": "hosted", "teams": ["somebody-else"]}, "cpu")
    assert ladder(actor) == ["cpu"]
    route({"engine": "hosted", "teams": [team.slug]}, "cpu")
    assert ladder(actor) == ["hosted", "cpu"]


def test_a_team_chooses_its_engines(actor: Actor, route: Any) -> None:
    route("hosted", "other", "cpu")
    assert ladder(replace(actor, engines=("other", "cpu"))) == ["other", "cpu"]


def test_a_cap_on_the_price(actor: Actor, route: Any) -> None:
    route({"engine": "hosted", "most": 0.01}, "cpu")
    assert ladder(actor) == ["cpu"]
    route({"engine": "hosted", "most": 0.02}, "cpu")
    assert ladder(actor) == ["hosted", "cpu"]


def test_a_parameter_that_an_engine_needs(actor: Actor, route: Any) -> None:
    route({"engine": "hosted", "requires": ["negative_prompt"]}, "cpu")
    assert ladder(actor) == ["cpu"]
    assert ladder(actor, negative_prompt="blur") == ["hosted", "cpu"]


def test_where_no_engine_may_serve_the_error_says_why(actor: Actor, route: Any) -> None:
    route({"engine": "hosted", "most": 0.01}, {"engine": "other", "requires": ["negative_prompt"]})
    with pytest.raises(
        routing.NoEngine, match=r"hosted serves runs of up to 0\.01 credits; other needs negative_prompt"
    ):
        ladder(actor)


# --- whole runs ---------------------------------------------------------------------------------------------


def run(actor: Actor, **more: Any) -> tuple[Any, list[tuple[str, str]]]:
    made = submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given(), **more).generation
    while attempt := Attempt.objects.filter(generation=made, state=State.QUEUED).first():
        execution.run(attempt.id)
    made.refresh_from_db()
    return made, list(made.attempts.order_by("number").values_list("engine", "state"))


def test_the_ladder_is_kept_and_the_quote_is_that_of_who_may_serve(actor: Actor, route: Any) -> None:
    route("cpu", "hosted")
    made = submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given(), publish=False).generation
    assert made.route == ["cpu", "hosted"]
    assert made.quote == 40_000
    route("cpu")
    cheap = submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given(), publish=False).generation
    assert cheap.quote < 40_000


def test_what_stood_in_says_so(actor: Actor, engines: Configure, unpublished: list[int]) -> None:
    engines(first={"fail": "unavailable"}, second={})
    made, attempts = run(actor)
    assert attempts == [("first", "failed"), ("second", "done")]
    assert made.notes[0] == "second stood in for first: the script says unavailable"


def test_the_first_engines_picture_has_no_such_note(actor: Actor, engines: Configure, unpublished: list[int]) -> None:
    engines(first={}, second={})
    made, _ = run(actor)
    assert not any("stood in" in note for note in made.notes)


def test_without_leave_nothing_stands_in_and_nothing_is_charged(
    actor: Actor, settings: LazySettings, unpublished: list[int]
) -> None:
    settings.ENGINES = {"hosted": {"BACKEND": SCRIPTED, "OPTIONS": {"fail": "unavailable"}}, "cpu": CPU}
    settings.ROUTES = {slug: ["hosted", "cpu"] for slug in catalogue.MODELS}
    made, attempts = run(actor, allow_fallback=False)
    assert attempts == [("hosted", "failed")]
    assert (made.status, made.cost) == (Status.FAILED, None)


def test_people_may_be_stood_in_for_and_keys_may_where_their_team_says_so(member: Any, team: Team) -> None:
    membership = Membership.objects.get(user=member, team=team)
    assert access.actor_of(membership).allow_fallback
    _, raw = keys.create(membership, name="one")
    found = keys.authenticate(raw)
    assert found is not None
    assert not found.allow_fallback
    Team.objects.filter(pk=team.pk).update(allow_fallback=True, engines=["cpu"])
    _, raw = keys.create(membership, name="two")
    found = keys.authenticate(raw)
    assert found is not None
    assert (found.allow_fallback, found.engines, found.team) == (True, ("cpu",), team.slug)
