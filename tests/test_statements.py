"""The statements for the database in use and the ORM's do the same: what is answered, and every value that is kept."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import budgets, keys, ledger
from accounts.access import Actor
from accounts.ledger import Hold, Settle, Usage
from accounts.models import ApiKey, BudgetPeriod, Entry, Membership, Span, Subject
from generations import statements
from generations.engines.base import Result
from generations.models import Asset, Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import Door, Status
from generations.statements import Statements, portable
from generations.statements.terms import Claimed, Final

pytestmark = pytest.mark.django_db

NOW = timezone.now()
"""One moment for both, with microseconds; `AT_NOUGHT` has none, which is written another way on SQLite."""
AT_NOUGHT = NOW.replace(microsecond=0)
UNTIL = NOW + timedelta(seconds=60)
RESULT = Result((), 1.25, 7, notes=("é “quoted”", "100 %"))


@pytest.fixture(params=["current", "portable"])
def verbs(request: pytest.FixtureRequest) -> Statements:
    return statements.current() if request.param == "current" else portable


def make(actor: Actor, **more: Any) -> tuple[Generation, Attempt]:
    """Return rows that are not written, with something in every column that a submit fills."""
    generation = Generation(
        id=uuid.uuid4(),
        team_id=actor.team_id,
        user_id=actor.user_id,
        door=Door.WEB,
        model="bg-replace",
        params={"prompt": 'é "quoted" % %s', "samples": 1, "nested": [1, None, True, 0.5]},
        seed=10**15 - 1,
        lock=True,
        estimate=10,
        quote=20,
        created_at=AT_NOUGHT,
        **more,
    )
    attempt = Attempt(generation=generation, number=1, engine="scripted", queue="network", paid=True, published_at=NOW)
    return generation, attempt


def hold_of(generation: Generation, *, has_budgets: bool = False) -> Hold:
    key_id = generation.api_key_id
    return Hold(
        generation.team_id, generation.quote, generation.id, generation.model, generation.user_id, key_id, has_budgets
    )


def accepted(verbs: Statements, actor: Actor, **more: Any) -> Attempt:
    generation, attempt = make(actor, **more)
    attempt_id = verbs.accept(generation, attempt, hold_of(generation), 10)
    assert attempt_id is not None
    return Attempt.objects.select_related("generation").get(id=attempt_id)


def kept(table: str, column: str, value: str | uuid.UUID) -> list[dict[str, Any]]:
    """Return rows as the database has them, without what differs from row to row."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {column} = %s", [value])
        names = [each[0] for each in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [{name: each for name, each in row.items() if name not in {"id", "generation_id"}} for row in rows]


def kept_of(generation: Generation) -> list[list[dict[str, Any]]]:
    """Return everything that is kept of a generation."""
    found = generation.id.hex if connection.vendor == "sqlite" else generation.id
    tables = {"generation": "id", "attempt": "generation_id", "output": "generation_id"}
    return [kept(f"generations_{table}", column, found) for table, column in tables.items()]


def asset(actor: Actor, digest: str) -> Asset:
    return Asset.objects.create(
        team_id=actor.team_id,
        sha256=digest * 64,
        file=f"assets/{digest}",
        content_type="image/jpeg",
        width=1,
        height=2,
        size=3,
        has_alpha=True,
        uploaded_at=AT_NOUGHT,
    )


def outputs_of(attempt: Attempt) -> list[Output]:
    return [
        Output(
            generation_id=attempt.generation_id,
            number=number,
            file=f"{number}.png",
            content_type="image/png",
            width=1,
            height=2,
            size=3,
            has_alpha=True,
            seed=4,
            fidelity={"changed": 0.5} if number else None,
        )
        for number in range(2)
    ]


def deliver(verbs: Statements, attempt: Attempt) -> bool:
    generation = attempt.generation
    usage = Usage(generation.model, generation.user_id, generation.api_key_id, AT_NOUGHT.date())
    return verbs.deliver(attempt, RESULT, outputs_of(attempt), Settle(generation.id, 5, usage), AT_NOUGHT)


LEASE = uuid.uuid4()


def claimed(verbs: Statements, attempt: Attempt) -> Claimed:
    found = verbs.claim(attempt.id, LEASE, NOW, UNTIL)
    assert found is not None
    return found


def test_the_same_is_kept_and_answered_at_every_step(actor: Actor) -> None:
    asset(actor, "a")
    seen = [steps(verbs, actor) for verbs in (statements.current(), portable)]
    for ours, the_orms in zip(*seen, strict=True):
        assert ours == the_orms


def steps(verbs: Statements, actor: Actor) -> list[Any]:
    """Return what is kept, and what was answered, after each verb."""
    attempt = accepted(verbs, actor)
    generation = attempt.generation
    after_accept = kept_of(generation)
    claim = claimed(verbs, attempt)
    after_claim = [kept_of(generation), shown(claim.attempt), claim.files]
    assert claim.attempt.generation.id == generation.id
    assert deliver(verbs, claim.attempt)
    final = verbs.final(generation.id)
    assert final is not None
    after_delivery = [kept_of(generation), shown(final.generation), [shown(each) for each in final.outputs]]
    assert final.available == ledger.balance(actor.team_id).available
    return [after_accept, after_claim, after_delivery]


def shown(row: Any) -> dict[str, Any]:
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: value for name, value in fields.items() if name not in {"id", "generation_id"}}


