"""/api/usage and /api/ledger: what was used and what it cost, as JSON and as CSV."""

import csv
import io
import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import ledger
from accounts.credits import MICRO
from accounts.models import ApiKey, Balance, Entry, Team, UsageDay, User
from generations.api import portal_csv, portal_ledger, portal_usage
from tests.conftest import make_team
from tests.jobs import Submit
from tests.portal import Api, ask, key_of, problem, rows_read

pytestmark = pytest.mark.django_db
TODAY = timezone.now().astimezone(UTC).date()


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer["content-type"] == "text/csv; charset=utf-8"
    assert answer["content-disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


# --- usage --------------------------------------------------------------------------------------------------


@pytest.fixture
def used(team: Team, member: User, admin: User, outsider: User) -> int:
    """Write the usage of three days by two people, and of another team; return a key's id."""
    key = ApiKey.objects.create(membership=member.memberships.get(), team=team, name="=1+1", prefix="ss_x", digest="")
    for ago, model, user, of_key, runs in (
        (0, "bg-replace", member, key.pk, 3),
        (0, "bg-replace", admin, 0, 2),
        (0, "sdxl-inpaint", member, 0, 1),
        (29, "bg-replace", member, 999_999, 4),
        (30, "bg-replace", member, 0, 100),
    ):
        UsageDay.objects.create(
            team=team,
            day=TODAY - timedelta(days=ago),
            model=model,
            member=user.pk,
            key=of_key,
            runs=runs,
            cost=runs * 1_800,
        )
    theirs = outsider.memberships.get().team
    UsageDay.objects.create(team=theirs, day=TODAY, model="bg-replace", member=outsider.pk, runs=9, cost=9)
    return key.pk


def test_usage_is_of_the_last_thirty_days_by_day_and_model(api: Api, used: int) -> None:
    body = api("GET", "/api/usage").json()
    assert (body["time_zone"], body["to"], body["from"]) == ("UTC", str(TODAY), str(TODAY - timedelta(days=29)))
    assert body["group_by"] == ["day", "model"]
    assert body["results"] == [
        {"day": body["from"], "model": "bg-replace", "runs": 4, "cost": 0.0072},
        {"day": body["to"], "model": "bg-replace", "runs": 5, "cost": 0.009},
        {"day": body["to"], "model": "sdxl-inpaint", "runs": 1, "cost": 0.0018},
    ]
    assert body["total"] == {"runs": 10, "cost": 0.018}


def test_usage_by_member_and_key_names_those_that_are_there(api: Api, used: int, member: User, admin: User) -> None:
    body = api("GET", "/api/usage?group_by=member,key").json()
    mine, theirs = {"id": member.pk, "name": str(member)}, {"id": admin.pk, "name": str(admin)}
    found = [(row["member"], row["key"], row["runs"]) for row in body["results"]]
    assert sorted(found, key=lambda row: row[2]) == [
        (mine, None, 1),
        (theirs, None, 2),
        (mine, {"id": used, "name": "=1+1", "prefix": "ss_x"}, 3),
        (mine, {"id": 999_999, "name": None, "prefix": None}, 4),
    ]
    assert api("GET", "/api/usage?group_by=").json()["results"] == [{"runs": 10, "cost": 0.018}]


def test_days_are_included_from_the_first_to_the_last(api: Api, used: int) -> None:
    first = TODAY - timedelta(days=30)
    assert api("GET", f"/api/usage?from={first}&to={first}").json()["total"]["runs"] == 100
    assert api("GET", f"/api/usage?from={first}").json()["total"]["runs"] == 110
    assert api("GET", "/api/usage?to=2000-01-01").json()["results"] == []
    assert "366" in problem(api("GET", "/api/usage?from=2020-01-01&to=2021-01-02"), 400)
    assert "from" in problem(api("GET", "/api/usage?from=2020-01-02&to=2020-01-01"), 400)


def test_too_much_usage_is_refused(api: Api, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_usage, "MOST", 2)
    assert "over 2 rows" in problem(api("GET", "/api/usage"), 400)


def test_usage_as_csv_is_no_formula(api: Api, used: int, member: User) -> None:
    User.objects.filter(pk=member.pk).update(name='@SUM(1)"')
    rows = table(api("GET", "/api/usage?group_by=day,member,key&format=csv"))
    row = next(each for each in rows if each["key_id"] == str(used))
    assert row == {
        "day_utc": str(TODAY),
        "member_id": str(member.pk),
        "member": "'@SUM(1)\"",
        "key_id": str(used),
        "key": "'=1+1",
        "runs": "3",
        "cost_credits": "0.0054",
    }


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("text/csv; q=0.9, */*", True),
        ("application/json, text/csv", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_accept_asks_for_csv_too(api: Api, used: int, accept: str, is_csv: bool) -> None:
    assert api("GET", "/api/usage", accept=accept)["content-type"].startswith("text/csv") is is_csv
    assert api("GET", "/api/usage?format=json", accept="text/csv")["content-type"] == "application/json"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_is_a_formula(start: str) -> None:
    answer: Any = portal_csv.answer("x", ["a", "b"], [[f"{start}1", -1]])
    (row,) = list(csv.reader(io.StringIO(answer.getvalue().decode(), newline="")))[1:]
    assert row == [f"'{start}1", "-1"]


def test_usage_costs_the_same_queries_however_much(api: Api, used: int, team: Team) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api("GET", "/api/usage?group_by=day,model,member,key").status_code == 200
        return len(captured)

    count()
    few = count()
    for number in range(30):
        user = User.objects.create_user(f"u{number}@example.com")
        UsageDay.objects.create(team=team, day=TODAY, model="bg-replace", member=user.pk, key=number + 1, runs=1)
    assert count() == few <= 3


# --- ledger -------------------------------------------------------------------------------------------------


def walk(api: Api, path: str, step: str = "next") -> list[Any]:
    found: list[Any] = []
    while path:
        assert len(found) < 1000, "round and round"
        page = api("GET", path).json()
        found = found + page["results"] if step == "next" else page["results"] + found
        path = page[step]
    return found


def check(entries: list[Any], last: float | None = None) -> None:
    """Each balance is the one before it and the entry's own amounts."""
    for newer, older in itertools.pairwise(entries):
        assert newer["balance"]["posted"] == pytest.approx(older["balance"]["posted"] + newer["posted"])
        assert newer["balance"]["held"] == pytest.approx(older["balance"]["held"] + newer["held"])
    if last is not None:
        assert entries[0]["balance"]["available"] == pytest.approx(last)


@pytest.fixture
def booked(submit: Submit, unpublished: list[int], team: Team) -> int:
    """Book 25 credits, three holds and five corrections; return how many entries there are."""
    for _ in range(3):
        submit()
    for number in range(5):
        ledger.adjust(team.pk, (-1) ** number * (number + 1), reference=uuid.uuid4(), note=f"=n{number}")
    return Entry.objects.filter(team=team).count()


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_statement_shows_the_balance_after_each_entry(api: Api, booked: int, team: Team, limit: int) -> None:
    entries = walk(api, f"/api/ledger?limit={limit}")
    assert len(entries) == booked == 9
    check(entries, ledger.balance(team.pk).available / MICRO)
    assert entries[-1]["kind"] == "grant"
    assert entries[-1]["balance"] == {"available": 25.0, "posted": 25.0, "held": 0.0}


def test_the_statement_pages_back_with_the_same_balances(api: Api, booked: int) -> None:
    entries = walk(api, "/api/ledger")
    page = api("GET", "/api/ledger?limit=2").json()
    while page["next"]:
        page = api("GET", page["next"]).json()
    back = walk(api, page["previous"], "previous")
    assert back + page["results"] == entries


def test_what_is_booked_meanwhile_moves_no_balance_of_a_later_page(api: Api, booked: int, team: Team) -> None:
    entries = walk(api, "/api/ledger")
    first = api("GET", "/api/ledger?limit=4").json()
    ledger.grant(team.pk, 5 * MICRO, reference=uuid.uuid4())
    assert first["results"] + walk(api, first["next"]) == entries


def test_the_statement_up_to_a_day_closes_with_that_days_balance(client: Client, member: User) -> None:
    team = make_team("Old", member)
    last = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    Entry.objects.create(team=team, kind="grant", posted=3 * MICRO, created_at=last)
    Balance.objects.create(team=team, posted=3 * MICRO)
    for _ in range(4):
        ledger.grant(team.pk, MICRO, reference=uuid.uuid4())
    raw = key_of(member, team)

    def old(method: str, path: str) -> Any:
        return ask(client, raw, method, path)

    (entry,) = walk(old, "/api/ledger?to=2026-01-31")
    assert entry["balance"] == {"available": 3.0, "posted": 3.0, "held": 0.0}
    assert walk(old, "/api/ledger?from=2026-01-31&to=2026-01-31&limit=1") == [entry]
    assert walk(old, "/api/ledger?to=2026-01-30") == []
    newer = walk(old, "/api/ledger?from=2026-02-01&limit=3")
    check(newer, 7.0)
    assert [*newer, entry] == walk(old, "/api/ledger?limit=2")


def test_a_kind_alone_has_no_balances(api: Api, booked: int) -> None:
    entries = walk(api, "/api/ledger?kind=hold&limit=2")
    assert [(entry["kind"], entry["balance"]) for entry in entries] == [("hold", None)] * 3
    assert entries[0]["member"]["name"] == "member@example.com"
    assert entries[0]["model"] == "bg-replace"
    cursor = api("GET", "/api/ledger?kind=hold&limit=2").json()["next"].partition("cursor=")[2]
    assert "another kind" in problem(api("GET", f"/api/ledger?cursor={cursor}"), 400)
    assert "grant, purchase" in problem(api("GET", "/api/ledger?kind=gift"), 400)


def test_the_statement_as_csv_is_all_of_it(api: Api, booked: int, monkeypatch: pytest.MonkeyPatch, team: Team) -> None:
    monkeypatch.setattr(portal_ledger, "CHUNK", 2)
    rows, entries = table(api("GET", "/api/ledger?format=csv&limit=1")), walk(api, "/api/ledger")
    assert [row["created_at_utc"] for row in rows] == [entry["created_at"] for entry in entries]
    for row, entry in zip(rows, entries, strict=True):
        assert float(row["balance_available_credits"]) == pytest.approx(entry["balance"]["available"])
        assert float(row["posted_credits"]) == pytest.approx(entry["posted"])
    assert rows[0]["note"] == "'=n4"
    assert {row["balance_posted_credits"] for row in table(api("GET", "/api/ledger?kind=grant&format=csv"))} == {""}


def test_another_team_sees_its_own_books(others: Api, booked: int) -> None:
    assert len(walk(others, "/api/ledger")) == 1


def test_the_statement_costs_the_same_queries_however_long(api: Api, booked: int, team: Team) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api("GET", "/api/ledger?limit=100").status_code == 200
        return len(captured)

    count()
    few = count()
    for number in range(30):
        user = User.objects.create_user(f"u{number}@example.com")
        ledger.grant(team.pk, 1, reference=uuid.uuid4(), user_id=user.pk)
    assert count() == few <= 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL")
@pytest.mark.parametrize("query", ["", "?kind=grant"])
def test_the_statement_of_a_busy_team_costs_its_page(api: Api, team: Team, query: str) -> None:
    """Of 20,000 holds and three old grants."""
    old = datetime(2020, 1, 1, tzinfo=UTC)
    grants = [Entry(team=team, kind="grant", posted=1, created_at=old) for _ in range(3)]
    Entry.objects.bulk_create(grants + [Entry(team=team, kind="hold", held=1) for _ in range(20_000)], batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_entry")
    with CaptureQueriesContext(connection) as captured:
        assert len(api("GET", f"/api/ledger{query}").json()["results"]) >= 3
    statement = next(each["sql"] for each in captured if "LIMIT 51" in each["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement)
        ((found,),) = cursor.fetchall()
    plan = found[0]["Plan"]
    assert rows_read(plan) <= 60, plan
    assert "entry_of_rare_kind" in json.dumps(plan) or "kind" not in query


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "path", ["/api/ledger?to=", "/api/ledger?from=", "/api/ledger?format=csv&to=", "/api/usage?to="]
)
def test_a_day_that_has_none_around_it_is_refused(api: Api, path: str, day: str) -> None:
    assert "a date from 2000 on" in problem(api("GET", path + day), 400, "malformed_request")


def test_the_last_day_that_is_allowed_has_one_after_it(api: Api, used: int) -> None:
    for path in ("/api/ledger?to=9000-12-31&from=2000-01-01", "/api/usage?to=9000-12-31"):
        assert api("GET", path).status_code == 200
