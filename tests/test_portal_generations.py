"""/api/generations: listed, narrowed, shown, marked, removed and brought back."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey, Membership, Team, User
from generations import execution, removal, selection
from generations.models import Attempt, Collection, CollectionItem, Generation
from generations.models.generation import Door, Status
from generations.selection import Selection
from tests.jobs import Submit
from tests.pages import MakeRun
from tests.portal import Api, ask, key_of, problem, rows_read

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def walk(api: Api, path: str, step: str = "next") -> list[str]:
    """Return the ids of every page, by the links as they are."""
    found: list[str] = []
    while path:
        answer = api("GET", path).json()
        found += [row["id"] for row in answer["results"]]
        path = answer[step]
    return found


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
def test_pages_are_complete_forth_and_back(api: Api, make_run: MakeRun, count: int) -> None:
    made = [str(make_run(age=number).id) for number in range(count)]
    made.sort(key=[str(row.id) for row in Generation.objects.order_by("-created_at", "-id")].index)
    assert walk(api, "/api/generations?limit=3") == made
    page = api("GET", "/api/generations?limit=3").json()
    assert page["previous"] is None
    while page["next"]:
        page = api("GET", page["next"]).json()
        back = api("GET", page["previous"]).json()
        assert back["next"]
        assert not {row["id"] for row in back["results"]} & {row["id"] for row in page["results"]}
    if page["previous"]:
        back_to_the_first = walk(api, page["previous"], "previous") + [row["id"] for row in page["results"]]
        assert sorted(back_to_the_first) == sorted(made)


def test_links_are_absolute_and_keep_the_filters(api: Api, make_run: MakeRun, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://studio.example"
    settings.ALLOWED_HOSTS = ["*"]
    for _ in range(2):
        make_run()
    link = api("GET", "/api/generations?limit=1&model=bg-replace", host="evil.example").json()["next"]
    assert link.startswith("https://studio.example/api/generations?limit=1&model=bg-replace&cursor=")


@pytest.mark.parametrize("cursor", ["x", "WyJ4Il0", "a:b:c", "eyJ4IjoxfQ:1tX:abc", "%00"])
def test_a_bad_cursor_is_refused(api: Api, cursor: str) -> None:
    assert "cursor" in problem(api("GET", f"/api/generations?cursor={cursor}"), 400, "malformed_request")


def test_another_lists_cursor_is_refused(api: Api, member: User) -> None:
    for _ in range(2):
        api("POST", "/api/keys", {"name": "another"})
    link = api("GET", "/api/keys?limit=1").json()["next"]
    cursor = link.partition("cursor=")[2]
    problem(api("GET", f"/api/generations?cursor={cursor}"), 400, "malformed_request")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", ""])
def test_a_bad_limit_is_refused(api: Api, limit: str) -> None:
    assert "from 1 to 100" in problem(api("GET", f"/api/generations?limit={limit}"), 400)


def test_each_filter_finds_what_it_names(api: Api, make_run: MakeRun, admin: User, member: User) -> None:
    key = ApiKey.objects.get()
    others = make_run(model="sdxl-inpaint", status=Status.FAILED, age=1000)
    run = make_run(user=admin, api_key=key, favourite_at=NOW, age=5)
    Generation.objects.filter(id=run.id).update(door=Door.JOBS, engine="classical")
    mine = Collection.objects.create(team_id=run.team_id, owner=member, name="All")
    CollectionItem.objects.create(collection=mine, generation=run, added_at=NOW)
    after = (run.created_at - timedelta(seconds=100)).isoformat().replace("+00:00", "Z")
    found = ["model=bg-replace", "status=succeeded", "door=jobs", f"key={key.pk}", f"member={admin.pk}"]
    found += ["engine=classical", "favourite=true", f"collection={mine.id}", f"created_after={after}"]
    for query in [*found, "&".join(found), "search=beach"]:
        assert ids(api("GET", f"/api/generations?{query}")) == [str(run.id)], query
    for query in ("model=sdxl-inpaint", "status=failed", "favourite=false", f"created_before={after}"):
        assert ids(api("GET", f"/api/generations?{query}")) == [str(others.id)], query
    for query in ("status=queued", "engine=none", "member=1000000", "key=1000000", "search=beach&model=sdxl-inpaint"):
        assert ids(api("GET", f"/api/generations?{query}")) == [], query


@pytest.mark.parametrize(
    "query", ["team__name=x", "user__email=a", "params__prompt=a", "removed_at=1", "team=1", "id="]
)
def test_no_other_column_can_be_asked_for(api: Api, query: str) -> None:
    detail = problem(api("GET", f"/api/generations?{query}"), 400, "malformed_request")
    assert query.partition("=")[0] in detail
    assert "collection, created_after, created_before, cursor, door, engine, favourite" in detail


def test_a_search_pages_as_well(api: Api, make_run: MakeRun) -> None:
    made = [str(make_run("a beach", age=number).id) for number in range(5)]
    make_run("a forest")
    assert walk(api, "/api/generations?search=beach&limit=2") == made
    last = api("GET", api("GET", "/api/generations?search=beach&limit=3").json()["next"]).json()
    assert ids(api("GET", last["previous"])) == made[:3]
    assert "model alone" in problem(api("GET", "/api/generations?search=beach&status=failed"), 400)
    assert "no word" in problem(api("GET", "/api/generations?search=%20"), 400)


def test_nobody_finds_another_teams(others: Api, make_run: MakeRun) -> None:
    run = make_run()
    assert ids(others("GET", "/api/generations")) == ids(others("GET", "/api/generations?search=beach")) == []
    for method, more in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/restore")):
        problem(others(method, f"/api/generations/{run.id}{more}", {"favourite": True}), 404, "not_found")
    removal.remove(run.id)
    for method, more in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/restore")):
        problem(others(method, f"/api/generations/{run.id}{more}", {"favourite": True}), 404, "not_found")


def test_one_shows_everything_that_the_page_shows(api: Api, submit: Submit, unpublished: list[int]) -> None:
    run = submit(samples=2, seed=7)
    execution.run(Attempt.objects.get(generation=run).id)
    body = api("GET", f"/api/generations/{run.id}").json()
    assert (body["id"], body["status"], body["door"], body["model"]) == (str(run.id), "succeeded", "web", "bg-replace")
    assert (body["prompt"], body["parameters"]["samples"], body["seed"]) == ("a beach", 2, 7)
    assert [each["number"] for each in body["outputs"]] == [0, 1]
    assert set(body["inputs"]) == {"image", "ref_image"}
    assert [(each["engine"], each["state"]) for each in body["attempts"]] == [("scripted", "done")]
    assert "cost" not in body["attempts"][0], "what it cost upstream is the operator's alone"
    assert body["member"]["name"] == "member@example.com"
    assert body["cost"] <= body["quote"]
    assert body["may_change"] is True
    picture = api("GET", body["outputs"][1]["url"].replace("http://127.0.0.1:8000", ""))
    assert (picture.status_code, picture["content-type"]) == (200, "image/jpeg")
    assert api("GET", body["inputs"]["image"]["url"].replace("http://127.0.0.1:8000", "")).status_code == 200


def test_links_serve_who_is_signed_in(client: Client, make_run: MakeRun, member: User) -> None:
    run = make_run()
    client.force_login(member)
    body = client.get(f"/api/generations/{run.id}").json()
    links = [body["page"], body["outputs"][0]["url"], body["outputs"][0]["thumbnail"], body["inputs"]["image"]["url"]]
    assert [client.get(link.removeprefix("http://127.0.0.1:8000")).status_code for link in links] == [200] * 4


def test_a_favourite_is_the_teams(api: Api, admins: Api, make_run: MakeRun) -> None:
    run = make_run()
    path = f"/api/generations/{run.id}"
    assert api("PATCH", path, {"favourite": True}).json()["favourite"] is True
    since = Generation.objects.get().favourite_at
    assert admins("PATCH", path, {"favourite": True}).json()["favourite"] is True
    assert Generation.objects.get().favourite_at == since
    assert ids(admins("GET", "/api/generations?favourite=true")) == [str(run.id)]
    assert admins("PATCH", path, {"favourite": False}).json()["favourite"] is False
    assert ids(api("GET", "/api/generations?favourite=true")) == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"favourite": "yes"}, ["favourite", '"yes"', "bool"]),
        ({"favourite": None}, ["favourite", "bool"]),
        ({}, ["favourite", "missing"]),
        ({"favourite": True, "cost": 0}, ["cost", "unknown", "the fields are favourite"]),
        ([], ["object"]),
    ],
)
def test_a_wrong_change_is_named(api: Api, make_run: MakeRun, body: Any, named: list[str]) -> None:
    answer = api("PATCH", f"/api/generations/{make_run().id}", body)
    detail = problem(answer, 422, "invalid_input")
    for part in named:
        assert part in detail
    assert json.loads(answer.content)["errors"][0]["pointer"].startswith("#/" if body != [] else "#")


def test_what_is_no_json_is_no_change(api: Api, client: Client, make_run: MakeRun, key: str, member: User) -> None:
    path = f"/api/generations/{make_run().id}"
    client.force_login(member)
    for data in ("{", '{"favourite": tru}', "\xff"):
        problem(client.patch(path, data.encode("latin-1"), content_type="application/json"), 400, "malformed_request")
    answer = client.patch(path, "favourite=true", content_type="text/plain")
    said = problem(answer, 415, "unsupported_content_type")
    assert said == "Content-Type: text/plain; application/json is allowed"
    answer = client.patch(path, "", content_type="")
    assert problem(answer, 415) == "Content-Type: none; application/json is allowed"


def test_removed_is_gone_until_it_is_restored(api: Api, make_run: MakeRun) -> None:
    run = make_run()
    path = f"/api/generations/{run.id}"
    body = api("DELETE", path).json()
    assert body["restorable_until"] > body["removed_at"]
    assert body["restore_url"].endswith(f"{path}/restore")
    assert ids(api("GET", "/api/generations")) == []
    for method in ("GET", "PATCH", "DELETE"):
        problem(api(method, path, {"favourite": True}), 410, "removed")
    assert api("POST", f"{path}/restore").json()["id"] == str(run.id)
    assert api("POST", f"{path}/restore").status_code == 200, "a second time changes nothing"
    assert ids(api("GET", "/api/generations")) == [str(run.id)]
    api("DELETE", path)
    Generation.objects.update(removed_at=NOW - timedelta(days=1, seconds=1))
    problem(api("POST", f"{path}/restore"), 410, "removed")
    Generation.objects.update(removed_at=NOW - timedelta(days=2))
    removal.purge()
    for method in ("GET", "DELETE"):
        problem(api(method, path), 404, "not_found")
    problem(api("POST", f"{path}/restore"), 404, "not_found")


def test_a_running_one_is_canceled_before_it_is_removed(api: Api, submit: Submit, unpublished: list[int]) -> None:
    run = submit()
    path = f"/api/generations/{run.id}"
    assert "cancel it first" in problem(api("DELETE", path), 409, "still_running")
    assert api("POST", f"{path}/cancel").json()["status"] == "canceled"
    assert api("POST", f"{path}/cancel").json()["status"] == "canceled"
    assert api("DELETE", path).status_code == 200


def test_only_who_made_it_or_an_admin_takes_it_away(
    client: Client, make_run: MakeRun, admin: User, member: User, viewer: User, admins: Api
) -> None:
    theirs, mine = make_run(user=admin), make_run()
    client.force_login(member)
    problem(client.delete(f"/api/generations/{theirs.id}"), 403, "forbidden")
    problem(client.post(f"/api/generations/{theirs.id}/cancel"), 403, "forbidden")
    assert client.delete(f"/api/generations/{mine.id}").status_code == 200
    removal.remove(theirs.id)
    problem(client.post(f"/api/generations/{theirs.id}/restore"), 403, "forbidden")
    client.force_login(viewer)
    problem(client.post(f"/api/generations/{mine.id}/restore"), 403, "forbidden")
    client.logout()
    assert admins("POST", f"/api/generations/{mine.id}/restore").status_code == 200


def test_a_key_that_only_generates_cancels_its_makers_runs_but_removes_none(
    client: Client, make_run: MakeRun, submit: Submit, unpublished: list[int], member: User, team: Team
) -> None:
    run, raw = make_run(), key_of(member, team, "generate")
    path = f"/api/generations/{run.id}"
    problem(ask(client, raw, "DELETE", path), 403, "forbidden")
    assert ask(client, raw, "GET", path).json()["may_change"] is False
    removal.remove(run.id)
    problem(ask(client, raw, "POST", f"{path}/restore"), 403, "forbidden")
    assert Generation.objects.get(id=run.id).removed_at
    canceled = ask(client, raw, "POST", f"/api/generations/{submit().id}/cancel")
    assert canceled.json()["status"] == "canceled"
    managing = key_of(member, team, "manage")
    assert ask(client, managing, "POST", f"{path}/restore").json()["may_change"] is True


def test_what_does_not_exist_is_not_found(api: Api) -> None:
    problem(api("GET", f"/api/generations/{uuid.uuid4()}"), 404, "not_found")
    problem(api("GET", "/api/generations/7"), 404, "not_found")
    assert "collection" in problem(api("GET", f"/api/generations?collection={uuid.uuid4()}"), 404, "not_found")


@pytest.mark.parametrize("query", ["", "?search=beach", "?favourite=false&status=succeeded"])
def test_the_number_of_queries_does_not_grow(api: Api, make_run: MakeRun, query: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api("GET", f"/api/generations{query}").status_code == 200
        return len(captured)

    key = ApiKey.objects.get()
    make_run(api_key=key)
    count()
    few = count()
    for number in range(12):
        user = User.objects.create_user(f"u{number}@example.com")
        Membership.objects.create(user=user, team_id=key.team_id, role="member")
        make_run(user=user, api_key=key, samples=2)
    assert count() == few <= 3


PLANS: list[tuple[dict[str, Any], str]] = [
    ({}, "generation_gallery"),
    ({"model": "sdxl-inpaint"}, "generation_by_model"),
    ({"door": "command"}, "generation_by_door"),
    ({"engine": "rare"}, "generation_by_engine"),
    ({"status": "failed"}, "generation_without"),
    ({"status": "canceled"}, "generation_without"),
    ({"status": "running"}, "generation_active"),
    ({"favourite": True}, "generation_favourite"),
    ({"member": "rare"}, "generation_by_member"),
    ({"key": "rare"}, "generation_by_key"),
    ({"created_before": NOW - timedelta(seconds=90_000)}, "generation_gallery"),
]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL")
def test_each_filter_has_its_index(make_run: MakeRun) -> None:
    """In a team of 20,000 runs a page of the rarest costs the rows that it shows."""
    run = make_run(status=Status.FAILED)
    fill(run)
    ids_of = {
        "member": User.objects.get(email="rare@example.com").pk,
        "key": ApiKey.objects.get(name="rare").pk,
    }
    for wanted, index in PLANS:
        known = {name: ids_of.get(name, value) for name, value in wanted.items()}
        rows = selection.select(Selection(team_id=run.team_id, **known)).order_by("-created_at", "-id")[:51]
        plan = json.loads(rows.explain(format="json", analyze=True))[0]["Plan"]
        assert index in json.dumps(plan), (wanted, plan)
        assert rows_read(plan) <= 60, (wanted, plan)
        assert len(rows) >= 3


def fill(run: Generation) -> None:
    """Write 20,000 runs that are alike, and at their old end three of each rare kind."""
    rare = User.objects.create_user("rare@example.com")
    place = Membership.objects.create(user=rare, team_id=run.team_id, role="member")
    key = ApiKey.objects.create(membership=place, team_id=run.team_id, name="rare", prefix="rare", digest="")
    kinds: list[dict[str, Any]] = [
        {"model": "sdxl-inpaint"},
        {"door": Door.COMMAND},
        {"engine": "rare"},
        {"status": Status.FAILED, "engine": ""},
        {"status": Status.CANCELED, "engine": ""},
        {"status": Status.RUNNING, "engine": ""},
        {"favourite_at": NOW},
        {"user": rare},
        {"api_key": key},
    ]
    usual = {"model": "bg-replace", "door": Door.WEB, "engine": "usual", "status": Status.SUCCEEDED, "user": run.user}

    def row(age: int, **more: Any) -> Generation:
        at = NOW - timedelta(seconds=age)
        facts: dict[str, Any] = {**usual, "team_id": run.team_id, "params": {}, "seed": 1, "estimate": 1, "quote": 2}
        return Generation(id=uuid.uuid4(), created_at=at, **{**facts, **more})

    Generation.objects.bulk_create([row(age) for age in range(20_000)], batch_size=5000)
    Generation.objects.bulk_create(row(100_000 + age, **kind) for kind in kinds for age in range(3))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE generations_generation")
