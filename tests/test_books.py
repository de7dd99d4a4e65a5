"""M2, the books balance: the ledger is driven at random beside a plain model of it; seeded bugs are all caught."""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts import books, budgets, ledger
from accounts.ledger import Usage
from accounts.models import Balance, BudgetPeriod, Entry, Kind, RateWindow, Span, Subject, Team, UsageDay
from accounts.statements import postgresql, sqlite
from config.database import direct_connection

AMOUNTS = st.integers(1, 60)
MODELS = st.sampled_from(["bg-replace", "inpaint-auto"])
PEOPLE = st.sampled_from([None, 1])


KEY = 3
"""the key whose holds count in budgets; it needs no row, as it needs none to be remembered by the books"""


class Books(RuleBasedStateMachine):
    """One team's ledger; `posted`, `held`, `open`, `ended` and `used` are what it should be; of the key's budgets,
    `limits` and `counted`, and the `periods` that a hold counted in."""

    granted = Bundle("granted")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.team = Team.objects.create(name="Books", slug=uuid.uuid4().hex)
        Balance.objects.create(team=self.team, posted=0)
        self.posted = 0
        self.open: dict[uuid.UUID, int] = {}
        self.ended: dict[uuid.UUID, int] = {}
        self.used: Counter[tuple[str, int, str]] = Counter()
        self.day = date(2026, 11, 20)
        self.limits: dict[Span, int] = {}
        self.counted: Counter[tuple[Span, date]] = Counter()
        self.periods: dict[uuid.UUID, list[tuple[Span, date]]] = {}
        self.clock = pytest.MonkeyPatch()
        self.clock.setattr(budgets, "today", lambda: self.day)

    @property
    def held(self) -> int:
        return sum(self.open.values())

    def attempt(self, expected: type[Exception] | None, verb: Callable[[], None]) -> bool:
        """Whether `verb` was booked; it must be unless an error is `expected`, and then be refused with it."""
        outcome: type[Exception] | None = None
        try:
            with transaction.atomic():
                verb()
        except (ledger.LedgerError, ledger.OverBudget, ValueError, DatabaseError) as error:
            outcome = type(error)
        assert outcome is expected
        return outcome is None

    @initialize(target=granted)
    def begin(self) -> uuid.UUID:
        """Begin with enough for a few holds, or most of them are refused, and with a budget for some of it."""
        self.set_budget(Span.DAY, 60)
        return self.give(200)

    @rule(target=granted, amount=AMOUNTS)
    def grant(self, amount: int) -> uuid.UUID:
        return self.give(amount)

    def give(self, amount: int) -> uuid.UUID:
        reference = uuid.uuid4()
        self.attempt(None, lambda: ledger.grant(self.team.pk, amount, reference=reference))
        self.posted += amount
        return reference

    @rule(reference=granted, amount=AMOUNTS)
    def grant_again(self, reference: uuid.UUID, amount: int) -> None:
        self.attempt(ledger.AlreadyBooked, lambda: ledger.grant(self.team.pk, amount, reference=reference))

    @rule(amount=st.integers(-60, 60).filter(bool))
    def adjust(self, amount: int) -> None:
        expected = None if self.posted - self.held + amount >= 0 or amount > 0 else ledger.InsufficientCredits
        reference = uuid.uuid4()
        if self.attempt(expected, lambda: ledger.adjust(self.team.pk, amount, reference=reference, note="")):
            self.posted += amount

    @rule(target=holds, amount=st.integers(0, 60), model=MODELS, user=PEOPLE)
    def hold_some(self, amount: int, model: str, user: int | None) -> uuid.UUID:
        return self.hold(amount, model, user)

    def hold(self, amount: int, model: str, user: int | None) -> uuid.UUID:
        """A hold that was refused is handed on as well: its reference has nothing to end."""
        reference = uuid.uuid4()
        expected = None if self.posted - self.held >= amount else ledger.InsufficientCredits
        if self.attempt(
            expected,
            lambda: ledger.hold(self.team.pk, amount, reference=reference, model=model, user_id=user),
        ):
            self.open[reference] = amount
        return reference

    @rule(span=st.sampled_from(Span), amount=st.integers(1, 120))
    def set_budget(self, span: Span, amount: int) -> None:
        """One that is new begins with the key's usage, of which it has none here: `settle` counts for no key."""
        budgets.put(self.team.pk, Subject.KEY, str(KEY), span, amount)
        self.limits[span] = amount

    @rule(days=st.integers(1, 9))
    def sleep(self, days: int) -> None:
        self.day += timedelta(days=days)

    @rule(target=holds, amount=st.integers(0, 60))
    def hold_some_by_key(self, amount: int) -> uuid.UUID:
        return self.hold_by_key(amount)

    @rule(target=holds)
    def hold_the_rest_of_a_budget(self) -> uuid.UUID:
        left = [self.limits[period[0]] - self.counted[period] for period in self.running()]
        return self.hold_by_key(max(0, min(left, default=0)))

    @rule(target=holds, amount=st.integers(1, 20))
    def run_overnight(self, amount: int) -> uuid.UUID:
        """A run that ends on another day than it began, when that day's period has counted as well."""
        reference = self.hold_by_key(amount)
        self.sleep(1)
        self.hold_by_key(amount)
        self.release(reference)
        return reference

    def running(self) -> list[tuple[Span, date]]:
        return [(span, budgets.start_of(span, self.day)) for span in self.limits]

    def hold_by_key(self, amount: int) -> uuid.UUID:
        reference, periods = uuid.uuid4(), self.running()
        expected: type[Exception] | None = None
        if any(self.counted[period] + amount > self.limits[period[0]] for period in periods):
            expected = ledger.OverBudget
        if self.posted - self.held < amount:
            expected = ledger.InsufficientCredits

        def hold() -> None:
            who = {"user_id": 1, "key_id": KEY}
            ledger.hold(self.team.pk, amount, reference=reference, model="bg-replace", has_budgets=True, **who)

        if self.attempt(expected, hold):
            self.open[reference], self.periods[reference] = amount, periods
            self.count(reference, amount)
        return reference

    def count(self, reference: uuid.UUID, amount: int) -> None:
        for period in self.periods.get(reference, []):
            self.counted[period] += amount

    @rule(target=holds)
    def hold_the_rest(self) -> uuid.UUID:
        return self.hold(self.posted - self.held, "bg-replace", None)

    @rule(target=holds, amount=AMOUNTS)
    def run_one(self, amount: int) -> uuid.UUID:
        """A whole run, so that days have several."""
        reference = self.hold(amount, "bg-replace", 1)
        self.settle(reference, 0.5, "bg-replace", 1)
        return reference

    @rule(reference=holds)
    def hold_again(self, reference: uuid.UUID) -> None:
        if reference in self.open or reference in self.ended:
            self.attempt(
                ledger.AlreadyBooked,
                lambda: ledger.hold(self.team.pk, 0, reference=reference, model="", user_id=None),
            )

    @rule(reference=holds, share=st.sampled_from([0.0, 0.5, 1.0, 1.5]), model=MODELS, user=PEOPLE)
    def settle_some(self, reference: uuid.UUID, share: float, model: str, user: int | None) -> None:
        self.settle(reference, share, model, user)

    def settle(self, reference: uuid.UUID, share: float, model: str, user: int | None) -> None:
        amount = self.open.get(reference, self.ended.get(reference, 0))
        cost = int(amount * share)
        usage = Usage(model, user, None, date(2026, 11, 20))
        if self.attempt(
            ledger.AboveHold if cost > amount else self.refusal(reference),
            lambda: ledger.settle(reference, cost, usage=usage),
        ):
            self.ended[reference] = self.open.pop(reference)
            self.count(reference, cost - amount)
            self.posted -= cost
            self.used[model, user or 0, "runs"] += 1
            self.used[model, user or 0, "cost"] += cost

    @rule(reference=holds)
    def release(self, reference: uuid.UUID) -> None:
        if self.attempt(self.refusal(reference), lambda: ledger.release(reference)):
            self.ended[reference] = self.open.pop(reference)
            self.count(reference, -self.ended[reference])

    def refusal(self, reference: uuid.UUID) -> type[Exception] | None:
        if reference in self.open:
            return None
        return ledger.AlreadyEnded if reference in self.ended else ledger.NoHold

    @invariant()
    def balances(self) -> None:
        amounts = ledger.balance(self.team.pk)
        assert (amounts.posted, amounts.held) == (self.posted, self.held)

    @invariant()
    def budgets_count(self) -> None:
        rows = BudgetPeriod.objects.values_list("budget__span", "start", "counted")
        assert {(span, start): counted for span, start, counted in rows if counted} == +self.counted

    def usage(self) -> Counter[tuple[str, int, str]]:
        counted: Counter[tuple[str, int, str]] = Counter()
        for model, member, runs, cost in UsageDay.objects.values_list("model", "member", "runs", "cost"):
            counted[model, member, "runs"] += runs
            counted[model, member, "cost"] += cost
        return counted

    def teardown(self) -> None:
        try:
            assert ledger.check() == []
            assert self.usage() == self.used
        finally:
            self.clock.undo()
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)


