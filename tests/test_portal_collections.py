"""/api/collections: whose they are, and what is in them."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Team, User
from generations import removal
from generations.models import Collection, CollectionItem, Generation
from tests.pages import MakeRun
from tests.portal import Api, ask, key_of, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def private(api: Api) -> str:
    """Return the address of a private collection of the member's."""
    answer = api("POST", "/api/collections", {"name": "Drafts"})
    assert answer.status_code == 201
    assert answer["location"] == answer.json()["url"]
    return f"/api/collections/{answer.json()['id']}"


@pytest.fixture
def shared(api: Api) -> str:
    """Return the address of a collection of the member's that the team sees."""
    made = api("POST", "/api/collections", {"name": "Autumn", "visibility": "team"}).json()
    return f"/api/collections/{made['id']}"


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


def test_a_private_one_is_its_owners_alone(api: Api, admins: Api, others: Api, private: str, shared: str) -> None:
    assert names(api("GET", "/api/collections")) == ["Autumn", "Drafts"]
    assert names(admins("GET", "/api/collections")) == ["Autumn"]
    assert names(others("GET", "/api/collections")) == []
    assert api("GET", private).json()["visibility"] == "private"
    for method, more in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/items"), ("POST", "/items")):
        problem(admins(method, private + more, {"name": "Mine"}), 404, "not_found")
        problem(others(method, shared + more, {"name": "Mine"}), 404, "not_found")
    problem(admins("GET", f"/api/generations?collection={private.rpartition('/')[2]}"), 404, "not_found")


def test_of_a_shared_one_everybody_adds_and_admins_arrange(
    api: Api, admins: Api, client: Client, owner: User, team: Team, shared: str, make_run: MakeRun
) -> None:
    run = make_run()
    assert admins("POST", f"{shared}/items", {"generations": [str(run.id)]}).json() == {"added": 1}
    assert admins("PATCH", shared, {"name": "Winter"}).json()["name"] == "Winter"
    assert "Only its owner" in problem(admins("PATCH", shared, {"visibility": "private"}), 403, "forbidden")
    theirs = ask(client, key_of(owner, team), "POST", "/api/collections", {"name": "Owner's", "visibility": "team"})
    path = f"/api/collections/{theirs.json()['id']}"
    assert api("POST", f"{path}/items", {"generations": [str(run.id)]}).json() == {"added": 1}
    for method in ("PATCH", "DELETE"):
        problem(api(method, path, {"name": "Mine"}), 403, "forbidden")
    assert admins("DELETE", path).status_code == 204
    assert Generation.objects.filter(id=run.id).exists()


def test_its_owner_changes_who_sees_it(api: Api, admins: Api, private: str) -> None:
    assert api("PATCH", private, {"visibility": "team"}).json()["visibility"] == "team"
    assert names(admins("GET", "/api/collections")) == ["Drafts"]
    assert api("PATCH", private, {"visibility": "private", "name": " Best "}).json()["name"] == "Best"
    problem(admins("GET", private), 404, "not_found")


def test_what_nobody_owns_any_more(api: Api, admins: Api, private: str, shared: str, member: User) -> None:
    Collection.objects.update(owner=None)
    assert names(admins("GET", "/api/collections")) == ["Autumn"]
    assert admins("GET", shared).json()["owner"] is None
    problem(api("GET", private), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["name", "missing"]),
        ({"name": ""}, ["name", "1 to 80"]),
        ({"name": " "}, ["name", "1 to 80"]),
        ({"name": "x" * 81}, ["name", "1 to 80"]),
        ({"name": "a\0b"}, ["name", "1 to 80"]),
        ({"name": 7}, ["name", "7", "str"]),
        ({"name": "a", "visibility": "public"}, ["visibility", '"public"']),
        ({"name": "a", "owner": 1}, ["owner", "unknown"]),
    ],
)
def test_a_wrong_one_is_not_made(api: Api, body: Any, named: list[str]) -> None:
    detail = problem(api("POST", "/api/collections", body), 422, "invalid_input")
    for part in named:
        assert part in detail
    assert not Collection.objects.exists()


def test_many_go_in_and_out_at_once(api: Api, shared: str, make_run: MakeRun) -> None:
    runs = [str(make_run().id) for _ in range(3)]
    assert api("POST", f"{shared}/items", {"generations": [*runs[:2], runs[0]]}).json() == {"added": 2}
    assert api("POST", f"{shared}/items", {"generations": runs}).json() == {"added": 1}
    assert api("GET", shared).json()["items"] == 3
    assert api("POST", f"{shared}/items/remove", {"generations": [runs[0], str(uuid.uuid4())]}).json() == {"removed": 1}
    assert {row["generation"]["id"] for row in api("GET", f"{shared}/items").json()["results"]} == set(runs[1:])


def test_only_what_the_team_has_goes_in(api: Api, shared: str, make_run: MakeRun, outsider: User) -> None:
    mine, removed = make_run(), make_run()
    removal.remove(removed.id)
    theirs = make_run()
    Generation.objects.filter(id=theirs.id).update(team=outsider.memberships.get().team)
    for other in (removed.id, theirs.id, uuid.uuid4()):
        answer = api("POST", f"{shared}/items", {"generations": [str(mine.id), str(other)]})
        assert str(other) in problem(answer, 422, "invalid_input")
    assert not CollectionItem.objects.exists()


@pytest.mark.parametrize(
    "ids",
    [[], ["x"], "x", [7], [str(uuid.UUID(int=number)) for number in range(501)]],
    ids=["0", "x", "text", "7", "501"],
)
def test_a_wrong_list_is_named(api: Api, shared: str, ids: Any) -> None:
    for path in (f"{shared}/items", f"{shared}/items/remove"):
        assert "generations" in problem(api("POST", path, {"generations": ids}), 422, "invalid_input")


def test_what_was_added_last_comes_first_in_pages(api: Api, shared: str, make_run: MakeRun) -> None:
    runs = [str(make_run().id) for _ in range(5)]
    for run in runs:
        api("POST", f"{shared}/items", {"generations": [run]})
    found, path = [], f"{shared}/items?limit=2"
    while path:
        page = api("GET", path).json()
        found += [row["generation"]["id"] for row in page["results"]]
        path = page["next"]
    assert found == runs[::-1]


def test_what_is_removed_is_not_in_it_until_it_is_restored(api: Api, shared: str, make_run: MakeRun) -> None:
    run = make_run()
    api("POST", f"{shared}/items", {"generations": [str(run.id)]})
    for is_there in (False, True):
        (removal.restore if is_there else removal.remove)(run.id)
        assert len(api("GET", f"{shared}/items").json()["results"]) == api("GET", shared).json()["items"] == is_there


@pytest.mark.parametrize("path", ["/api/collections", "items"])
def test_the_number_of_queries_does_not_grow(api: Api, shared: str, make_run: MakeRun, path: str) -> None:
    path = f"{shared}/items" if path == "items" else path

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api("GET", path).status_code == 200
        return len(captured)

    api("POST", f"{shared}/items", {"generations": [str(make_run().id)]})
    few = count()
    api("POST", f"{shared}/items", {"generations": [str(make_run(samples=2).id) for _ in range(10)]})
    for number in range(10):
        api("POST", "/api/collections", {"name": f"C{number}"})
    assert count() == few <= 3
