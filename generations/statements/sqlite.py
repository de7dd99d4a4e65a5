"""The verbs on SQLite, in as few statements as it takes: writing them by hand costs a fraction of having the ORM do
it, and the shorter a transaction is, the sooner the next one may write.

A statement changes one table here. Those of a verb are as one because their transaction has the writer's turn from
its first statement (settings: IMMEDIATE). What is not the usual case is left to `portable`.
"""

import json
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import DateTimeField, Field, ForeignKey, JSONField, Model, UUIDField

from accounts import ledger
from accounts.ledger import Hold, Settle
from generations.engines.base import Result
from generations.models import Asset, Attempt, Generation, Output
from generations.statements import portable, rows
from generations.statements.terms import Claimed, Final

Row = TypeVar("Row", bound=Model)

KNOWN_ASSETS = f"""\
SELECT {rows.columns(Asset, "asset")} FROM generations_asset AS asset
WHERE team_id = %(team_id)s AND sha256 IN (SELECT value FROM json_each(%(digests)s))
"""  # noqa: S608 (column names of our own models)

ACCEPT = f"""\
INSERT INTO generations_generation ({rows.written(Generation)})
SELECT {rows.named(Generation)}
WHERE %(most)s > (
    SELECT count(*) FROM generations_generation WHERE team_id = %(team_id)s AND status IN ('queued', 'running')
)
"""  # noqa: S608 (column names of our own models)

WRITE_ATTEMPT = f"""\
INSERT INTO generations_attempt ({rows.written(Attempt)}) VALUES ({rows.named(Attempt)})
"""  # noqa: S608 (column names of our own models)

CLAIM = f"""\
UPDATE generations_attempt AS attempt
SET state = 'submitting', started_at = %(now)s, lease = %(lease)s, lease_until = %(until)s
WHERE id = %(id)s AND state = 'queued' AND (not_before IS NULL OR not_before <= %(now)s) AND EXISTS (
    SELECT 1 FROM generations_generation AS generation
    WHERE generation.id = attempt.generation_id AND generation.status IN ('queued', 'running')
)
RETURNING {rows.columns(Attempt, "generations_attempt")}
"""  # noqa: S608 (column names of our own models)

RUN = f"""\
UPDATE generations_generation SET status = 'running', started_at = coalesce(started_at, %(now)s)
WHERE id = %(id)s
RETURNING {rows.columns(Generation, "generations_generation")}
"""  # noqa: S608 (column names of our own models)

FILES = """\
SELECT id, file FROM generations_asset WHERE id IN (SELECT replace(value, '-', '') FROM json_each(%(inputs)s))
"""

END = """\
UPDATE generations_attempt AS attempt
SET state = 'done', ended_at = %(now)s, lease = NULL, seconds = %(seconds)s, cost = %(spent)s
WHERE id = %(attempt_id)s AND lease = %(lease)s AND state IN ('queued', 'submitting', 'submitted') AND EXISTS (
    SELECT 1 FROM generations_generation AS generation
    WHERE generation.id = attempt.generation_id AND generation.status = 'running'
)
"""

SUCCEED = """\
UPDATE generations_generation
SET status = 'succeeded', finished_at = %(now)s, progress = 1.0, stage = '', error = '', fault = '',
    cost = %(cost)s, engine = %(engine)s, seconds = %(seconds)s, notes = %(notes)s
WHERE id = %(id)s
"""

WRITE_OUTPUT = f"""\
INSERT INTO generations_output ({rows.written(Output)}) VALUES ({rows.named(Output)})
"""  # noqa: S608 (column names of our own models)

FINAL = f"""\
SELECT
    {rows.columns(Generation, "generation")},
    coalesce(balance.posted - balance.held, 0),
    {rows.columns(Output, "output")}
FROM generations_generation AS generation
LEFT JOIN accounts_balance AS balance ON balance.team_id = generation.team_id
LEFT JOIN generations_output AS output ON output.generation_id = generation.id
WHERE generation.id = %(id)s AND generation.status IN ('succeeded', 'failed', 'canceled')
ORDER BY output.number
"""  # noqa: S608 (column names of our own models)


def known_assets(team_id: int, digests: Collection[str]) -> dict[str, Asset]:
    found = _fetch(KNOWN_ASSETS, team_id=team_id, digests=list(digests))
    assets = [_load(Asset, row) for row in found]
    return {asset.sha256: asset for asset in assets}


