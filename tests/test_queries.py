"""Pages: complete, disjoint, in order, at a constant number of queries."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Team, User
from generations import queries
from generations.models import Generation, Output
from generations.models.generation import Door, Status
from generations.selection import Selection
from tests.jobs import Submit

pytestmark = pytest.mark.django_db

Make = Callable[..., list[Generation]]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def make(team: Team, owner: User) -> Make:
    """Return a function that writes succeeded generations, one output each, a second apart or all at once."""

    def do(
        count: int, *, apart: float = 1.0, of: Team = team, prompt: str = "a beach", **more: Any
    ) -> list[Generation]:
        rows = [
            Generation(
                team=of,
                user=owner,
                door=Door.WEB,
                **{"model": "bg-replace", "status": Status.SUCCEEDED, **more},
                params={"prompt": prompt},
                seed=number,
                estimate=1,
                quote=2,
                created_at=NOON + timedelta(seconds=number * apart),
            )
            for number in range(count)
        ]
        Generation.objects.bulk_create(rows)
        Output.objects.bulk_create(
            Output(generation=row, number=number, content_type="image/png", width=1, height=1, size=1, seed=1)
            for row in rows
            for number in (1, 0)
        )
        return rows

    return do


def pages(team: Team, limit: int, *, model: str | None = None, search: str = "") -> Iterator[queries.Page[Generation]]:
    page = queries.gallery(Selection(team_id=team.pk, model=model), limit=limit, search=search)
    yield page
    while page.next:
        page = queries.gallery(Selection(team_id=team.pk, model=model), limit=limit, cursor=page.next, search=search)
        yield page


@pytest.mark.parametrize("apart", [1.0, 0.0, 0.000001])
@pytest.mark.parametrize(("count", "limit"), [(0, 3), (3, 3), (7, 3), (6, 1)])
def test_pages_are_complete_and_disjoint_and_newest_first(
    team: Team, make: Make, apart: float, count: int, limit: int
) -> None:
    made = make(count, apart=apart)
    shown = [row for page in pages(team, limit) for row in page.rows]
    assert shown == sorted(made, key=lambda row: (row.created_at, row.id.hex), reverse=True)
    assert len(list(pages(team, limit))) == max(1, -(-count // limit))


def test_what_comes_in_meanwhile_does_not_move_the_next_page(team: Team, make: Make) -> None:
    first = make(4)
    page = queries.gallery(Selection(team_id=team.pk), limit=2)
    Generation.objects.filter(id__in=[row.id for row in make(3)]).update(created_at=NOON + timedelta(days=1))
    Generation.objects.filter(id=page.rows[-1].id).delete()
    assert list(queries.gallery(Selection(team_id=team.pk), limit=2, cursor=page.next).rows) == first[1::-1]


def test_only_the_teams_own_succeeded_runs(team: Team, make: Make, outsider: User) -> None:
    mine = make(1)
    make(2, of=outsider.memberships.get().team)
    for status in set(Status) - {Status.SUCCEEDED}:
        make(1, status=status)
    assert list(queries.gallery(Selection(team_id=team.pk)).rows) == mine


def test_filters_hold_on_every_page(team: Team, make: Make) -> None:
    beach, other = make(5), make(5, prompt='100% "Ünder_score"', model="sdxl-inpaint")
    assert [row for page in pages(team, 2, model="bg-replace") for row in page.rows] == beach[::-1]
    for search in ("100%", "nder_Score", '"'):
        assert [row for page in pages(team, 2, search=search) for row in page.rows] == other[::-1]
    for search in ("100_", "%%", "each_", "prompt"):
        assert not queries.gallery(Selection(team_id=team.pk), search=search).rows


def test_outputs_come_in_order(team: Team, make: Make) -> None:
    make(1)
    assert [output.number for output in queries.gallery(Selection(team_id=team.pk)).rows[0].outputs.all()] == [0, 1]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "_",
        "2026-01-01",
        f"2026-01-01T00:00:00+00:00_{'z' * 32}",
        f"0001-01-01T00:00:00+23:59_{'0' * 32}",
        f"9999-12-31T23:59:59-23:59_{'0' * 32}",
        f"2026-13-01T00:00:00+00:00_{'0' * 32}",
        "\x00_\x00",
        "\ud800",
    ],
)
def test_a_bad_cursor_starts_at_the_newest(team: Team, make: Make, cursor: str) -> None:
    made = make(2)
    assert list(queries.gallery(Selection(team_id=team.pk), cursor=cursor).rows) == made[::-1]


@pytest.mark.filterwarnings("error")
def test_a_cursor_without_a_zone_is_read_as_our_own(team: Team, make: Make) -> None:
    made = make(2)
    page = queries.gallery(Selection(team_id=team.pk), cursor=f"{NOON:%Y-%m-%dT%H:%M:%S.5}_{uuid.uuid4()}")
    assert list(page.rows) == made[:1]


@pytest.mark.parametrize("text", ["\x00", "\ud800", "a\x00b", "\\", "'", "%", "🧴" * 500])
def test_a_search_may_hold_anything(team: Team, make: Make, text: str) -> None:
    make(1)
    assert not queries.gallery(Selection(team_id=team.pk), search=text).rows
    assert not queries.gallery(Selection(team_id=team.pk, model=text)).rows


def test_the_number_of_queries_does_not_grow(team: Team, make: Make) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            for row in queries.gallery(Selection(team_id=team.pk), search="beach").rows:
                assert len(row.outputs.all()) == 2
        return len(captured)

    make(2)
    few = count()
    make(100)
    assert count() == few == 3


def test_a_run_has_everything_at_three_queries(submit: Submit, unpublished: list[int]) -> None:
    generation = submit(model="sdxl-inpaint")
    with CaptureQueriesContext(connection) as captured:
        run = queries.run(generation)
    assert set(run.inputs) == {"image", "mask"}
    assert [attempt.number for attempt in run.attempts] == [1]
    assert list(run.outputs) == []
    assert len(captured) == 3
    assert run.generation.created_at <= timezone.now()
