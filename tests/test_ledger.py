"""The ledger's verbs, what they refuse, and promises M1, M3 (the ledger's side) and M5."""

import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts import ledger
from accounts.credits import MICRO
from accounts.ledger import Amounts, Usage
from accounts.models import Balance, Entry, Kind, Team, UsageDay, User
from accounts.models.ledger import AppendOnly
from tests.conftest import make_team, run_at_once

DAY = date(2026, 11, 20)
USAGE = Usage(model="bg-replace", user_id=7, key_id=None, day=DAY)


def hold(team: Team, amount: int) -> uuid.UUID:
    reference = uuid.uuid4()
    with transaction.atomic():
        ledger.hold(team.pk, amount, reference=reference, model="bg-replace", user_id=7)
    return reference


def settle(reference: uuid.UUID, cost: int, usage: Usage = USAGE) -> None:
    with transaction.atomic():
        ledger.settle(reference, cost, usage=usage)


def release(reference: uuid.UUID) -> None:
    with transaction.atomic():
        ledger.release(reference)


def test_a_hold_is_set_aside_and_settled_within_it(team: Team) -> None:
    reference = hold(team, 100)
    assert ledger.balance(team.pk) == Amounts(25 * MICRO, 100)
    assert ledger.balance(team.pk).available == 25 * MICRO - 100
    settle(reference, 40)
    assert ledger.balance(team.pk) == Amounts(25 * MICRO - 40, 0)
    end = Entry.objects.get(reference=reference, kind=Kind.SETTLE)
    assert (end.posted, end.held, end.model, end.user_id) == (-40, -100, "bg-replace", 7)
    assert abs(timezone.now() - end.created_at) < timedelta(minutes=1)
    assert ledger.check() == []


def test_a_release_gives_all_back(team: Team) -> None:
    reference = hold(team, 100)
    release(reference)
    assert ledger.balance(team.pk) == Amounts(25 * MICRO, 0)
    end = Entry.objects.get(reference=reference, kind=Kind.RELEASE)
    assert (end.posted, end.held, end.model, end.user_id) == (0, -100, "bg-replace", 7)
    assert ledger.check() == []


def test_usage_is_counted_by_day_model_member_and_key(team: Team) -> None:
    by_key = Usage(model="bg-replace", user_id=7, key_id=3, day=DAY)
    for usage, cost in ((USAGE, 10), (USAGE, 15), (by_key, 1), (Usage("inpaint-auto", None, None, DAY), 2)):
        settle(hold(team, 20), cost, usage)
    rows = UsageDay.objects.order_by("id").values_list("day", "model", "member", "key", "runs", "cost")
    assert list(rows) == [
        (DAY, "bg-replace", 7, 0, 2, 25),
        (DAY, "bg-replace", 7, 3, 1, 1),
        (DAY, "inpaint-auto", 0, 0, 1, 2),
    ]


def test_usage_rolls_back_with_its_settle(team: Team) -> None:
    reference = hold(team, 20)
    with transaction.atomic():
        ledger.settle(reference, 10, usage=USAGE)
        transaction.set_rollback(True)
    assert not UsageDay.objects.exists()
    assert ledger.balance(team.pk) == Amounts(25 * MICRO, 20)


@pytest.mark.parametrize("first", ["settle", "release"])
@pytest.mark.parametrize("second", ["settle", "release"])
def test_a_hold_ends_once(team: Team, first: str, second: str) -> None:
    ends = {"settle": lambda reference: settle(reference, 5), "release": release}
    reference = hold(team, 10)
    ends[first](reference)
    before = ledger.balance(team.pk)
    with pytest.raises(ledger.AlreadyEnded, match=str(reference)):
        ends[second](reference)
    assert ledger.balance(team.pk) == before
    assert ledger.check() == []


