"""The ledger's verbs: grant, hold, settle, release, adjust. Amounts are millionths of a credit.

`hold`, `settle` and `release` belong to the transaction of what they pay for, so they want one around them. An error
of theirs leaves nothing booked; after AlreadyBooked that transaction has to roll back, as after any violated
constraint. `grant` and `adjust` bring their own.
A reference is a generation's id for a hold and its end, and any UUID for the rest: booking
one twice is an error.
"""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.transaction import TransactionManagementError

from accounts import budgets
from accounts.books import Difference, check
from accounts.budgets import OverBudget
from accounts.credits import format_credits
from accounts.models import Balance, Entry, Kind
from accounts.statements import postgresql, sqlite
from accounts.statements.terms import Hold, Outcome, Settle, Usage

__all__ = [
    "AboveHold",
    "AlreadyBooked",
    "AlreadyEnded",
    "Amounts",
    "Difference",
    "Hold",
    "InsufficientCredits",
    "LedgerError",
    "NoHold",
    "OpenHold",
    "OverBudget",
    "Settle",
    "Usage",
    "adjust",
    "balance",
    "check",
    "grant",
    "hold",
    "open_holds",
    "release",
    "settle",
]

_STATEMENTS: dict[str, ModuleType] = {"postgresql": postgresql, "sqlite": sqlite}


class LedgerError(Exception):
    """Nothing was booked."""


class InsufficientCredits(LedgerError):
    """The team has `available`, and `required` was wanted."""

    def __init__(self, available: int, required: int) -> None:
        super().__init__(
            f"not enough credits: {format_credits(available)} available, {format_credits(required)} required"
        )
        self.available = available
        self.required = required


class NoHold(LedgerError):
    """There is no hold of this reference to end."""


class AlreadyEnded(LedgerError):
    """The hold was settled or released before."""


class AlreadyBooked(LedgerError):
    """The reference was booked before with the same kind."""


