"""Budgets: what counts in them and when, what they refuse, and that nobody else pays for them."""

import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from accounts import budgets, keys, ledger, queries
from accounts.credits import MICRO
from accounts.ledger import OverBudget, Usage
from accounts.models import ApiKey, BudgetPeriod, Entry, Membership, Span, Subject, Team, User
from tests.conftest import run_at_once

FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = FRIDAY.date()


def hold(key: ApiKey, amount: int, model: str = "bg-replace") -> uuid.UUID:
    reference = uuid.uuid4()
    with transaction.atomic():
        ledger.hold(
            key.team_id,
            amount,
            reference=reference,
            model=model,
            user_id=key.membership.user_id,
            key_id=key.pk,
            has_budgets=True,
        )
    return reference


def settle(reference: uuid.UUID, cost: int, key: ApiKey | None = None, day: date = DAY) -> None:
    with transaction.atomic():
        ledger.settle(reference, cost, usage=Usage("bg-replace", None, key.pk if key else None, day))


def release(reference: uuid.UUID) -> None:
    with transaction.atomic():
        ledger.release(reference)


def counted() -> list[int]:
    return list(BudgetPeriod.objects.order_by("id").values_list("counted", flat=True))


@pytest.fixture
def shop(membership: Membership) -> ApiKey:
    """A key with 100 millionths of a credit a day."""
    return keys.create(membership, name="shop", daily=100)[0]


