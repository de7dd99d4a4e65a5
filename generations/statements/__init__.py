"""The statements of a generation's usual way, one module a database, with the same verbs.

`portable` is Django's ORM and right everywhere; `postgresql` and `sqlite` do the usual case of each verb in as few
statements as they can, and leave the rest to `portable`. They take rows in the order generation, attempt, balance;
on SQLite, where one transaction writes at a time, the order does not matter.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from django.db import connection

from accounts.ledger import Hold, Settle
from generations.engines.base import Limits, Result
from generations.models import Asset, Attempt, Generation, Output
from generations.statements import portable, postgresql, sqlite
from generations.statements.terms import Claimed, Final, Progress


class Statements(Protocol):
    """The verbs."""

    def known_assets(self, team_id: int, digests: Collection[str]) -> dict[str, Asset]:
        """Return those of the team's assets that have one of the SHA-256 `digests`, by digest."""

    def accept(self, generation: Generation, attempt: Attempt, hold: Hold, most: int) -> int | None:
        """Hold the quote, write both rows and return the attempt's id, all at once; None, and none of it, where `most`
        of the team's jobs are active, which is exact: the hold's lock lets one submit of a team through at a time.

        Brings its own transaction. Raises LedgerError and OverBudget as ledger.hold does.
        """

    def claim(self, attempt_id: int, lease: uuid.UUID, now: datetime, until: datetime) -> Claimed | None:
        """Give a queued attempt, or one handed on whose lease ran out, a lease `until` then; None where it is neither.

        The generation of a queued one moves to running: both rows or none.
        """

    def deliver(
        self, attempt: Attempt, result: Result, outputs: Sequence[Output], settling: Settle, now: datetime
    ) -> bool:
        """End the attempt and its generation well, write the outputs and settle, all at once; False for a lost race.

        Brings its own transaction. A canceled generation stays so, and takes what a paid call
        brought; from any other the attempt is ended as canceled. Raises LedgerError as ledger.settle does.
        """

    def final(self, generation_id: uuid.UUID) -> Final | None:
        """Return a generation that has ended, with what an answer shows of it; None where it goes on."""

    def complete(self, final: Final) -> Sequence[Attempt]:
        """Load the times and notes of the generation, which `final` may have left out, and return its attempts in
        order, with their engine, state and error."""

    def confirm(self, attempt_id: int, lease: uuid.UUID, since: datetime) -> bool:
        """Return whether an attempt is still ours, about to be submitted, and its generation wanted and not older than
        `since`."""

    def note_submitted(self, attempt_id: int, lease: uuid.UUID, upstream_id: str) -> bool:
        """Write down the upstream's id of an attempt that is ours; False where it is not any more."""

    def note_progress(self, said: Mapping[uuid.UUID, Progress]) -> None:
        """Write down, by their leases, how far attempts are whose generations run. Needs no transaction."""

    def enter(self, alias: str, limits: Limits, now: datetime) -> float | None:
        """Take a place at the gate of an engine that works, and return when it is over at the latest, in seconds since
        1970; None where that has to be looked at more closely, which `generations.gate` does. Needs no transaction."""

    def leave(self, alias: str, place: float, now: datetime) -> bool:
        """Give a place back after a call that went well; False where nothing was written. Needs no transaction."""


_BY_VENDOR: dict[str, Statements] = {"postgresql": postgresql, "sqlite": sqlite}


def current() -> Statements:
    """Return the verbs for the database in use."""
    return _BY_VENDOR.get(connection.vendor, portable)