def test_what_is_refused_books_nothing(team: Team) -> None:
    reference = hold(team, 10)
    before = ledger.balance(team.pk)
    unknown = uuid.uuid4()
    with pytest.raises(ledger.NoHold, match=str(unknown)):
        settle(unknown, 0)
    with pytest.raises(ledger.NoHold, match=str(unknown)):
        release(unknown)
    with pytest.raises(ledger.AboveHold, match="cost: 11"):
        settle(reference, 11)
    with pytest.raises(ValueError, match="cost: -1"):
        settle(reference, -1)
    with pytest.raises(ledger.AlreadyBooked), transaction.atomic():
        ledger.hold(team.pk, 1, reference=reference, model="", user_id=None)
    with pytest.raises(ValueError, match="amount: -1"):
        hold(team, -1)
    with pytest.raises(ValueError, match="amount: 0"):
        ledger.grant(team.pk, 0, reference=unknown)
    with pytest.raises(ValueError, match="amount: 0"):
        ledger.adjust(team.pk, 0, reference=unknown, note="")
    assert ledger.balance(team.pk) == before
    assert Entry.objects.count() == 2
    assert ledger.check() == []


def test_too_little_names_both_amounts(team: Team) -> None:
    hold(team, 24 * MICRO)
    with pytest.raises(ledger.InsufficientCredits, match=r"1\.00 available, 1\.000001 required") as caught:
        hold(team, MICRO + 1)
    assert (caught.value.available, caught.value.required) == (MICRO, MICRO + 1)
    hold(team, MICRO)
    assert ledger.balance(team.pk).available == 0


def test_a_team_never_credited_has_nothing(outsider: User) -> None:
    poor = make_team("Poor", outsider)
    assert ledger.balance(poor.pk) == Amounts(0, 0)
    with pytest.raises(ledger.InsufficientCredits):
        hold(poor, 1)


def test_a_reference_is_granted_once(team: Team) -> None:
    reference = uuid.uuid4()
    ledger.grant(team.pk, 5, reference=reference, note="voucher", user_id=9)
    with pytest.raises(ledger.AlreadyBooked):
        ledger.grant(team.pk, 5, reference=reference)
    assert ledger.balance(team.pk).posted == 25 * MICRO + 5
    entry = Entry.objects.get(reference=reference)
    assert (entry.note, entry.user_id) == ("voucher", 9)


def test_an_adjustment_takes_only_what_is_available(team: Team) -> None:
    hold(team, 20 * MICRO)
    with pytest.raises(ledger.InsufficientCredits):
        ledger.adjust(team.pk, -5 * MICRO - 1, reference=uuid.uuid4(), note="wrong")
    ledger.adjust(team.pk, -5 * MICRO, reference=uuid.uuid4(), note="right")
    ledger.adjust(team.pk, 3, reference=uuid.uuid4(), note="back")
    assert ledger.balance(team.pk) == Amounts(20 * MICRO + 3, 20 * MICRO)
    assert ledger.check() == []


@pytest.mark.django_db(transaction=True)
def test_holds_and_ends_want_a_transaction_around_them(team: Team) -> None:
    reference = uuid.uuid4()
    with pytest.raises(TransactionManagementError, match=r"ledger\.hold"):
        ledger.hold(team.pk, 1, reference=reference, model="", user_id=None)
    with pytest.raises(TransactionManagementError, match=r"ledger\.settle"):
        ledger.settle(reference, 1, usage=USAGE)
    with pytest.raises(TransactionManagementError, match=r"ledger\.release"):
        ledger.release(reference)


