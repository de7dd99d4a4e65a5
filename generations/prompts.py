"""Search over prompts: the newest generations of a team whose prompts have every word, in a time that hardly grows.

One statement, three steps, of which a step runs where those before it did not fill the page. The newest rows are
looked at one by one, which does for a frequent word. The index over words gives all rows of a rare one; it knows no
order, so that it is asked for a few thousand rows at most. A word that has more of them is soon found by going on one
by one.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Field

from generations import prompt_index
from generations.models import Prompt

NEAR = 1000
"""Rows that are looked at first; to ask the index costs as much."""

FEW = 3000
"""Rows of the index that are sorted at most."""

GRAM = 3
"""Characters that the index needs of a word."""

LIKE = {
    "postgresql": "text LIKE lower(%(word{})s)",
    "sqlite": "text LIKE %(word{})s ESCAPE '\\'",
}
ROWS = {"postgresql": "generations_prompt", "sqlite": "lacking CROSS JOIN generations_prompt"}
"""Where the index's step looks; SQLite has to begin with what is lacking, or it would go through rows for nothing."""

ROWS_BY_GRAM = f"""lacking CROSS JOIN (
        SELECT rowid AS number FROM {prompt_index.TABLE} WHERE {prompt_index.TABLE} MATCH %(grams)s
    ) AS indexed CROSS JOIN generations_prompt ON generations_prompt.id = indexed.number"""  # noqa: S608

MATERIALIZED = {"postgresql": "MATERIALIZED", "sqlite": ""}
"""PostgreSQL must not know that only the newest are wanted of the index's rows: it would look for them row by row."""

Place = tuple[datetime, uuid.UUID]
"""Where a generation stands: when it was created, and its id."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. words: one to a hundred, each somewhere in the prompt, in any case. model: "" for every one."""

    team_id: int
    words: Sequence[str]
    model: str = ""


def find(query: Query, limit: int, *, beyond: Place | None = None, oldest_first: bool = False) -> list[uuid.UUID]:
    """Return the ids of the first `limit` generations in an order, by (created_at, id), that lie beyond a place."""
    order = "ASC" if oldest_first else "DESC"
    grams = _grams(query.words) if connection.vendor == "sqlite" else ""
    values: dict[str, Any] = {"team_id": query.team_id, "model": query.model, "limit": limit, "grams": grams}
    values |= {f"word{number}": f"%{_literal(word)}%" for number, word in enumerate(query.words)}
    if beyond:
        values |= {"created_at": _value("created_at", beyond[0]), "id": _value("generation", beyond[1])}
    with connection.cursor() as cursor:
        cursor.execute(_statement(query, order, has_place=bool(beyond), has_grams=bool(grams)), values)
        return [row[0] if isinstance(row[0], uuid.UUID) else uuid.UUID(row[0]) for row in cursor.fetchall()]


def _statement(query: Query, order: str, *, has_place: bool, has_grams: bool) -> str:
    after = "<" if order == "DESC" else ">"
    sorted_ = f"ORDER BY created_at {order}, generation_id {order}"
    narrowed = "team_id = %(team_id)s" + (" AND model = %(model)s" if query.model else "")
    place = f"AND (created_at, generation_id) {after} (%(created_at)s, %(id)s)" if has_place else ""
    has_words = " AND ".join(LIKE[connection.vendor].format(number) for number in range(len(query.words)))
    rows = ROWS_BY_GRAM if has_grams else ROWS[connection.vendor]
    return f"""\
WITH near AS (
    SELECT created_at, generation_id, text FROM generations_prompt WHERE {narrowed} {place} {sorted_} LIMIT {NEAR}
), among_near AS (
    SELECT created_at, generation_id FROM near WHERE {has_words} {sorted_} LIMIT %(limit)s
), lacking AS (
    SELECT created_at AS last_at, generation_id AS last_id FROM near
    WHERE NOT EXISTS (SELECT 1 FROM among_near LIMIT 1 OFFSET %(limit)s - 1)
    {sorted_} LIMIT 1 OFFSET {NEAR} - 1
), few AS {MATERIALIZED[connection.vendor]} (
    SELECT created_at, generation_id FROM {rows} WHERE {narrowed} AND {has_words}
    AND EXISTS (SELECT 1 FROM lacking)
    AND (created_at, generation_id) {after} (SELECT last_at, last_id FROM lacking)
    LIMIT {FEW}
), many AS (
    SELECT last_at, last_id FROM lacking WHERE EXISTS (SELECT 1 FROM few LIMIT 1 OFFSET {FEW} - 1)
), walked AS (
    SELECT created_at, generation_id FROM generations_prompt WHERE {narrowed} AND {has_words}
    AND EXISTS (SELECT 1 FROM many)
    AND (created_at, generation_id) {after} (SELECT last_at, last_id FROM many)
    {sorted_} LIMIT %(limit)s
)
SELECT generation_id FROM (
    SELECT * FROM among_near
    UNION ALL SELECT * FROM few WHERE NOT EXISTS (SELECT 1 FROM many)
    UNION ALL SELECT * FROM walked
) AS found
{sorted_} LIMIT %(limit)s
"""  # noqa: S608 (nothing of a person's)


def _grams(words: Sequence[str]) -> str:
    """Return the words' trigrams as FTS5 asks for them, "" where no word has one."""
    grams = {word[at : at + GRAM] for word in words for at in range(len(word) - GRAM + 1)}
    return " AND ".join('"{}"'.format(gram.replace('"', '""')) for gram in sorted(grams))


def _literal(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, "\\" + special)
    return word


def _value(field: str, value: object) -> Any:
    declared = Prompt._meta.get_field(field)
    assert isinstance(declared, Field)
    return declared.get_db_prep_value(value, connection)