@pytest.fixture
def shop(membership: Membership) -> ApiKey:
    """A key with room for two holds of 20 in a day, made by one that has a budget, in a team with budgets of models."""
    budgets.put(membership.team_id, Subject.MODEL, "bg-replace", Span.MONTH, 1000)
    budgets.put(membership.team_id, Subject.MODEL, "inpaint-auto", Span.DAY, 1)
    _, raw = keys.create(membership, name="parent", scopes=["generate", "manage"], daily=1000)
    return keys.create(membership, name="shop", scopes=["generate"], daily=45, by=keys.authenticate(raw))[0]


def within(verbs: Statements, actor: Actor, key: ApiKey) -> Attempt:
    generation, attempt = make(actor, api_key_id=key.pk)
    attempt_id = verbs.accept(generation, attempt, hold_of(generation, has_budgets=True), 10)
    assert attempt_id is not None
    return Attempt.objects.select_related("generation").get(id=attempt_id)


def counted() -> dict[tuple[str, str], int]:
    rows = BudgetPeriod.objects.values_list("budget__kind", "budget__span", "budget__subject", "counted")
    return {(kind, span): counted for kind, span, _, counted in rows.order_by("budget_id")} | {
        ("periods", "all"): len(rows)
    }


def test_a_hold_counts_in_budgets_and_its_delivery_gives_back(verbs: Statements, actor: Actor, shop: ApiKey) -> None:
    attempt = within(verbs, actor, shop)
    periods = list(BudgetPeriod.objects.order_by("id").values_list("id", flat=True))
    assert sorted(Entry.objects.get(reference=attempt.generation_id, kind="hold").periods or []) == periods
    assert counted() == {("model", "month"): 20, ("key", "day"): 20, ("periods", "all"): 3}
    kept_then = kept_of(attempt.generation)
    assert deliver(verbs, claimed(verbs, attempt).attempt)
    assert counted() == {("model", "month"): 5, ("key", "day"): 5, ("periods", "all"): 3}
    assert len(kept_of(attempt.generation)[2]) == 2
    assert [len(rows) for rows in kept_then] == [1, 1, 0]
    assert ledger.check() == []


def test_a_full_budget_keeps_nothing_of_a_hold(verbs: Statements, actor: Actor, shop: ApiKey) -> None:
    for _ in range(2):
        within(verbs, actor, shop)
    before = counted()
    with pytest.raises(ledger.OverBudget, match=r"“shop” is 0\.000045 credits"):
        within(verbs, actor, shop)
    assert shop.parent
    for key, daily in ((shop, 100), (shop.parent, 50)):
        keys.limit(key, models=[], rate_limit=None, daily=daily, monthly=None)
    with pytest.raises(ledger.OverBudget, match="“parent”"):
        within(verbs, actor, shop)
    keys.limit(shop.parent, models=[], rate_limit=None, daily=None, monthly=None)
    budgets.put(actor.team_id, Subject.TEAM, "", Span.WEEK, 19)
    with pytest.raises(ledger.OverBudget, match="weekly budget of the team"):
        within(verbs, actor, shop)
    assert counted()["key", "day"] == before["key", "day"] == 40
    assert Generation.objects.count() == Attempt.objects.count() == 2
    assert ledger.balance(actor.team_id).held == 40
    assert ledger.check() == []


def test_too_many_active_ones_count_in_no_budget(verbs: Statements, actor: Actor, shop: ApiKey) -> None:
    generation, attempt = make(actor, api_key_id=shop.pk)
    assert verbs.accept(generation, attempt, hold_of(generation, has_budgets=True), 0) is None
    assert not BudgetPeriod.objects.exists()


