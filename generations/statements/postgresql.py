"""The verbs on PostgreSQL, one statement each: what a generation costs is mostly the number of statements.

A statement that changes a generation and its attempt locks the generation first and looks at the attempt after it:
READ COMMITTED evaluates WHERE again for a row it had to wait for, so that a lost race changes neither. What is not
the usual case is left to `portable`.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.ledger import Hold, Settle
from accounts.statements import postgresql as ledger_sql
from accounts.statements import postgresql_budgets as budget_sql
from config import prepared
from generations.engines.base import Limits, Result
from generations.models import Asset, Attempt, Generation, Output
from generations.statements import portable, rows
from generations.statements.terms import Claimed, Final, Progress

# What the doors read of these rows; the rest, timestamps above all, costs more to load than to find.
_ASSET = ("id", "team_id", "sha256", "file", "width", "height")
_TRIED = ("id", "engine", "state", "error")
_ENDED = ("id", "params", "seed", "route", "status", "fault", "error", "cost", "engine", "seconds")

KNOWN_ASSETS = f"""\
SELECT {rows.columns(Asset, "asset", _ASSET)} FROM generations_asset AS asset
WHERE team_id = %(team_id)s::bigint AND sha256 = ANY(%(digests)s::text[])
"""  # noqa: S608 (column names of our own models)

_FEW_ACTIVE = "AND %(most)s::bigint > generations_active(team_id)"

_WRITE_GENERATION = f"""\
accepted AS (
    INSERT INTO generations_generation ({rows.written(Generation)})
    SELECT {rows.columns(Generation, "generation")}
    FROM moved, jsonb_populate_record(NULL::generations_generation, %(generation)s::jsonb) AS generation
)
"""  # noqa: S608 (column names of our own models)

_WRITE_ATTEMPT = f"""\
INSERT INTO generations_attempt ({rows.written(Attempt)})
SELECT {rows.written(Attempt)} FROM moved, jsonb_populate_record(NULL::generations_attempt, %(attempt)s::jsonb)
RETURNING id
"""  # noqa: S608 (column names of our own models)

ACCEPT = f"""\
WITH {ledger_sql.HELD.format(condition=_FEW_ACTIVE)}, {_WRITE_GENERATION} {_WRITE_ATTEMPT}
"""
"""All or nothing without a transaction around it. Exact: who waited for the balance row counts again, and who did not
wait counted when no other submit of the team was under way."""

ACCEPT_WITHIN = f"""\
WITH {budget_sql.HELD.format(condition=_FEW_ACTIVE)}, {_WRITE_GENERATION}, attempted AS ({_WRITE_ATTEMPT})
SELECT (SELECT id FROM attempted), (SELECT count(*) FROM counted) = (SELECT count(*) FROM applying)
"""  # noqa: S608 (put together here)
"""The same within budgets. Needs a transaction, which is undone where not every budget has counted the hold."""

CLAIM = f"""\
WITH active AS (
    SELECT id FROM generations_generation
    WHERE id = (SELECT generation_id FROM generations_attempt WHERE id = %(id)s::bigint)
    AND status IN ('queued', 'running')
    FOR NO KEY UPDATE
), taken AS (
    UPDATE generations_attempt AS attempt
    SET state = 'submitting', started_at = %(now)s::timestamptz,
        lease = %(lease)s::uuid, lease_until = %(until)s::timestamptz
    FROM active
    WHERE attempt.id = %(id)s::bigint AND attempt.generation_id = active.id AND attempt.state = 'queued'
    AND (attempt.not_before IS NULL OR attempt.not_before <= %(now)s::timestamptz)
    RETURNING attempt.*
), moved AS (
    UPDATE generations_generation AS generation
    SET status = 'running', started_at = coalesce(generation.started_at, %(now)s::timestamptz)
    FROM taken WHERE generation.id = taken.generation_id
    RETURNING generation.*
)
SELECT {rows.columns(Attempt, "taken")}, {rows.columns(Generation, "moved")}, (
    SELECT jsonb_object_agg(asset.id, asset.file)
    FROM jsonb_each_text(moved.inputs) AS input JOIN generations_asset AS asset ON asset.id = input.value::uuid
)
FROM taken, moved
"""  # noqa: S608 (column names of our own models)

_DELIVER = f"""\
WITH running AS (
    SELECT id FROM generations_generation
    WHERE id = %(reference)s::uuid AND status = 'running'
    AND (
        SELECT bool_and(kind = 'hold' AND held >= %(cost)s::bigint AND {{counted}}) FROM accounts_entry
        WHERE reference = %(reference)s::uuid
    )
    FOR NO KEY UPDATE
), done AS (
    UPDATE generations_attempt AS attempt
    SET state = 'done', ended_at = %(now)s::timestamptz, lease = NULL,
        seconds = %(seconds)s::float8, cost = %(spent)s::bigint
    FROM running
    WHERE attempt.id = %(attempt_id)s::bigint AND attempt.lease = %(lease)s::uuid
    AND attempt.state IN ('queued', 'submitting', 'submitted')
    RETURNING attempt.generation_id
), opened AS (
    SELECT entry.team_id, entry.held AS amount, entry.periods
    FROM done JOIN accounts_entry AS entry ON entry.reference = done.generation_id AND entry.kind = 'hold'
), {{settled}}, succeeded AS (
    UPDATE generations_generation AS generation
    SET status = 'succeeded', finished_at = %(now)s::timestamptz, progress = 1, stage = '', error = '', fault = '',
        cost = %(cost)s::bigint, engine = %(engine)s::text, seconds = %(seconds)s::float8, notes = %(notes)s::jsonb
    FROM done WHERE generation.id = done.generation_id
), delivered AS (
    INSERT INTO generations_output ({rows.written(Output)})
    SELECT {rows.columns(Output, "output")}
    FROM done, jsonb_populate_recordset(NULL::generations_output, %(outputs)s::jsonb) AS output
)
SELECT EXISTS (SELECT 1 FROM done)
"""  # noqa: S608 (column names of our own models)
DELIVER = _DELIVER.format(counted="periods IS NULL", settled=ledger_sql.SETTLED.format(on_conflict="", returning=""))
"""Needs no transaction around it: where the hold has ended, is too small or counted in a budget nothing is done, and
one that ends at the same moment violates one_end_per_hold."""

DELIVER_WITHIN = _DELIVER.format(counted="periods IS NOT NULL", settled=budget_sql.SETTLED)
"""The same of a hold that counted in budgets."""

CONFIRM = """\
SELECT EXISTS (
    SELECT 1 FROM generations_attempt AS attempt
    JOIN generations_generation AS generation ON generation.id = attempt.generation_id
    WHERE attempt.id = %(id)s::bigint AND attempt.lease = %(lease)s::uuid AND attempt.state = 'submitting'
    AND generation.status = 'running' AND generation.created_at > %(since)s::timestamptz
)
"""

NOTE_SUBMITTED = """\
UPDATE generations_attempt
SET state = 'submitted', upstream_id = %(upstream_id)s::text
WHERE id = %(id)s::bigint AND lease = %(lease)s::uuid AND state IN ('submitting', 'submitted')
RETURNING 1
"""

NOTE_PROGRESS = """\
UPDATE generations_generation AS generation
SET progress = said.share, stage = said.stage
FROM unnest(%(leases)s::uuid[], %(attempts)s::bigint[], %(shares)s::float8[], %(stages)s::text[])
    AS said (lease, attempt_id, share, stage)