def run(examples: int, steps: int, *, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_m2_the_books_balance(db: None) -> None:
    run(examples=40, steps=30)


@pytest.mark.django_db(transaction=True)
def test_checking_waits_for_no_writer_and_sees_one_moment() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has snapshots of its own")
    with books._snapshot(), direct_connection() as writer, writer.cursor() as cursor:
        before = RateWindow.objects.count()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("INSERT INTO accounts_ratewindow (name, window_start, count) VALUES ('new', 0, 1)")
        cursor.execute("COMMIT")
        assert RateWindow.objects.count() == before
    assert RateWindow.objects.count() == before + 1
    with direct_connection() as writer, writer.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        assert ledger.check() == []  # waited for 20 s, and in vain, where it wanted to write


def replaced_in(module: Any, name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A bug in a statement that is the same on every database."""

    def seed(monkeypatch: pytest.MonkeyPatch) -> None:
        assert old in getattr(module, name)
        monkeypatch.setattr(module, name, getattr(module, name).replace(old, new))

    return seed


def replaced(name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A bug in the SQL of the database at hand: `name` is the statement on PostgreSQL, "/", the one on SQLite."""

    def seed(monkeypatch: pytest.MonkeyPatch) -> None:
        on_postgresql, on_sqlite = name.split("/")
        is_postgresql = connection.vendor == "postgresql"
        module, statement = (postgresql, on_postgresql) if is_postgresql else (sqlite, on_sqlite)
        sql = getattr(module, statement)
        assert old in sql
        monkeypatch.setattr(module, statement, sql.replace(old, new))

    return seed


def patched(name: str, bug: Callable[..., Any], of: Any = ledger) -> Callable[[pytest.MonkeyPatch], None]:
    """A bug in a function of the ledger, or `of` another module; `bug` is given the real one first."""

    def seed(monkeypatch: pytest.MonkeyPatch) -> None:
        real = getattr(of, name)
        monkeypatch.setattr(of, name, lambda *args, **options: bug(real, *args, **options))

    return seed


def _held(reference: uuid.UUID) -> Entry | None:
    return Entry.objects.filter(reference=reference, kind=Kind.HOLD).first()


def _settle_twice(real: Any, reference: uuid.UUID, cost: int, *, usage: Usage) -> None:
    try:
        real(reference, cost, usage=usage)
    except ledger.AlreadyEnded:
        Balance.objects.update(posted=F("posted") - cost)


def _release_after_settle(real: Any, reference: uuid.UUID) -> None:
    try:
        real(reference)
    except ledger.AlreadyEnded:
        hold = _held(reference)
        Balance.objects.update(posted=F("posted") + (hold.held if hold else 0))


def _clip(real: Any, reference: uuid.UUID, cost: int, *, usage: Usage) -> None:
    hold = _held(reference)
    real(reference, min(cost, hold.held) if hold else cost, usage=usage)


def _take_above_hold(real: Any, reference: uuid.UUID, cost: int, *, usage: Usage) -> None:
    hold = _held(reference)
    within = min(cost, hold.held) if hold else cost
    real(reference, within, usage=usage)
    Balance.objects.update(posted=F("posted") - (cost - within))


def _forget_entry(_: Any, reference: uuid.UUID) -> None:
    hold = _held(reference)
    Balance.objects.update(held=F("held") - (hold.held if hold else 0))


def _grant_without_reference(real: Any, team_id: int, amount: int, *, reference: uuid.UUID) -> None:
    real(team_id, amount, reference=uuid.uuid4())


def _debit_what_is_held(_: Any, team_id: int, amount: int) -> bool:
    rows = Balance.objects.filter(team_id=team_id, posted__gte=amount)
    return bool(rows.update(posted=F("posted") - amount))


def _give_back_today(real: Any, periods: Sequence[int], amount: int) -> None:
    """Take it from the newest period of each budget, whichever the hold counted in."""
    newest = BudgetPeriod.objects.filter(budget__periods__in=periods).order_by("budget", "-start")
    chosen = {row.budget_id: row.pk for row in reversed(newest)}
    real(list(chosen.values()), amount)


BUGS = {
    "budget without a limit": replaced_in(budgets, "COUNT", "<= %(most)s", "IS NOT NULL"),
    "budget that wants one too many": replaced_in(budgets, "COUNT", "<= %(most)s", "< %(most)s"),
    "budget that forgets what it counted": replaced_in(budgets, "COUNT", "= period.counted +", "="),
    "budget that nothing is given back to": patched("give_back", lambda _real, _periods, _amount: None, of=budgets),
    "budget that is given back to in the wrong period": patched("give_back", _give_back_today, of=budgets),
    "hold without a check": replaced("HOLD/MOVE_TO_HELD", " AND posted - held >= %(amount)s", ""),
    "hold that forgets what is held": replaced("HOLD/MOVE_TO_HELD", "posted - held >=", "posted >="),
    "hold that wants one too many": replaced("HOLD/MOVE_TO_HELD", "held >= %(amount)s", "held > %(amount)s"),
    "usage of a day's second run forgotten": replaced("SETTLE/COUNT_USAGE", "runs + 1", "runs"),
    "usage at the wrong cost": replaced("SETTLE/COUNT_USAGE", ", 1, %(cost)s", ", 1, 0"),
    "second end passes in silence": patched("_require_booked", lambda _real, _outcome, _reference: None),
    "settle twice": patched("settle", _settle_twice),
    "release after settle": patched("release", _release_after_settle),
    "cost above the hold clipped": patched("settle", _clip),
    "cost above the hold taken": patched("settle", _take_above_hold),
    "release without an entry": patched("release", _forget_entry),
    "grant that ignores its reference": patched("grant", _grant_without_reference),
    "adjustment that takes what is held": patched("_debit", _debit_what_is_held),
}


@pytest.mark.parametrize("bug", BUGS)
def test_m2_a_seeded_bug_is_caught(db: None, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    BUGS[bug](monkeypatch)
    with pytest.raises(AssertionError):
        run(examples=200, steps=30, phases=(Phase.generate,))