@pytest.mark.parametrize(
    ("span", "first", "reset"),
    [
        (Span.DAY, date(2026, 11, 20), datetime(2026, 11, 21, tzinfo=UTC)),
        (Span.WEEK, date(2026, 11, 16), datetime(2026, 11, 23, tzinfo=UTC)),
        (Span.MONTH, date(2026, 11, 1), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_span_begins_and_resets_in_utc(span: Span, first: date, reset: datetime) -> None:
    assert budgets.start_of(span, DAY) == first
    assert budgets.resets_at(span, DAY) == reset
    assert budgets.start_of(span, first) == first


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_resets_on_the_next_first(month: int) -> None:
    reset = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    for day in (1, 28):
        assert budgets.resets_at(Span.MONTH, date(2026, month, day)) == reset


def test_what_is_held_counts_and_its_end_moves_it_to_what_it_cost(shop: ApiKey) -> None:
    first, second = hold(shop, 60), hold(shop, 40)
    assert counted() == [100]
    settle(first, 10)
    assert counted() == [50]
    release(second)
    assert counted() == [10]
    assert ledger.check() == []


def test_what_is_above_is_refused_and_says_everything(shop: ApiKey) -> None:
    with time_machine.travel(FRIDAY, tick=False):
        hold(shop, 80)
        entries = Entry.objects.count()
        with pytest.raises(OverBudget) as caught:
            hold(shop, 21)
        assert str(caught.value) == (
            "the daily budget of the key “shop” is 0.0001 credits: 0.00008 are used or held, 0.000021 required;"
            " it resets at 2026-11-21T00:00:00Z"
        )
        error = caught.value
        assert (error.limit, error.used, error.required) == (100, 80, 21)
        assert error.resets_at == datetime(2026, 11, 21, tzinfo=UTC)
        hold(shop, 20)
    assert (Entry.objects.count(), counted()) == (entries + 1, [100])
    assert ledger.balance(shop.team_id).held == 100
    assert ledger.check() == []


def test_the_first_hold_of_a_period_may_not_exceed_it_either(shop: ApiKey) -> None:
    with pytest.raises(OverBudget):
        hold(shop, 101)
    assert (counted(), ledger.balance(shop.team_id).held) == ([], 0)


def test_a_new_day_counts_anew_and_the_period_of_the_hold_is_given_back_to(shop: ApiKey) -> None:
    with time_machine.travel(FRIDAY, tick=False) as clock:
        late = hold(shop, 70)
        clock.shift(timedelta(hours=12))
        lost, again = hold(shop, 60), hold(shop, 40)
        settle(late, 5)
        assert counted() == [5, 100]
        release(lost)
        settle(again, 40)
        assert counted() == [5, 40]
    assert ledger.check() == []


def test_every_budget_that_applies_counts_and_one_that_refuses_undoes_all(shop: ApiKey, team: Team) -> None:
    member = str(shop.membership.user_id)
    for kind, subject, amount in (
        (Subject.TEAM, "", 1000),
        (Subject.MEMBER, member, 90),
        (Subject.MODEL, "bg-replace", 500),
        (Subject.MODEL, "inpaint-auto", 1),
        (Subject.MEMBER, "999999", 1),
    ):
        budgets.put(team.pk, kind, subject, Span.WEEK, amount)
    hold(shop, 80)
    assert counted() == [80] * 4
    with pytest.raises(OverBudget, match=f"weekly budget of {shop.membership.user} is"):
        hold(shop, 15)
    with pytest.raises(OverBudget, match="weekly budget of inpaint-auto is"):
        hold(shop, 5, "inpaint-auto")
    assert counted() == [80] * 4
    assert ledger.check() == []


def test_a_soft_budget_counts_and_refuses_nothing(shop: ApiKey, team: Team) -> None:
    budgets.put(team.pk, Subject.TEAM, "", Span.DAY, 10, is_hard=False)
    hold(shop, 90)
    assert counted() == [90, 90]


def test_a_lower_limit_corrupts_no_count(shop: ApiKey) -> None:
    reference = hold(shop, 90)
    keys.limit(shop, models=(), rate_limit=None, daily=50, monthly=None)
    with pytest.raises(OverBudget, match=r"0\.00009 are used"):
        hold(shop, 1)
    settle(reference, 20)
    hold(shop, 30)
    assert counted() == [50]
    assert ledger.check() == []


def test_a_budget_set_later_begins_with_what_was_used(membership: Membership) -> None:
    with time_machine.travel(FRIDAY, tick=False):
        key, _ = keys.create(membership, name="late")
        for day, cost in ((DAY, 30), (date(2026, 11, 2), 40), (date(2026, 10, 31), 50)):
            settle(hold(key, 60), cost, key, day)
        keys.limit(key, models=(), rate_limit=None, daily=100, monthly=100)
        spent = queries.key_spending(key.team_id, [key.pk])[key.pk]
        assert (spent.day, spent.month) == (queries.Spent(30, 100), queries.Spent(70, 100))
        with pytest.raises(OverBudget, match="monthly"):
            hold(key, 31)
        hold(key, 30)
    assert ledger.check() == []


def test_a_budget_taken_away_refuses_nothing_and_its_holds_end_well(shop: ApiKey) -> None:
    reference = hold(shop, 90)
    keys.limit(shop, models=(), rate_limit=None, daily=None, monthly=None)
    assert not shop.has_budgets
    hold(shop, 90)
    settle(reference, 50)
    assert ledger.check() == []


@pytest.mark.parametrize("amount", [0, -1, 2**53])
def test_an_amount_that_is_none_is_refused(team: Team, amount: int) -> None:
    with pytest.raises(ValueError, match="credits above 0 and below"):
        budgets.put(team.pk, Subject.TEAM, "", Span.DAY, amount)


def test_marks_follow_the_budgets(shop: ApiKey, key: str, team: Team) -> None:
    """Those without a budget pay nothing: their holds look for none."""
    bare = keys.authenticate(key)
    assert bare is not None
    assert not bare.has_budgets
    assert shop.has_budgets
    budgets.put(team.pk, Subject.MODEL, "bg-replace", Span.DAY, 5)
    marked = keys.authenticate(key)
    assert marked is not None
    assert marked.has_budgets
    budgets.put(team.pk, Subject.MODEL, "bg-replace", Span.DAY, None)
    again = keys.authenticate(key)
    assert again is not None
    assert not again.has_budgets


def test_a_key_without_budgets_pays_nothing(
    shop: ApiKey, team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A hold and a settle are as many statements as before there were budgets, also beside a key that has one."""
    is_postgresql = connection.vendor == "postgresql"
    reference = uuid.uuid4()
    with django_assert_num_queries(1 if is_postgresql else 2):
        ledger.hold(team.pk, 9, reference=reference, model="bg-replace", user_id=None)
    with django_assert_num_queries(1 if is_postgresql else 4):
        ledger.settle(reference, 9, usage=Usage("bg-replace", None, None, DAY))


def test_the_books_find_a_wrong_count_and_a_missing_mark(shop: ApiKey, team: Team) -> None:
    settle(hold(shop, 90), 50)
    release(hold(shop, 20))
    hold(shop, 7)
    assert ledger.check() == []
    BudgetPeriod.objects.update(counted=F("counted") + 1)
    ApiKey.objects.update(has_budgets=False)
    found = {difference.what: (difference.expected, difference.found) for difference in ledger.check()}
    assert found == {"counted in a budget": (57, 58), "has budgets": (True, False)}


@pytest.mark.django_db(transaction=True)
def test_exactly_the_limit_passes(shop: ApiKey) -> None:
    """40 threads hold 10 each against a limit of 100; half of what passed is given back at the same time."""

    def submit(number: int) -> str:
        try:
            reference = hold(shop, 10)
        except OverBudget:
            return "refused"
        if number % 2:
            release(reference)
            return "released"
        return "held"

    answers = Counter(run_at_once(submit, 40))
    assert answers["held"] <= 10
    assert answers["refused"] < 40
    assert counted() == [10 * answers["held"]]
    while counted()[0] < 100:
        hold(shop, 10)
    with pytest.raises(OverBudget):
        hold(shop, 1)
    assert ledger.check() == []


def test_usage_beyond_what_is_held_is_never_counted(shop: ApiKey, owner: User) -> None:
    reference = hold(shop, 10)
    with pytest.raises(ledger.AboveHold):
        settle(reference, 11)
    assert counted() == [10]
    assert ledger.balance(shop.team_id).posted == 25 * MICRO