def test_hot_verbs_are_single_statements_on_postgresql(
    team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    is_postgresql = connection.vendor == "postgresql"
    reference = uuid.uuid4()
    with django_assert_num_queries(1 if is_postgresql else 2):
        ledger.hold(team.pk, 9, reference=reference, model="", user_id=None)
    with django_assert_num_queries(1 if is_postgresql else 4):
        ledger.settle(reference, 9, usage=USAGE)


def test_entries_are_append_only_in_python(team: Team) -> None:
    entry = Entry.objects.get()
    entry.posted = 1
    for change in (
        entry.save,
        entry.delete,
        lambda: Entry.objects.update(posted=1),
        lambda: Entry.objects.bulk_update([entry], ["posted"]),
        lambda: Entry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(AppendOnly):
            change()


@pytest.mark.parametrize("verb", ["UPDATE accounts_entry SET posted = 1", "DELETE FROM accounts_entry"])
def test_entries_are_append_only_in_the_database(team: Team, verb: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and verb.startswith("DELETE"):
            migration = import_module("accounts.migrations.0002_entry_append_only")
            cursor.execute(migration.SQLITE[1])  # conftest.py took it away
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(verb)
    assert Entry.objects.get().posted == 25 * MICRO


@pytest.mark.parametrize("change", [{"held": -1}, {"held": F("posted") + 1}])
def test_the_database_keeps_balances_from_going_below_nothing(team: Team, change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Balance.objects.filter(team=team).update(**change)


def test_open_holds_are_listed_by_age(team: Team) -> None:
    start = datetime.now(UTC)
    settle(hold(team, 5), 5)
    release(hold(team, 5))
    reference = hold(team, 6)
    assert ledger.open_holds(start - timedelta(minutes=1)) == []
    (found,) = ledger.open_holds(datetime.now(UTC) + timedelta(minutes=1))
    assert (found.reference, found.team_id, found.amount) == (reference, team.pk, 6)
    release(reference)
    assert ledger.open_holds(datetime.now(UTC) + timedelta(minutes=1)) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quote=st.integers(0, MICRO), cost=st.integers(0, 2 * MICRO), fails=st.booleans())
def test_m5_the_charge_is_never_above_the_quote_and_failure_is_free(
    team: Team, quote: int, cost: int, fails: bool
) -> None:
    before = ledger.balance(team.pk)
    reference = hold(team, quote)
    if fails:
        release(reference)
        charge = 0
    elif cost > quote:
        with pytest.raises(ledger.AboveHold):
            settle(reference, cost)
        release(reference)
        charge = 0
    else:
        settle(reference, cost)
        charge = cost
    after = ledger.balance(team.pk)
    assert before.posted - after.posted == charge <= quote
    assert after.held == before.held
    ledger.grant(team.pk, MICRO, reference=uuid.uuid4())


@pytest.mark.django_db(transaction=True)
def test_m1_no_overdraft(outsider: User) -> None:
    """200 threads at once on credit for 100."""
    team = make_team("Hundred", outsider, 100 * 7)

    def submit(_: int) -> str:
        try:
            hold(team, 7)
        except ledger.InsufficientCredits:
            return "refused"
        return "accepted"

    assert Counter(run_at_once(submit, 200)) == {"accepted": 100, "refused": 100}
    assert ledger.balance(team.pk) == Amounts(700, 700)
    assert ledger.check() == []


@pytest.mark.django_db(transaction=True)
def test_a_hold_ends_once_however_many_end_it_at_once(team: Team) -> None:
    reference = hold(team, 10)

    def end(number: int) -> str:
        try:
            if number % 2:
                release(reference)
            else:
                settle(reference, 4)
        except ledger.AlreadyEnded:
            return "refused"
        return "ended"

    assert Counter(run_at_once(end, 40)) == {"ended": 1, "refused": 39}
    assert ledger.balance(team.pk).held == 0
    assert ledger.check() == []


@pytest.mark.django_db(transaction=True)
def test_parallel_runs_of_one_team_balance(team: Team) -> None:
    """Hold and settle from 50 threads: the day's usage row and the balance are moved by all of them."""

    def work(number: int) -> None:
        settle(hold(team, 20), number % 20)

    run_at_once(work, 50)
    cost = sum(number % 20 for number in range(50))
    assert ledger.balance(team.pk) == Amounts(25 * MICRO - cost, 0)
    assert UsageDay.objects.values_list("runs", "cost").get() == (50, cost)
    assert ledger.check() == []


def test_check_finds_each_kind_of_difference(team: Team) -> None:
    reference = hold(team, 10)
    Balance.objects.filter(team=team).update(posted=F("posted") + 1)
    UsageDay.objects.create(team=team, day=DAY, model="bg-replace", runs=1, cost=1)
    Entry.objects.create(team=team, kind=Kind.SETTLE, reference=uuid.uuid4(), posted=-1, held=-2)
    Entry.objects.create(team=team, kind=Kind.RELEASE, reference=reference, held=-9)
    found = Counter(difference.what for difference in ledger.check())
    assert found == {"balance (posted, held)": 1, "hold and its end": 2, "usage (runs, cost)": 2}
    assert str(reference) in "".join(str(difference) for difference in ledger.check())
