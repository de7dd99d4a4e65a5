"""The pages of collections: made, changed, filled, emptied and deleted, by whom."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Team, User
from generations import collections
from generations.models import Collection, CollectionItem, Generation
from generations.models.generation import Status
from tests.pages import MakeRun

JSON = {"accept": "application/json"}


@pytest.fixture
def signed_in(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


@pytest.fixture
def autumn(team: Team, member: User) -> Collection:
    return Collection.objects.create(team=team, owner=member, name="Autumn", visibility="team")


def runs_in(collection: Collection) -> set[Any]:
    return set(CollectionItem.objects.filter(collection=collection).values_list("generation_id", flat=True))


def path(collection: Collection, act: str = "") -> str:
    return f"/collections/{collection.id}{act}"


def test_one_is_made_with_runs_in_it(signed_in: Client, make_run: MakeRun, member: User) -> None:
    run = make_run()
    given = {"name": "  Winter ", "visibility": "team", "run": [str(run.id)]}
    answer = signed_in.post("/collections", given, headers=JSON)
    made = Collection.objects.get()
    assert (answer.status_code, answer.json()["added"]) == (201, 1)
    assert (made.name, made.visibility, made.owner) == ("Winter", "team", member)
    assert runs_in(made) == {run.id}
    assert signed_in.get(answer.json()["url"]).context["tiles"][0].run == run.id


@pytest.mark.parametrize(
    "given", [{"name": " "}, {"name": "x" * 81}, {"name": "a\x07b"}, {"name": "a", "visibility": "all"}]
)
def test_what_makes_no_collection_is_said(signed_in: Client, given: dict[str, str]) -> None:
    given = {"visibility": "private", **given}
    answer = signed_in.post("/collections", given, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert signed_in.post("/collections", given).status_code == 422
    assert not Collection.objects.exists()


def test_none_is_made_of_another_teams_runs(client: Client, make_run: MakeRun, outsider: User) -> None:
    client.force_login(outsider)
    given = {"name": "Mine", "visibility": "team", "run": [str(make_run().id)]}
    assert client.post("/collections", given, headers=JSON).status_code == 404
    assert not Collection.objects.exists()


def test_runs_go_in_and_out(signed_in: Client, autumn: Collection, make_run: MakeRun) -> None:
    runs = [make_run(), make_run()]
    given = {"run": [str(run.id) for run in runs]}
    assert signed_in.post(path(autumn, "/add"), given, headers=JSON).json()["added"] == 2
    assert signed_in.post(path(autumn, "/add"), given, headers=JSON).json()["added"] == 0
    assert signed_in.post(path(autumn, "/remove"), {"run": given["run"][:1]}, headers=JSON).json()["removed"] == 1
    assert runs_in(autumn) == {runs[1].id}


def test_it_is_renamed_and_deleted_and_its_pictures_stay(
    signed_in: Client, autumn: Collection, make_run: MakeRun
) -> None:
    collections.add(autumn, [make_run().id])
    signed_in.post(path(autumn), {"name": "Fall", "visibility": "private"})
    autumn.refresh_from_db()
    assert (autumn.name, autumn.visibility) == ("Fall", "private")
    assert "at most 80 characters" in signed_in.post(path(autumn), {"name": "x" * 81}, follow=True).content.decode()
    signed_in.post(path(autumn, "/delete"))
    assert not Collection.objects.exists()
    assert Generation.objects.filter(removed_at=None).count() == 1


def test_who_may_arrange_what(
    client: Client, autumn: Collection, team: Team, admin: User, owner: User, member: User
) -> None:
    theirs = Collection.objects.create(team=team, owner=owner, name="Owner's", visibility="team")
    hidden = Collection.objects.create(team=team, owner=owner, name="Hidden", visibility="private")
    client.force_login(member)
    assert client.post(path(theirs), {"name": "x"}).status_code == 403
    assert client.post(path(theirs, "/delete")).status_code == 403
    assert client.post(path(hidden), {"name": "x"}).status_code == 404
    assert "Hidden" not in client.get("/collections").content.decode()
    client.force_login(admin)
    assert client.post(path(autumn), {"name": "By an admin"}).status_code == 302
    assert client.post(path(autumn), {"name": "x", "visibility": "private"}).status_code == 403
    autumn.refresh_from_db()
    assert (autumn.name, autumn.visibility) == ("By an admin", "team")


def test_a_viewer_looks_and_changes_nothing(client: Client, autumn: Collection, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get("/collections").content.decode()
    assert "Autumn" in page
    assert "New collection" not in page
    assert f'action="{path(autumn)}' not in page


def test_a_card_has_what_the_gallery_would_show(signed_in: Client, autumn: Collection, make_run: MakeRun) -> None:
    runs = [make_run(samples=2) for _ in range(5)]
    gone, failed = make_run(removed_at=runs[0].created_at), make_run(status=Status.FAILED)
    for number, run in enumerate([*runs, gone, failed]):
        CollectionItem.objects.create(
            collection=autumn, generation=run, added_at=runs[0].created_at.replace(microsecond=number)
        )
    card = signed_in.get("/collections").context["cards"][0]
    assert card.items == 5
    assert card.covers == [run.outputs.get(number=0).id for run in runs[:0:-1]]


def test_pages_of_collections(signed_in: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generations.views.collections.LIMIT", 2)
    for number in range(5):
        Collection.objects.create(team=team, owner=member, name=str(number))
    seen, cursor = [], ""
    while True:
        context = signed_in.get("/collections", {"before": cursor}).context
        seen += [card.collection.name for card in context["cards"]]
        cursor = context["next"]
        if not cursor:
            break
    assert seen == ["4", "3", "2", "1", "0"]


def test_the_number_of_queries_does_not_grow(signed_in: Client, team: Team, owner: User, make_run: MakeRun) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert signed_in.get("/collections").status_code == 200
        return len(captured)

    def fill(number: int) -> None:
        made = Collection.objects.create(team=team, owner=owner, name=str(number), visibility="team")
        collections.add(made, [make_run().id for _ in range(3)])

    fill(0)
    count()
    few = count()
    for number in range(1, 6):
        fill(number)
    assert count() == few