class AboveHold(LedgerError, ValueError):
    """The cost is more than what was held."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """A team's balance; `available` is what a new hold may take."""

    posted: int
    held: int

    @property
    def available(self) -> int:
        return self.posted - self.held


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold that has not ended."""

    reference: uuid.UUID
    team_id: int
    amount: int
    created_at: datetime


def grant(team_id: int, amount: int, *, reference: uuid.UUID, note: str = "", user_id: int | None = None) -> None:
    """Give `amount` > 0; raise ValueError below, AlreadyBooked where `reference` was granted before."""
    if amount <= 0:
        raise ValueError(f"amount: {amount}; a grant is above 0")
    with _once(reference), transaction.atomic():
        _credit(team_id, amount)
        _write(team_id, Kind.GRANT, reference, amount, note, user_id)


def adjust(team_id: int, amount: int, *, reference: uuid.UUID, note: str, user_id: int | None = None) -> None:
    """Correct the balance by `amount`, of either sign but not 0.

    Raise InsufficientCredits where it would take what is held or not there, AlreadyBooked as grant does.
    """
    if amount == 0:
        raise ValueError("amount: 0; an adjustment is above or below 0")
    with _once(reference), transaction.atomic():
        if amount > 0:
            _credit(team_id, amount)
        elif not _debit(team_id, -amount):
            raise InsufficientCredits(balance(team_id).available, -amount)
        _write(team_id, Kind.ADJUST, reference, amount, note, user_id)


def hold(
    team_id: int,
    amount: int,
    *,
    reference: uuid.UUID,
    model: str,
    user_id: int | None,
    key_id: int | None = None,
    has_budgets: bool = False,
) -> None:
    """Set `amount` ≥ 0 aside, and count it in the budgets that apply, which are looked for where there may be some.

    Raise InsufficientCredits, OverBudget, or AlreadyBooked where `reference` holds already; after the latter two the
    transaction has to roll back.
    """
    _require_transaction("hold")
    if amount < 0:
        raise ValueError(f"amount: {amount}; a hold is 0 or above")
    terms = Hold(team_id, amount, reference, model, user_id, key_id, has_budgets)
    with _once(reference):
        is_held = _hold_within(terms) if has_budgets else _statements().hold(terms)
    if not is_held:
        raise InsufficientCredits(balance(team_id).available, amount)


def settle(reference: uuid.UUID, cost: int, *, usage: Usage) -> None:
    """End a hold by taking `cost` of it, and count the run in the day's usage.

    Raise NoHold, AlreadyEnded, or AboveHold (a ValueError): nothing is clipped, the caller's price was wrong.
    """
    _require_transaction("settle")
    if cost < 0:
        raise ValueError(f"cost: {cost}; a cost is 0 or above")
    end = _statements().settle(Settle(reference, cost, usage))
    if end.outcome is Outcome.ABOVE_HOLD:
        raise AboveHold(f"cost: {cost}; at most what is held for {reference}")
    _require_booked(end.outcome, reference)
    budgets.give_back(end.periods, end.amount - cost)


def release(reference: uuid.UUID) -> None:
    """End a hold by giving all of it back; raise NoHold or AlreadyEnded."""
    _require_transaction("release")
    end = _statements().release(reference)
    _require_booked(end.outcome, reference)
    budgets.give_back(end.periods, end.amount)


def balance(team_id: int) -> Amounts:
    """What the team has; a team never credited has nothing."""
    row = Balance.objects.filter(team_id=team_id).values_list("posted", "held").first()
    return Amounts(*row) if row else Amounts(0, 0)


def open_holds(older_than: datetime) -> list[OpenHold]:
    """The holds made before `older_than` that have not ended, oldest first.

    For audits and tests: it reads the holds of every team that has credits held, however many those are.
    """
    ends = Entry.objects.filter(reference=OuterRef("reference"), kind__in=(Kind.SETTLE, Kind.RELEASE))
    busy = Balance.objects.filter(held__gt=0).values("team_id")
    holds = Entry.objects.filter(~Exists(ends), kind=Kind.HOLD, team_id__in=busy, created_at__lt=older_than)
    rows = holds.order_by("id").values_list("reference", "team_id", "held", "created_at")
    return [OpenHold(*row) for row in rows]


def _hold_within(terms: Hold) -> bool:
    """Hold as the statements do, but count in the budgets in between, under the lock of the balance row."""
    row = Balance.objects.filter(team_id=terms.team_id, posted__gte=F("held") + terms.amount)
    if not row.update(held=F("held") + terms.amount):
        return False
    Entry.objects.create(
        team_id=terms.team_id,
        kind=Kind.HOLD,
        reference=terms.reference,
        model=terms.model,
        held=terms.amount,
        user_id=terms.user_id,
        periods=budgets.count(terms) or None,
    )
    return True


def _statements() -> ModuleType:
    return _STATEMENTS[connection.vendor]


def _require_transaction(verb: str) -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"ledger.{verb}: call it inside the transaction of what it pays for")


def _require_booked(outcome: Outcome, reference: uuid.UUID) -> None:
    if outcome is Outcome.NO_HOLD:
        raise NoHold(f"reference: {reference}; no hold has it")
    if outcome is Outcome.ENDED:
        raise AlreadyEnded(f"reference: {reference}; its hold ended before")


@contextmanager
def _once(reference: uuid.UUID) -> Iterator[None]:
    """Say what a violated unique constraint means: the same was booked before."""
    try:
        yield
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
        raise AlreadyBooked(f"reference: {reference}; booked before") from error


def _is_duplicate(error: IntegrityError) -> bool:
    unique_violation = "23505"
    cause = error.__cause__
    return (
        getattr(cause, "sqlstate", None) == unique_violation
        or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_UNIQUE
    )


def _credit(team_id: int, amount: int) -> None:
    Balance.objects.get_or_create(team_id=team_id)
    Balance.objects.filter(team_id=team_id).update(posted=F("posted") + amount)


def _debit(team_id: int, amount: int) -> bool:
    row = Balance.objects.filter(team_id=team_id, posted__gte=F("held") + amount)
    return bool(row.update(posted=F("posted") - amount))


def _write(team_id: int, kind: Kind, reference: uuid.UUID, posted: int, note: str, user_id: int | None) -> None:
    Entry.objects.create(team_id=team_id, kind=kind, reference=reference, posted=posted, note=note, user_id=user_id)