JOIN generations_attempt AS attempt ON attempt.id = said.attempt_id AND attempt.lease = said.lease
WHERE generation.id = attempt.generation_id AND generation.status = 'running'
RETURNING 1
"""

_PLACES = "SELECT taken FROM jsonb_array_elements(submits) AS taken WHERE taken::float8 > %(seconds)s::float8"

ENTER = f"""\
UPDATE generations_gate
SET submits = (SELECT coalesce(jsonb_agg(taken), '[]') FROM ({_PLACES}) AS places) || to_jsonb(%(place)s::float8)
WHERE engine = %(engine)s::text AND NOT drained AND open_until IS NULL
AND (paused_until IS NULL OR paused_until <= %(now)s::timestamptz)
AND (SELECT count(*) FROM ({_PLACES}) AS places) < %(submits)s::int
AND %(jobs)s::bigint > (
    SELECT count(*) FROM generations_attempt WHERE engine = %(engine)s::text AND state = 'submitted'
)
RETURNING 1
"""  # noqa: S608 (put together here)

LEAVE = """\
UPDATE generations_gate
SET submits = coalesce((
        SELECT jsonb_agg(taken) FROM jsonb_array_elements(submits) AS taken
        WHERE taken::float8 <> %(place)s::float8
    ), '[]'),
    answer = 'accepted', answered_at = %(now)s::timestamptz, failures = 0, open_until = NULL, alert = ''
WHERE engine = %(engine)s::text
RETURNING 1
"""

FINAL = f"""\
SELECT
    {rows.columns(Generation, "generation", _ENDED)},
    coalesce(balance.posted - balance.held, 0),
    {rows.columns(Output, "output")}
