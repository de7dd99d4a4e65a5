"""Hold, settle and release on PostgreSQL: one statement each.

Everything in one statement keeps the balance row, on which a busy team's transactions queue, locked for the
shortest time. A statement that waited for that row sees its newest amounts: READ COMMITTED evaluates WHERE and SET
again. An end writes its entry first: of two at one moment the later waits at the unique constraint one_end_per_hold,
finds the hold ended, and moves nothing.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import date

from accounts.statements.terms import End, Hold, Outcome, Settle
from config import prepared

Value = uuid.UUID | str | int | date | None

MOVED = """
moved AS (
    UPDATE accounts_balance SET held = held + %(amount)s::bigint
    WHERE team_id = %(team_id)s::bigint AND posted - held >= %(amount)s::bigint {condition}
    RETURNING team_id
)
"""
WRITTEN = """
written AS (
    INSERT INTO accounts_entry (team_id, kind, reference, model, posted, held, user_id, note{column})
    SELECT team_id, 'hold', %(reference)s::uuid, %(model)s::text, 0, %(amount)s::bigint, %(user_id)s::bigint, ''{value}
    FROM moved
)
"""
HELD = f"{MOVED}, {WRITTEN.format(column='', value='')}"
"""A hold, for a statement that has more to do where `moved` has a row, or a further condition for it."""

HOLD = f"""
WITH {HELD.format(condition="")}
SELECT EXISTS (SELECT 1 FROM moved)
"""  # noqa: S608 (put together here)

SETTLED = """
written AS (
    INSERT INTO accounts_entry (team_id, kind, reference, model, posted, held, user_id, note)
    SELECT team_id, 'settle', %(reference)s::uuid, %(model)s::text, -%(cost)s::bigint, -amount, %(user_id)s::bigint, ''
    FROM opened WHERE amount >= %(cost)s::bigint
    {on_conflict} RETURNING team_id, posted, held
), moved AS (
    UPDATE accounts_balance AS balance
    SET posted = balance.posted + written.posted, held = balance.held + written.held
    FROM written WHERE balance.team_id = written.team_id {returning}
), used AS (
    INSERT INTO accounts_usageday AS usage (team_id, day, model, member, key, runs, cost)
    SELECT team_id, %(day)s::date, %(model)s::text, %(member)s::bigint, %(key)s::bigint, 1, %(cost)s::bigint
    FROM written
    ON CONFLICT (team_id, day, model, member, key)
    DO UPDATE SET runs = usage.runs + 1, cost = usage.cost + EXCLUDED.cost
)
"""
"""The end of what `opened` (team_id, amount) lists, for a statement that says what that is."""

SETTLE = f"""
WITH opened AS (
    SELECT team_id, held AS amount, periods
    FROM accounts_entry WHERE reference = %(reference)s::uuid AND kind = 'hold'
), {SETTLED.format(on_conflict="ON CONFLICT DO NOTHING", returning="")}
SELECT amount >= %(cost)s::bigint, EXISTS (SELECT 1 FROM written), amount, periods FROM opened
"""  # noqa: S608 (put together here)

RELEASE = """
WITH opened AS (
    SELECT team_id, model, user_id, held AS amount, periods
    FROM accounts_entry WHERE reference = %(reference)s::uuid AND kind = 'hold'
), written AS (
    INSERT INTO accounts_entry (team_id, kind, reference, model, posted, held, user_id, note)
    SELECT team_id, 'release', %(reference)s::uuid, model, 0, -amount, user_id, '' FROM opened
    ON CONFLICT DO NOTHING RETURNING team_id, held
), moved AS (
    UPDATE accounts_balance AS balance SET held = balance.held + written.held
    FROM written WHERE balance.team_id = written.team_id
)
SELECT true, EXISTS (SELECT 1 FROM written), amount, periods FROM opened
"""


def hold(terms: Hold) -> bool:
    """Set the amount aside; False where the team has too little available."""
    with prepared.cursor() as cursor:
        cursor.execute(HOLD, hold_values(terms))
        return bool(cursor.fetchone()[0])


def hold_values(terms: Hold) -> dict[str, Value]:
    """Return what HELD names."""
    return {
        "team_id": terms.team_id,
        "amount": terms.amount,
        "reference": terms.reference,
        "model": terms.model,
        "user_id": terms.user_id,
    }


def settle(terms: Settle) -> End:
    """Move the balance, write the entry and count the usage."""
    return _end(SETTLE, values(terms))


def values(terms: Settle) -> dict[str, Value]:
    """Return what SETTLED names."""
    usage = terms.usage
    return {
        "reference": terms.reference,
        "cost": terms.cost,
        "model": usage.model,
        "user_id": usage.user_id,
        "member": usage.user_id or 0,
        "key": usage.key_id or 0,
        "day": usage.day,
    }


def release(reference: uuid.UUID) -> End:
    """Give all of the hold back."""
    return _end(RELEASE, {"reference": reference})


def _end(statement: str, parameters: Mapping[str, Value]) -> End:
    with prepared.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    if row is None:
        return End(Outcome.NO_HOLD)
    is_within, is_written, amount, periods = row
    if is_written:
        return End(Outcome.BOOKED, amount, tuple(json.loads(periods)) if periods else ())
    return End(Outcome.ENDED if is_within else Outcome.ABOVE_HOLD)
