"""The gallery narrowed down: by each filter, by several, with words, and what the page says of it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Team, User
from generations import collections, queries
from generations.models import Collection, Generation
from generations.selection import Selection
from tests.pages import HTMX, MakeRun

NOW = timezone.now()


@pytest.fixture
def signed_in(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def shown(client: Client, **query: Any) -> list[str]:
    answer = client.get("/gallery", query)
    assert answer.status_code == 200
    return [tile.alt for tile in answer.context["tiles"]]


def put(run: Generation, owner: User, visibility: str = "team") -> Collection:
    made = Collection.objects.create(team=run.team, owner=owner, name="Autumn", visibility=visibility)
    collections.add(made, [run.id])
    return made


def test_each_filter_and_several(signed_in: Client, make_run: MakeRun, admin: User, member: User) -> None:
    mine = make_run("mine", favourite_at=NOW)
    make_run("theirs", user=admin, engine="classical", age=60)
    collection = put(mine, member)
    assert shown(signed_in, person=admin.pk) == ["theirs"]
    assert shown(signed_in, person=member.pk) == ["mine"]
    assert shown(signed_in, engine="classical") == ["theirs"]
    assert shown(signed_in, favourite="1") == ["mine"]
    assert shown(signed_in, collection=collection.id) == ["mine"]
    assert shown(signed_in, person=admin.pk, favourite="1") == []
    assert shown(signed_in, q="mine", favourite="1", collection=collection.id) == ["mine"]
    assert shown(signed_in, q="theirs", favourite="1") == []


def test_both_days_are_among_those_shown(signed_in: Client, make_run: MakeRun) -> None:
    for name, at in (
        ("before", datetime(2026, 5, 1, 23, 59, 59, 999999, tzinfo=UTC)),
        ("first", datetime(2026, 5, 2, tzinfo=UTC)),
        ("last", datetime(2026, 5, 3, 23, 59, 59, 999999, tzinfo=UTC)),
        ("after", datetime(2026, 5, 4, tzinfo=UTC)),
    ):
        Generation.objects.filter(id=make_run(name).id).update(created_at=at)
    assert shown(signed_in, start="2026-05-02", end="2026-05-03") == ["last", "first"]
    assert shown(signed_in, start="2026-05-04") == ["after"]
    assert shown(signed_in, end="2026-05-01") == ["before"]
    assert len(shown(signed_in, start="0001-01-01", end="9999-12-31")) == 4


@pytest.mark.parametrize(
    "query",
    [
        {"person": "x"},
        {"person": "9" * 40},
        {"person": "²"},
        {"engine": "no-such"},
        {"favourite": "maybe"},
        {"start": "2026-02-30"},
        {"end": "yesterday"},
        {"model": "\x00"},
    ],
    ids=lambda query: "-".join(query),
)
def test_what_cannot_be_read_narrows_nothing(signed_in: Client, make_run: MakeRun, query: dict[str, str]) -> None:
    make_run("only")
    assert shown(signed_in, **query) == ["only"]


def test_nobody_looks_into_a_collection_that_is_not_theirs(
    signed_in: Client, make_run: MakeRun, admin: User, outsider: User
) -> None:
    run = make_run()
    private = put(run, admin, "private")
    other = Collection.objects.create(
        team=outsider.memberships.get().team, owner=outsider, name="Other", visibility="team"
    )
    output = run.outputs.get()
    for wanted in (str(private.id), str(other.id), str(uuid.uuid4()), "x"):
        assert signed_in.get("/gallery", {"collection": wanted}).status_code == 404
        assert signed_in.get("/gallery", {"collection": wanted}, headers=HTMX).status_code == 404
        assert signed_in.get(f"/gallery/{output.id}", {"collection": wanted}).status_code == 404


def test_chips_take_one_filter_away_each(signed_in: Client, make_run: MakeRun, member: User) -> None:
    make_run("a quay", favourite_at=NOW)
    answer = signed_in.get("/gallery", {"q": "quay", "favourite": "1", "person": str(member.pk), "start": "2020-01-01"})
    chips = {chip.value: chip.without for chip in answer.context["chips"]}
    assert list(chips) == ["“quay”", member.email, "Favourites", "2020-01-01"]
    assert chips["Favourites"] == f"/gallery?q=quay&person={member.pk}&start=2020-01-01"
    assert "Clear all" in answer.content.decode()


def test_what_is_empty_says_what_to_do(signed_in: Client, client: Client, make_run: MakeRun, viewer: User) -> None:
    run = make_run("a quay")
    collection = Collection.objects.create(team=run.team, owner=viewer, name="Empty", visibility="team")

    def said(**query: Any) -> str:
        return client.get("/gallery", query).content.decode()

    assert "No picture matches" in said(q="zebra")
    assert "Clear filters" in said(q="zebra")
    assert "Press the star on a picture" in said(favourite="1")
    assert "Add to collection" in said(collection=collection.id)
    client.force_login(viewer)
    assert "Press the star on a picture" not in said(favourite="1")


def test_the_filters_go_along(signed_in: Client, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(queries.gallery.__kwdefaults__ or {}, "limit", 1)
    new, old = (make_run(name, favourite_at=NOW, age=age) for name, age in (("new", 0), ("old", 60)))
    make_run("between", age=30)
    answer = signed_in.get("/gallery", {"favourite": "1"})
    assert answer.context["next"].startswith("/gallery?favourite=1&before=")
    beyond = signed_in.get(answer.context["next"], headers=HTMX).context["tiles"]
    assert [tile.alt for tile in beyond] == ["old"]
    page = signed_in.get(f"/gallery/{new.outputs.get().id}?favourite=1").content.decode()
    assert f'rel="next" href="/gallery/{old.outputs.get().id}?favourite=1"' in page


def test_a_rare_filter_among_frequent_words_gives_up_and_goes_on(
    team: Team, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However deep the only one lies, a page asks a bounded number of times, and the next ones find it."""
    monkeypatch.setattr(queries, "WINDOW", 3)
    rare = make_run("a beach", favourite_at=NOW, age=1000)
    for number in range(13):
        make_run("a beach", age=number)
    wanted, cursor, pages = Selection(team_id=team.pk, favourite=True), "", []
    while True:
        with CaptureQueriesContext(connection) as captured:
            page = queries.gallery(wanted, search="beach", cursor=cursor)
        assert len(captured) <= 3 * queries.ROUNDS + 2
        pages.append([row.id for row in page.rows])
        cursor = page.next
        if not cursor:
            break
    assert pages == [[], [rare.id]]
    newest = Generation.objects.order_by("-created_at")[0].outputs.get()
    assert queries.neighbours(newest, wanted, search="sea").older is None


def test_an_empty_page_with_older_ones_says_so(
    signed_in: Client, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "WINDOW", 1)
    make_run("a beach", favourite_at=NOW, age=100)
    for number in range(queries.ROUNDS):
        make_run("a beach", age=number)
    page = signed_in.get("/gallery", {"q": "beach", "favourite": "1"})
    assert "Look further back" in page.content.decode()
    assert [tile.alt for tile in signed_in.get(page.context["next"]).context["tiles"]] == ["a beach"]


@pytest.mark.parametrize("query", ["", "?q=beach", "?favourite=1&q=beach", "?favourite=1"])
def test_the_number_of_queries_does_not_grow(signed_in: Client, make_run: MakeRun, team: Team, query: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert signed_in.get(f"/gallery{query}").status_code == 200
        return len(captured)

    make_run(favourite_at=NOW)
    count()
    few = count()
    for number in range(12):
        user = User.objects.create_user(f"u{number}@example.com")
        Membership.objects.create(user=user, team=team, role="member")
        put(make_run(user=user, samples=2, favourite_at=NOW + timedelta(seconds=number)), user)
    assert count() == few
