"""Holds that count in budgets on PostgreSQL, and their ends, for statements that do more with them.

Both take the balance row before the periods, as accounts.budgets does: in two orders they would wait for each other.
"""

from accounts.budgets import start_of, today
from accounts.credits import LIMIT
from accounts.models import Span
from accounts.statements import postgresql
from accounts.statements.postgresql import Value
from accounts.statements.terms import Hold

_APPLYING = f"""
applying AS (
    SELECT id, CASE WHEN is_hard THEN amount ELSE {LIMIT} END AS most,
        CASE span WHEN 'day' THEN %(day)s::date WHEN 'week' THEN %(week)s::date ELSE %(month)s::date END AS start
    FROM accounts_budget
    WHERE team_id = %(team_id)s::bigint AND (
        kind = 'team'
        OR kind = 'member' AND subject = %(user_id)s::bigint::text
        OR kind = 'model' AND subject = %(model)s::text
        OR kind = 'key' AND subject IN (
            %(key_id)s::bigint::text,
            (SELECT parent_id::text FROM accounts_apikey WHERE id = %(key_id)s::bigint)
        )
    )
)
"""  # noqa: S608 (a number of ours)

_COUNTED = """
counted AS (
    INSERT INTO accounts_budgetperiod AS period (budget_id, start, opening, counted)
    SELECT id, start, 0, %(amount)s::bigint FROM applying, moved ORDER BY id
    ON CONFLICT (budget_id, start) DO UPDATE SET counted = period.counted + EXCLUDED.counted
    WHERE period.counted + EXCLUDED.counted <= (SELECT most FROM applying WHERE applying.id = period.budget_id)
    RETURNING id
)
"""

_FITS = "AND NOT EXISTS (SELECT 1 FROM applying WHERE most < %(amount)s::bigint) {condition}"

HELD = ", ".join(
    (
        _APPLYING,
        postgresql.MOVED.format(condition=_FITS),
        _COUNTED,
        postgresql.WRITTEN.format(column=", periods", value=", (SELECT jsonb_agg(id) FROM counted)"),
    )
)
"""As postgresql.HELD, but it has to be undone where `counted` has fewer rows than `applying`: then a budget is full."""

_GIVEN_BACK = """
given_back AS (
    UPDATE accounts_budgetperiod AS period SET counted = period.counted - (opened.amount - %(cost)s::bigint)
    FROM opened, moved
    WHERE period.id IN (SELECT value::bigint FROM jsonb_array_elements_text(opened.periods))
)
"""

SETTLED = f"{postgresql.SETTLED.format(on_conflict='', returning='RETURNING balance.team_id')}, {_GIVEN_BACK}"
"""As postgresql.SETTLED, where `opened` has the hold's periods too."""


def hold_values(terms: Hold) -> dict[str, Value]:
    """Return what HELD names."""
    day = today()
    starts = {str(span): start_of(span, day) for span in Span}
    return {**postgresql.hold_values(terms), "key_id": terms.key_id, **starts}
