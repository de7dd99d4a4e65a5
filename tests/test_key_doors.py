"""A key's limits as its callers meet them: codes, words, headers, and that a refusal costs nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import access, keys, ledger
from accounts.credits import MICRO
from accounts.models import ApiKey, BudgetPeriod, Membership, Team
from generations import access as generation_access
from generations import finishing, submission
from generations.api import problems
from generations.models import Generation
from generations.models.generation import Door, Status
from tests.conftest import run_at_once
from tests.doors import encoded
from tests.jobs import Configure, Submit, given

pytestmark = pytest.mark.django_db(transaction=True)

Shop = Callable[..., Any]


@pytest.fixture
def shop(client: Client, membership: Membership, engines: Configure) -> Shop:
    """Return a function that makes a key with limits, once, and posts with it."""
    engines(scripted={"cost": 0.01})
    made: list[str] = []

    def post(path: str = "/v2/bg-replace", *, prompt: str = "a beach", **limits: Any) -> Any:
        if not made:
            made.append(keys.create(membership, name="shop", **limits)[1])
        body = json.dumps(encoded(prompt=prompt))
        return client.post(path, data=body, content_type="application/json", headers={"x-api-key": made[0]})

    return post


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_another_model_is_403_and_names_what_is_allowed(shop: Shop, version: str, team: Team) -> None:
    answer = shop(f"/{version}/bg-replace", models=["inpaint-auto", "sdxl-inpaint"])
    assert answer.status_code == 403
    assert answer.json()["error"] == "This key may not run bg-replace: it is limited to inpaint-auto, sdxl-inpaint."
    assert not Generation.objects.exists()
    assert ledger.balance(team.pk).held == 0
    assert shop(f"/{version}/no-such-model").status_code == 404


def test_a_model_that_is_allowed_runs(shop: Shop, unpublished: list[int]) -> None:
    assert shop(models=["bg-replace"]).status_code == 200


def test_keys_that_a_key_made_submit_no_more_than_it_in_a_minute(
    client: Client, membership: Membership, engines: Configure, unpublished: list[int]
) -> None:
    maker = keys.authenticate(keys.create(membership, name="shop", scopes=["generate", "manage"], rate_limit=2)[1])
    raws = [keys.create(membership, name=str(each), scopes=["generate"], by=maker)[1] for each in range(5)]
    body = json.dumps(encoded())
    answers = [
        client.post("/v2/bg-replace", data=body, content_type="application/json", headers={"x-api-key": raw})
        for raw in raws
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429]
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0", "r=0", "r=0"]
    assert Generation.objects.count() == 2


def test_a_price_is_refused_as_the_run_would_be(membership: Membership, engines: Configure) -> None:
    row, _ = keys.create(membership, name="x", models=["inpaint-auto"])
    actor = access.actor_of_key(row)
    with pytest.raises(submission.ModelNotAllowed):
        submission.price("bg-replace", {"samples": 1}, 4096, actor)
    submission.price("inpaint-auto", {"samples": 1}, 4096, actor)


def test_above_the_credit_limit_is_406_and_free(shop: Shop, team: Team, unpublished: list[int]) -> None:
    assert shop(daily=50_000).status_code == 200
    assert shop().status_code == 200
    answer = shop()
    assert answer.status_code == 406
    words = answer.json()["error"]
    for part in ("Over budget", "daily", "“shop”", "0.05 credits", "0.04 are used", "0.02 required", "T00:00:00Z"):
        assert part in words
    assert Generation.objects.count() == 2
    assert ledger.balance(team.pk).held == BudgetPeriod.objects.get().counted == 40_000
    assert ledger.check() == []


def test_a_run_counts_what_it_cost_and_a_failed_one_nothing(shop: Shop, team: Team, inline: list[int]) -> None:
    assert shop(daily=50_000).status_code == 200
    assert Generation.objects.get().status == Status.SUCCEEDED
    spent = 25 * MICRO - ledger.balance(team.pk).posted
    assert spent == BudgetPeriod.objects.get().counted == 10_000
    assert shop(prompt="@fail=rejected").status_code == 200
    assert Generation.objects.filter(status=Status.FAILED).count() == 1
    assert BudgetPeriod.objects.get().counted == 10_000
    assert ledger.check() == []


def test_a_canceled_run_gives_its_credits_back_to_the_budget(shop: Shop, unpublished: list[int]) -> None:
    shop(daily=50_000)
    finishing.cancel(Generation.objects.get().id)
    assert BudgetPeriod.objects.get().counted == 0


def test_too_many_jobs_count_in_no_budget(shop: Shop, settings: Settings, unpublished: list[int]) -> None:
    settings.TEAM_JOBS_IN_FLIGHT = 1
    assert shop(daily=50_000).status_code == 200
    assert shop().status_code == 429
    assert BudgetPeriod.objects.get().counted == 20_000
    assert ledger.check() == []


def test_the_problem_has_its_facts(shop: Shop, membership: Membership, unpublished: list[int]) -> None:
    shop(daily=30_000)
    actor = access.actor_of_key(ApiKey.objects.select_related("membership__team").get())
    with pytest.raises(ledger.OverBudget) as caught:
        submission.submit(actor=actor, door=Door.SEGMIND, model="bg-replace", raw=given())
    problem = problems.of(caught.value)
    assert (problem.kind, problem.status, problem.title) == ("over_budget", 402, "Over budget")
    resets_at = caught.value.resets_at.strftime("%Y-%m-%dT00:00:00Z")
    assert problem.facts == {"limit": 0.03, "used": 0.02, "required": 0.02, "resets_at": resets_at}


@pytest.mark.usefixtures("one_minute")
def test_the_rate_headers_tell_the_keys_own_limit(shop: Shop, unpublished: list[int], settings: Settings) -> None:
    settings.RATE_LIMIT = 1000
    answers = [shop(rate_limit=2) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"default";q=2;w=60'}
    assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [
        '"default";r=1',
        '"default";r=0',
        '"default";r=0',
    ]
    assert "2 requests a minute" in answers[2].json()["error"]


def test_a_key_makes_keys_while_it_submits(
    membership: Membership, engines: Configure, unpublished: list[int], team: Team
) -> None:
    """Both want the balance row and the key's: in two orders they would wait for each other for ever."""
    row, _ = keys.create(membership, name="shop", scopes=["generate", "manage"], daily=MICRO)
    actor = access.actor_of_key(row)

    def work(number: int) -> None:
        for _ in range(4):
            if number % 2:
                keys.create(membership, name=str(number), scopes=["generate"], daily=400, by=actor)
            else:
                submission.submit(actor=actor, door=Door.SEGMIND, model="bg-replace", raw=given())

    run_at_once(work, 12)
    assert (ApiKey.objects.count(), Generation.objects.count()) == (25, 24)
    assert ledger.check() == []


def test_a_managing_key_cancels_its_makers_runs_and_no_others(
    submit: Submit, membership: Membership, owner: Any, unpublished: list[int]
) -> None:
    row, _ = keys.create(membership, name="x", scopes=["manage"])
    actor = access.actor_of_key(row)
    generation = submit()
    assert generation_access.may_cancel(actor, generation)
    assert generation_access.may_remove(actor, generation)
    generation.user_id = owner.pk
    assert not generation_access.may_cancel(actor, generation)
    assert not generation_access.may_remove(actor, generation)
    with pytest.raises(submission.NotAllowed, match="its scope or its maker's role"):
        submission.submit(actor=actor, door=Door.SEGMIND, model="bg-replace", raw=given())