def test_a_hold_within_budgets_is_one_statement_on_postgresql(
    actor: Actor, shop: ApiKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite cannot write in a CTE")
    generation, attempt = make(actor, api_key_id=shop.pk)
    with django_assert_num_queries(3):  # with the savepoint of its transaction
        statements.current().accept(generation, attempt, hold_of(generation, has_budgets=True), 10)
    attempt = claimed(statements.current(), Attempt.objects.get()).attempt
    with django_assert_num_queries(2):
        assert deliver(statements.current(), attempt)


def test_a_claim_brings_the_files_of_the_inputs(verbs: Statements, actor: Actor) -> None:
    assets = [asset(actor, "a"), asset(actor, "b")]
    inputs = {"image": str(assets[0].id), "mask": str(assets[0].id), "ref_image": str(assets[1].id)}
    claim = claimed(verbs, accepted(verbs, actor, inputs=inputs))
    assert claim.files == {str(each.id): each.file for each in assets}
    assert claim.attempt.generation.inputs == inputs


def test_assets_are_found_by_content_and_team(verbs: Statements, actor: Actor, outsider: Any) -> None:
    known = asset(actor, "a")
    asset(actor, "b")
    found = verbs.known_assets(actor.team_id, {"a" * 64, "c" * 64})
    assert list(found) == ["a" * 64]
    assert model_to_dict(found["a" * 64]) == model_to_dict(Asset.objects.get(id=known.id))
    assert shown(found["a" * 64]) == shown(Asset.objects.get(id=known.id))
    other = actor.team_id + 1000
    assert verbs.known_assets(other, {"a" * 64}) == {}


def test_no_more_are_accepted_than_may_be_active(verbs: Statements, actor: Actor) -> None:
    accepted(verbs, actor)
    generation, attempt = make(actor)
    before = ledger.balance(actor.team_id)
    assert verbs.accept(generation, attempt, hold_of(generation), 1) is None
    assert ledger.balance(actor.team_id) == before
    assert not Generation.objects.filter(id=generation.id).exists()


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (Status.QUEUED, {"state": State.SUBMITTING, "lease": uuid.uuid4()}),
        (Status.QUEUED, {"not_before": NOW + timedelta(seconds=1)}),
        (Status.CANCELED, {}),
        (Status.SUCCEEDED, {}),
    ],
    ids=["taken", "not due", "canceled", "ended"],
)
def test_what_is_not_to_be_done_is_not_claimed_and_not_touched(
    verbs: Statements, actor: Actor, status: Status, more: dict[str, Any]
) -> None:
    attempt = accepted(verbs, actor)
    Generation.objects.filter(id=attempt.generation_id).update(status=status)
    Attempt.objects.filter(id=attempt.id).update(**more)
    before = kept_of(attempt.generation)
    assert verbs.claim(attempt.id, LEASE, NOW, UNTIL) is None
    assert verbs.claim(attempt.id + 1000, LEASE, NOW, UNTIL) is None
    assert kept_of(attempt.generation) == before


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_what_is_due_at_this_very_moment_is_claimed(verbs: Statements, actor: Actor, microsecond: int) -> None:
    """Moments are compared as texts on SQLite, with and without a fraction."""
    attempt = accepted(verbs, actor)
    Attempt.objects.filter(id=attempt.id).update(not_before=AT_NOUGHT.replace(microsecond=microsecond))
    second = AT_NOUGHT + timedelta(seconds=1)
    assert verbs.claim(attempt.id, LEASE, second, UNTIL) is not None


def test_a_handed_on_attempt_is_taken_up_once_its_lease_ran_out(verbs: Statements, actor: Actor) -> None:
    attempt = accepted(verbs, actor)
    claimed(verbs, attempt)
    Attempt.objects.filter(id=attempt.id).update(state=State.SUBMITTED, upstream_id="x")
    assert verbs.claim(attempt.id, uuid.uuid4(), UNTIL, UNTIL) is None
    assert verbs.claim(attempt.id, uuid.uuid4(), UNTIL + timedelta(seconds=1), UNTIL) is not None


def test_a_lost_race_delivers_nothing(verbs: Statements, actor: Actor) -> None:
    attempt = claimed(verbs, accepted(verbs, actor)).attempt
    before = kept_of(attempt.generation)
    attempt.lease = uuid.uuid4()
    assert not deliver(verbs, attempt)
    assert kept_of(attempt.generation) == before


def test_a_canceled_generation_takes_the_picture_of_a_paid_call(verbs: Statements, actor: Actor) -> None:
    attempt = claimed(verbs, accepted(verbs, actor)).attempt
    Generation.objects.filter(id=attempt.generation_id).update(status=Status.CANCELED)
    assert deliver(verbs, attempt)
    found = verbs.final(attempt.generation_id)
    assert isinstance(found, Final)
    assert (found.generation.status, len(found.outputs)) == (Status.CANCELED, 2)


def test_what_goes_on_is_not_final(verbs: Statements, actor: Actor) -> None:
    attempt = accepted(verbs, actor)
    assert verbs.final(attempt.generation_id) is None
    assert verbs.final(uuid.uuid4()) is None