@transaction.atomic
def accept(generation: Generation, attempt: Attempt, hold: Hold, most: int) -> int | None:
    ledger.hold(
        hold.team_id,
        hold.amount,
        reference=hold.reference,
        model=hold.model,
        user_id=hold.user_id,
        key_id=hold.key_id,
        has_budgets=hold.has_budgets,
    )
    if not _change(ACCEPT, **rows.dump(generation), most=most):
        transaction.set_rollback(True)
        return None
    with connection.cursor() as cursor:
        cursor.execute(WRITE_ATTEMPT, _adapted(rows.dump(attempt)))
        attempt_id: int = cursor.lastrowid
    return attempt_id


def claim(attempt_id: int, lease: uuid.UUID, now: datetime, until: datetime) -> Claimed | None:
    with transaction.atomic():
        taken = _fetch(CLAIM, id=attempt_id, lease=lease, now=now, until=until)
        moved = [_fetch(RUN, id=_load(Attempt, row).generation_id, now=now)[0] for row in taken]
    if not taken:
        return portable.claim(attempt_id, lease, now, until)
    attempt = _load(Attempt, taken[0])
    attempt.generation = _load(Generation, moved[0])
    files = _fetch(FILES, inputs=list(attempt.generation.inputs.values()))
    return Claimed(attempt, {str(uuid.UUID(asset_id)): file for asset_id, file in files})


@transaction.atomic
def deliver(attempt: Attempt, result: Result, outputs: Sequence[Output], settling: Settle, now: datetime) -> bool:
    is_done = _change(
        END, attempt_id=attempt.id, lease=attempt.lease, now=now, seconds=result.seconds, spent=result.house_cost
    )
    if not is_done:
        return portable.deliver(attempt, result, outputs, settling, now)
    _change(
        SUCCEED,
        id=attempt.generation_id,
        now=now,
        cost=settling.cost,
        engine=attempt.engine,
        seconds=result.seconds,
        notes=list(result.notes),
    )
    for output in outputs:
        _change(WRITE_OUTPUT, **rows.dump(output))
    ledger.settle(settling.reference, settling.cost, usage=settling.usage)
    return True


confirm, enter, leave = portable.confirm, portable.enter, portable.leave
complete = portable.complete
note_submitted, note_progress = portable.note_submitted, portable.note_progress


def final(generation_id: uuid.UUID) -> Final | None:
    found = _fetch(FINAL, id=generation_id)
    if not found:
        return None
    width = len(Generation._meta.concrete_fields)
    outputs = [_load(Output, row[width + 1 :]) for row in found if row[width + 1] is not None]
    return Final(_load(Generation, found[0][:width]), outputs, found[0][width])


# --- values -------------------------------------------------------------------------------------------------


def _fetch(statement: str, **terms: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, _adapted(terms))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _change(statement: str, **terms: Any) -> int:
    """Return how many rows a statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _adapted(terms))
        changed: int = cursor.rowcount
    return changed


def _adapted(terms: dict[str, Any]) -> dict[str, Any]:
    """Return values as Django keeps them on SQLite."""
    return {name: _ADAPTERS.get(type(value), _same)(value) for name, value in terms.items()}


def _load(model: type[Row], values: Sequence[Any]) -> Row:
    """Return the row that `rows.columns` selected."""
    names, loaders = _shape(model)
    loaded = [value if value is None or not load else load(value) for value, load in zip(values, loaders, strict=True)]
    return model.from_db(connection.alias, names, loaded)


@cache
def _shape(model: type[Model]) -> tuple[list[str], list[Callable[[Any], Any] | None]]:
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], [_loader(field) for field in fields]


def _loader(field: "Field[Any, Any]") -> Callable[[Any], Any] | None:
    """Return what makes a column's value of what SQLite gives; numbers, texts and truths it gives as they are."""
    kind = field.target_field if isinstance(field, ForeignKey) else field
    for declared, load in _LOADERS.items():
        if isinstance(kind, declared):
            return load
    return None


def _same(value: Any) -> Any:
    return value


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _as_text(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


_LOADERS: dict[type["Field[Any, Any]"], Callable[[Any], Any]] = {
    UUIDField: uuid.UUID,
    DateTimeField: _in_utc,
    JSONField: json.loads,
}
_ADAPTERS: dict[type, Callable[[Any], Any]] = {
    uuid.UUID: lambda value: value.hex,
    datetime: _as_text,
    dict: json.dumps,
    list: json.dumps,
}
