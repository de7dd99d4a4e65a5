"""`python -m benchmarks.inside.gallery SMALL LARGE`: fill the database and time the gallery at both sizes."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import teams
from accounts.models import Team, User
from generations import queries
from generations.models import Generation, Output
from generations.models.generation import Status
from generations.selection import Selection

REPEATS = 151
START = datetime(2026, 1, 1, tzinfo=UTC)
COMMON, BETWEEN, RARE = "seashore", "bamboo", "lighthouse"

SERIES = {
    "postgresql": "SELECT n FROM generate_series(%(low)s::bigint, %(high)s::bigint - 1) AS series (n)",
    "sqlite": (
        "WITH RECURSIVE series (n) AS (SELECT %(low)s UNION ALL SELECT n + 1 FROM series WHERE n < %(high)s - 1)"
        " SELECT n FROM series"
    ),
}
ROW_ID = {
    "postgresql": "md5('row' || n)::uuid",
    "sqlite": "printf('%%016x%%016x', n * 2654435761 %% 4294967296, n)",
}
CREATED = {
    "postgresql": "timestamptz '2026-01-01 00:00:00+00' + n * interval '10 seconds'",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%S', '2026-01-01', '+' || (n * 10) || ' seconds')",
}
PROMPT = (
    "'a perfume bottle number ' || n || CASE n %% 8 WHEN 3 THEN ' on a " + COMMON + "' ELSE ' on marble' END"
    " || CASE WHEN n %% 200 = 19 OR (n < 1000 AND n %% 16 = 7) THEN ' with " + BETWEEN + "' ELSE '' END"
    " || CASE WHEN n < 1000 AND n %% 16 = 5 THEN ' near a " + RARE + "' ELSE '' END"
)
JSON = {
    "postgresql": f"jsonb_build_object('prompt', {PROMPT}, 'samples', 1, 'seed', n, 'base64', false)",
    "sqlite": f"json_object('prompt', {PROMPT}, 'samples', 1, 'seed', n, 'base64', json('false'))",
}
MODEL = "CASE n %% 4 WHEN 0 THEN 'inpaint-auto' ELSE 'bg-replace' END"


def main(small: int, large: int) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    user, _ = teams.find_or_create_user("bench@example.com")
    team = teams.create_team("Bench", user)
    found = {}
    for low, high in ((0, small), (small, large)):
        fill(team, low, high)
        found[high] = timings(team, user, high)
    json.dump(found, sys.stdout)


# --- rows ---------------------------------------------------------------------------------------------------


def fill(team: Team, low: int, high: int) -> None:
    """Insert generations number `low` to `high`, each with one picture, ten seconds apart."""
    vendor = connection.vendor
    generation = {
        "id": ROW_ID[vendor],
        "team_id": str(team.pk),
        "door": "'segmind'",
        "model": MODEL,
        "params": JSON[vendor],
        "status": f"'{Status.SUCCEEDED}'",
        "seed": "n",
        "estimate": "100",
        "quote": "300",
        "cost": "100",
        "created_at": CREATED[vendor],
        "finished_at": CREATED[vendor],
    }
    output = {
        "id": ROW_ID[vendor],
        "generation_id": ROW_ID[vendor],
        "number": "0",
        "file": "'outputs/' || n || '.png'",
        "thumbnail": "'outputs/' || n || '.webp'",
        "content_type": "'image/png'",
        "width": "1024",
        "height": "1024",
        "size": "900000",
        "seed": "n",
    }
    with connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")  # the rows fit each other by construction
            cursor.execute(f"ALTER TABLE {Generation._meta.db_table} ENABLE ALWAYS TRIGGER generations_prompt_inserted")
        _insert(cursor, Generation, generation, low, high)
        _insert(cursor, Output, output, low, high)
        cursor.execute("ANALYZE")


def _insert(cursor: Any, model: type[Model], columns: dict[str, str], low: int, high: int) -> None:
    """Insert by one statement; fields that `columns` leaves out get their default."""
    rest = {field.column: field for field in model._meta.concrete_fields if field.column not in columns}
    given = {f"default_{name}": field.get_db_prep_save(field.get_default(), connection) for name, field in rest.items()}
    values = [*columns.values(), *(f"%({name})s" for name in given)]
    names = ", ".join(f'"{name}"' for name in (*columns, *rest))
    series = SERIES[connection.vendor]
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(values)} FROM ({series}) AS rows",
        {**given, "low": low, "high": high},
    )


# --- times --------------------------------------------------------------------------------------------------


def timings(team: Team, user: User, rows: int) -> dict[str, dict[str, float]]:
    """Return per kind the least milliseconds, the queries, and how many of them count."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    deep, half = (f"{(START + timedelta(seconds=10 * row)).isoformat()}_{'f' * 32}" for row in (rows // 10, rows // 2))

    def page() -> None:
        answer = client.get("/gallery")
        assert answer.status_code == 200, answer.status_code

    works: dict[str, Callable[[], object]] = {
        "first": lambda: _full(queries.gallery(Selection(team_id=team.pk))),
        "deep": lambda: _full(queries.gallery(Selection(team_id=team.pk), cursor=deep)),
        "model": lambda: _full(queries.gallery(Selection(team_id=team.pk, model="inpaint-auto"))),
        "search": lambda: _full(queries.gallery(Selection(team_id=team.pk), search=COMMON)),
        "deep search": lambda: _full(queries.gallery(Selection(team_id=team.pk), search=COMMON, cursor=half)),
        "between": lambda: _full(queries.gallery(Selection(team_id=team.pk), search=BETWEEN)),
        "rare": lambda: _full(queries.gallery(Selection(team_id=team.pk), search=RARE)),
        "page": page,
    }
    return {kind: _timed(work) for kind, work in works.items()}


def _full(page: queries.Page[Generation]) -> None:
    assert len(page.rows) == queries.PAGE, len(page.rows)


def _timed(work: Callable[[], object]) -> dict[str, float]:
    with CaptureQueriesContext(connection) as captured:
        work()
    made = [query["sql"].lower() for query in captured]
    spent = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - began))
        if sum(spent) > 10_000:
            break
    return {"ms": min(spent), "queries": len(made), "counts": sum("count(" in query for query in made)}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
