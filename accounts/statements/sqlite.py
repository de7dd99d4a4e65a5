"""Hold, settle and release on SQLite, which cannot write in a CTE: a few statements each.

They are as one because the transaction around them is IMMEDIATE (settings): it has the writer's lock from its
first statement, so that nothing they read can change under them.
"""

import json
import uuid
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from accounts.statements.terms import End, Hold, Outcome, Settle

MOVE_TO_HELD = """
UPDATE accounts_balance SET held = held + %(amount)s
WHERE team_id = %(team_id)s AND posted - held >= %(amount)s
"""

WRITE_ENTRY = """
INSERT INTO accounts_entry (team_id, kind, reference, model, posted, held, user_id, note)
VALUES (%(team_id)s, %(kind)s, %(reference)s, %(model)s, %(posted)s, %(held)s, %(user_id)s, '')
"""

READ_HOLD = """
SELECT team_id, model, user_id, held, periods, EXISTS (
    SELECT 1 FROM accounts_entry AS ends
    WHERE ends.reference = %(reference)s AND ends.kind IN ('settle', 'release')
)
FROM accounts_entry WHERE reference = %(reference)s AND kind = 'hold'
"""

END_HOLD = """
UPDATE accounts_balance SET posted = posted - %(cost)s, held = held - %(amount)s
WHERE team_id = %(team_id)s
"""

COUNT_USAGE = """
INSERT INTO accounts_usageday (team_id, day, model, member, key, runs, cost)
VALUES (%(team_id)s, %(day)s, %(model)s, %(member)s, %(key)s, 1, %(cost)s)
ON CONFLICT (team_id, day, model, member, key)
DO UPDATE SET runs = runs + 1, cost = cost + excluded.cost
"""


def hold(terms: Hold) -> bool:
    """Set the amount aside; False where the team has too little available."""
    with connection.cursor() as cursor:
        cursor.execute(MOVE_TO_HELD, {"amount": terms.amount, "team_id": terms.team_id})
        if not cursor.rowcount:
            return False
        _write(cursor, terms.team_id, "hold", terms.reference, terms.model, 0, terms.amount, terms.user_id)
    return True


def settle(terms: Settle) -> End:
    """Move the balance, write the entry and count the usage."""
    usage, cost = terms.usage, terms.cost
    with connection.cursor() as cursor:
        row = _read(cursor, terms.reference)
        if row is None:
            return End(Outcome.NO_HOLD)
        team_id, _, _, amount, periods, ended = row
        if cost > amount:
            return End(Outcome.ABOVE_HOLD)
        if ended:
            return End(Outcome.ENDED)
        cursor.execute(END_HOLD, {"cost": cost, "amount": amount, "team_id": team_id})
        _write(cursor, team_id, "settle", terms.reference, usage.model, -cost, -amount, usage.user_id)
        cursor.execute(
            COUNT_USAGE,
            {
                "team_id": team_id,
                "day": usage.day.isoformat(),
                "model": usage.model,
                "member": usage.user_id or 0,
                "key": usage.key_id or 0,
                "cost": cost,
            },
        )
    return _booked(amount, periods)


def release(reference: uuid.UUID) -> End:
    """Give all of the hold back."""
    with connection.cursor() as cursor:
        row = _read(cursor, reference)
        if row is None:
            return End(Outcome.NO_HOLD)
        team_id, model, user_id, amount, periods, ended = row
        if ended:
            return End(Outcome.ENDED)
        cursor.execute(END_HOLD, {"cost": 0, "amount": amount, "team_id": team_id})
        _write(cursor, team_id, "release", reference, model, 0, -amount, user_id)
    return _booked(amount, periods)


def _booked(amount: int, periods: str | None) -> End:
    return End(Outcome.BOOKED, amount, tuple(json.loads(periods)) if periods else ())


def _read(cursor: CursorWrapper, reference: uuid.UUID) -> tuple[Any, ...] | None:
    cursor.execute(READ_HOLD, {"reference": reference.hex})
    row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _write(
    cursor: CursorWrapper,
    team_id: int,
    kind: str,
    reference: uuid.UUID,
    model: str,
    posted: int,
    held: int,
    user_id: int | None,
) -> None:
    cursor.execute(
        WRITE_ENTRY,
        {
            "team_id": team_id,
            "kind": kind,
            "reference": reference.hex,
            "model": model,
            "posted": posted,
            "held": held,
            "user_id": user_id,
        },
    )