FROM generations_generation AS generation
LEFT JOIN accounts_balance AS balance ON balance.team_id = generation.team_id
LEFT JOIN generations_output AS output ON output.generation_id = generation.id
WHERE generation.id = %(id)s::uuid AND generation.status IN ('succeeded', 'failed', 'canceled')
ORDER BY output.number
"""  # noqa: S608 (column names of our own models)

COMPLETE = f"""\
SELECT generation.started_at, generation.finished_at, generation.notes, {rows.columns(Attempt, "attempt", _TRIED)}
FROM generations_generation AS generation
JOIN generations_attempt AS attempt ON attempt.generation_id = generation.id
WHERE generation.id = %(id)s::uuid
ORDER BY attempt.number
"""  # noqa: S608 (column names of our own models)


def known_assets(team_id: int, digests: Collection[str]) -> dict[str, Asset]:
    found = _fetch(KNOWN_ASSETS, {"team_id": team_id, "digests": list(digests)})
    assets = [rows.load(Asset, row, _ASSET) for row in found]
    return {asset.sha256: asset for asset in assets}


def accept(generation: Generation, attempt: Attempt, hold: Hold, most: int) -> int | None:
    terms = {
        **(budget_sql.hold_values(hold) if hold.has_budgets else ledger_sql.hold_values(hold)),
        "generation": rows.to_json(rows.dump(generation)),
        "attempt": rows.to_json(rows.dump(attempt)),
        "most": most,
    }
    if hold.has_budgets:
        attempt_id = _accept_within(terms)
    else:
        found = _fetch(ACCEPT, terms)
        attempt_id = int(found[0][0]) if found else None
    return portable.accept(generation, attempt, hold, most) if attempt_id is None else attempt_id


def _accept_within(terms: dict[str, Any]) -> int | None:
    """Accept where every budget has room; None, and nothing kept, where one has not or is being removed."""
    try:
        with transaction.atomic():
            ((attempt_id, is_within),) = _fetch(ACCEPT_WITHIN, terms)
            if not is_within:
                transaction.set_rollback(True)
    except IntegrityError:
        return None
    return int(attempt_id) if attempt_id and is_within else None


def claim(attempt_id: int, lease: uuid.UUID, now: datetime, until: datetime) -> Claimed | None:
    found = _fetch(CLAIM, {"id": attempt_id, "lease": lease, "now": now, "until": until})
    if not found:
        return portable.claim(attempt_id, lease, now, until)
    (row,) = found
    width = len(Attempt._meta.concrete_fields)
    attempt = rows.load(Attempt, row[:width])
    attempt.generation = rows.load(Generation, row[width:-1])
    return Claimed(attempt, json.loads(row[-1] or "{}"))


def deliver(attempt: Attempt, result: Result, outputs: Sequence[Output], settling: Settle, now: datetime) -> bool:
    terms = {
        **ledger_sql.values(settling),
        "attempt_id": attempt.id,
        "lease": attempt.lease,
        "now": now,
        "seconds": result.seconds,
        "spent": result.house_cost,
        "engine": attempt.engine,
        "notes": json.dumps(list(result.notes)),
        "outputs": rows.to_json([rows.dump(output) for output in outputs]),
    }
    is_done = _fetch(DELIVER, terms) == [(True,)] or _fetch(DELIVER_WITHIN, terms) == [(True,)]
    return is_done or portable.deliver(attempt, result, outputs, settling, now)


def confirm(attempt_id: int, lease: uuid.UUID, since: datetime) -> bool:
    ((is_wanted,),) = _fetch(CONFIRM, {"id": attempt_id, "lease": lease, "since": since})
    return bool(is_wanted)


def note_submitted(attempt_id: int, lease: uuid.UUID, upstream_id: str) -> bool:
    return bool(_fetch(NOTE_SUBMITTED, {"id": attempt_id, "lease": lease, "upstream_id": upstream_id}))


def note_progress(said: Mapping[uuid.UUID, Progress]) -> None:
    terms = {
        "leases": list(said),
        "attempts": [each.attempt_id for each in said.values()],
        "shares": [each.share for each in said.values()],
        "stages": [each.stage for each in said.values()],
    }
    _fetch(NOTE_PROGRESS, terms)


def enter(alias: str, limits: Limits, now: datetime) -> float | None:
    if limits.per_second:
        return None
    seconds = now.timestamp()
    place = seconds + limits.longest
    terms = {
        "engine": alias,
        "now": now,
        "seconds": seconds,
        "place": place,
        "submits": limits.submits,
        # With room for the calls under way: their attempts become submitted while this statement looks.
        "jobs": limits.jobs - limits.submits,
    }
    return place if _fetch(ENTER, terms) else None


def leave(alias: str, place: float, now: datetime) -> bool:
    return bool(_fetch(LEAVE, {"engine": alias, "place": place, "now": now}))


def final(generation_id: uuid.UUID) -> Final | None:
    found = _fetch(FINAL, {"id": generation_id})
    if not found:
        return None
    width = len(_ENDED)
    outputs = [rows.load(Output, row[width + 1 :]) for row in found if row[width + 1] is not None]
    return Final(rows.load(Generation, found[0][:width], _ENDED), outputs, found[0][width])


def complete(final: Final) -> Sequence[Attempt]:
    found = _fetch(COMPLETE, {"id": final.generation.id})
    for started_at, finished_at, notes, *_ in found[:1]:
        final.generation.started_at, final.generation.finished_at = started_at, finished_at
        final.generation.notes = json.loads(notes)
    return [rows.load(Attempt, row[3:], _TRIED) for row in found]


def _fetch(statement: str, terms: dict[str, Any]) -> list[tuple[Any, ...]]:
    with prepared.cursor() as cursor:
        cursor.execute(statement, terms)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
