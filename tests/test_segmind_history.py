"""The Segmind dialect's record: requests, pictures, models and the account."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys, ledger, queries
from accounts.credits import MICRO
from accounts.models import Membership, Team, User
from generations import catalogue, history
from generations.api import segmind_history
from generations.models import Generation, Output
from generations.models.generation import Door, Status
from tests.doors import Post, encoded
from tests.jobs import Submit

pytestmark = pytest.mark.django_db

Make = Callable[..., list[Generation]]
Get = Callable[[str], Any]
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
HISTORY = "/inference-request/request-history"
GENERATIONS = "/inference-request/generations"
RECENT = "/inference-request/recent-generations"


@pytest.fixture(autouse=True)
def _today(time_machine: Any) -> None:
    time_machine.move_to(NOON + timedelta(hours=1), tick=False)


@pytest.fixture
def make(team: Team, member: User) -> Make:
    """Return a function that writes requests, a second apart and back from noon; those that succeeded have pictures."""

    def do(count: int = 1, *, of: Team = team, at: datetime = NOON, pictures: int = 1, **more: Any) -> list[Generation]:
        rows = [
            Generation(
                **{
                    "team": of,
                    "user": member,
                    "door": Door.SEGMIND,
                    "model": "bg-replace",
                    "status": Status.SUCCEEDED,
                    "params": {"prompt": "a beach"},
                    "inputs": {"image": str(uuid.uuid4())},
                    "seed": 7,
                    "estimate": 1,
                    "quote": 2 * MICRO,
                    "cost": MICRO // 100,
                    "created_at": at - timedelta(seconds=number),
                    "finished_at": at - timedelta(seconds=number) + timedelta(milliseconds=2500),
                    **more,
                }
            )
            for number in range(count)
        ]
        Generation.objects.bulk_create(rows)
        Output.objects.bulk_create(
            Output(generation=row, number=number, content_type="image/png", width=1, height=1, size=1, seed=7 + number)
            for row in rows
            if row.status == Status.SUCCEEDED
            for number in reversed(range(pictures))
        )
        return rows

    return do


def ids(answer: Any) -> list[str]:
    body = answer.json()
    assert answer.status_code == 200, body
    return [row["request_id"] for row in body.get("requests", body.get("generations"))]


def as_text(rows: list[Generation]) -> list[str]:
    return [str(row.id) for row in rows]


# --- rows ---------------------------------------------------------------------------------------------------


def test_a_row_says_what_was_asked_what_came_and_what_it_cost(
    get: Get, make: Make, member: User, settings: LazySettings
) -> None:
    (row,) = make()
    (shown,) = get(HISTORY).json()["requests"]
    picture = shown.pop("generation_url")
    assert picture.startswith(f"{settings.PUBLIC_URL}/outputs/{row.outputs.get().id}.jpg?expires=")
    sent = {"prompt": "a beach", "image": f"{settings.PUBLIC_URL}/files/{row.inputs['image']}"}
    assert shown == {
        "request_id": str(row.id),
        "model_name": "bg-replace",
        "model_status": "COMPLETED",
        "status": "COMPLETED",
        "credits_deduction": 0.01,
        "request_body": sent,
        "parameters": sent,
        "prompt": "a beach",
        "seed": 7,
        "latency_ms": 2500,
        "created_at": "2026-05-10T12:00:00Z",
        "model_created": "2026-05-10T12:00:00Z",
        "finished_at": "2026-05-10T12:00:02.500000Z",
        "user_id": str(member.pk),
        "error": None,
    }


@pytest.mark.parametrize(
    ("status", "error", "word", "said"),
    [
        (Status.QUEUED, "", "PENDING", None),
        (Status.RUNNING, "", "PENDING", None),
        (Status.FAILED, "no subject found", "FAILED", "no subject found"),
        (Status.CANCELED, "", "FAILED", "The request was canceled."),
    ],
)
def test_a_request_without_a_picture_is_a_row_of_the_history_alone(
    get: Get, make: Make, status: Status, error: str, word: str, said: str | None
) -> None:
    make(status=status, error=error, cost=None, finished_at=None)
    (row,) = get(HISTORY).json()["requests"]
    assert (row["model_status"], row["error"], row["generation_url"]) == (word, said, None)
    assert (row["credits_deduction"], row["latency_ms"]) == (0, None)
    assert ids(get(GENERATIONS)) == ids(get(f"{RECENT}?model_name=bg-replace")) == []


def test_a_picture_is_a_row(get: Get, make: Make) -> None:
    older, newer = make(2, pictures=3)[::-1]
    for path in (HISTORY, GENERATIONS, f"{RECENT}?model_name=bg-replace"):
        rows = next(value for value in get(path).json().values() if isinstance(value, list))
        assert [(row["request_id"], row["seed"]) for row in rows] == [
            (str(each.id), seed) for each in (newer, older) for seed in (7, 8, 9)
        ]
    # Ascending too, the pictures of a request come as they are numbered.
    assert [row["seed"] for row in get(f"{HISTORY}?sort_order=asc").json()["requests"]] == [7, 8, 9] * 2
    assert [row["seed"] for row in get(f"{HISTORY}?per_page=2&page=2").json()["requests"]] == [9, 7]


def test_one_request_whatever_its_age(get: Get, make: Make, settings: LazySettings) -> None:
    (row,) = make(at=NOON - timedelta(days=500), pictures=2)
    body = get(f"{HISTORY}/{row.id}").json()
    assert (body["request_id"], body["seed"]) == (str(row.id), 7)
    assert [url.partition("?")[0] for url in body["generation_urls"]] == [
        f"{settings.PUBLIC_URL}/outputs/{output.id}.jpg" for output in row.outputs.order_by("number")
    ]
    (failed,) = make(status=Status.FAILED, error="no")
    body = get(f"{HISTORY}/{failed.id}").json()
    assert (body["error"], body["generation_url"], body["generation_urls"]) == ("no", None, [])


@pytest.mark.django_db(transaction=True)
def test_what_really_ran(post: Post, inline: list[int], get: Get, time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=True)
    post(body=encoded(samples=2, seed=5))
    first, second = get(HISTORY).json()["requests"]
    assert (first["seed"], second["seed"]) == (5, 6)
    assert first["credits_deduction"] * MICRO == Generation.objects.get().cost
    path = "/" + first["generation_url"].partition("://")[2].partition("/")[2]
    assert get(path)["Content-Type"] == "image/jpeg"
    image = "/" + first["request_body"]["image"].partition("://")[2].partition("/")[2]
    assert get(image)["Content-Type"] == "image/png"


# --- whose --------------------------------------------------------------------------------------------------


def test_only_the_teams_own(get: Get, make: Make, outsider: User) -> None:
    others = Membership.objects.get(user=outsider).team
    (theirs,) = make(of=others, user=outsider)
    for path in (HISTORY, GENERATIONS, f"{RECENT}?model_name=bg-replace", f"{HISTORY}?user_email={outsider.email}"):
        assert ids(get(path)) == []
    answer = get(f"{HISTORY}/{theirs.id}")
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no such request."})


@pytest.mark.parametrize(
    "path", [HISTORY, GENERATIONS, f"{RECENT}?model_name=bg-replace", "/inference-model-information/list"]
)
def test_a_key_that_only_reads_is_enough_and_none_is_not(client: Client, membership: Membership, path: str) -> None:
    reader = keys.create(membership, name="reader", scopes=["read"])[1]
    assert client.get(path, headers={"x-api-key": reader}).status_code == 200
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (401, "Missing Authorization or x-api-key in header")


@pytest.mark.django_db(transaction=True)
def test_the_account(get: Get, post: Post, inline: list[int], team: Team, member: User, time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=True)
    post(body=encoded(prompt="@cost=0.01"))
    cost = Generation.objects.get().cost
    assert cost
    body = get("/api/auth/authenticate").json()
    assert body == {
        "user_id": str(member.pk),
        "email": "member@example.com",
        "username": "member@example.com",
        "team": team.slug,
        "subscription": {"plan": "prepaid", "status": "active"},
        "credits": {
            "balance": ledger.balance(team.pk).available / MICRO,
            "used": cost / MICRO,
            "total": 25.0,
        },
    }
    assert ids(get(f"{GENERATIONS}?user_id={body['user_id']}"))


def test_an_account_that_used_nothing(get: Get, team: Team) -> None:
    assert get("/api/auth/authenticate").json()["credits"] == {"balance": 25.0, "used": 0.0, "total": 25.0}
    assert queries.used(team.pk) == 0


def test_the_models(get: Get) -> None:
    models = {model["slug"]: model for model in get("/inference-model-information/list").json()["models"]}
    assert list(models) == list(catalogue.MODELS)
    for slug, declared in catalogue.MODELS.items():
        assert (models[slug]["title"], models[slug]["type"]) == (declared.title, "imageToImage")
        assert models[slug]["description"] == declared.description
        assert list(models[slug]["parameters"]) == list(declared.by_name)
        required = {name for name, said in models[slug]["parameters"].items() if said["required"]}
        assert required == set(declared.required_names)
    assert models["bg-replace"]["parameters"]["samples"]["maximum"] == 4


# --- which --------------------------------------------------------------------------------------------------


def test_pages_are_complete_and_disjoint_and_say_whether_more_follow(get: Get, make: Make) -> None:
    made = as_text(make(7))
    shown: list[str] = []
    number: int | None = 1
    while number:
        answer = get(f"{HISTORY}?per_page=3&page={number}")
        shown += ids(answer)
        assert (answer.json()["page"], answer.json()["per_page"]) == (number, 3)
        number = answer.json()["next_page"]
    assert shown == made
    assert ids(get(f"{HISTORY}?per_page=3&page=4")) == []


def test_the_list_has_pages_of_twenty(get: Get, make: Make) -> None:
    made = as_text(make(21))
    assert ids(get(GENERATIONS)) == ids(get(f"{RECENT}?model_name=bg-replace")) == made[:20]
    assert get(GENERATIONS).json()["next_page"] == 2
    assert ids(get(f"{GENERATIONS}?page=2")) == made[20:]


@pytest.mark.parametrize(("status", "count"), [("COMPLETED", 1), ("FAILED", 2), ("PENDING", 2)])
def test_by_status(get: Get, make: Make, status: str, count: int) -> None:
    made = {each: as_text(make(status=each)) for each in Status}
    shown = ids(get(f"{HISTORY}?status={status}"))
    assert len(shown) == count
    assert set(shown) == {made[each][0] for each in segmind_history.STATUSES[status]}


def test_by_model(get: Get, make: Make) -> None:
    sdxl, sd15, _ = (as_text(make(model=slug))[0] for slug in ("sdxl-inpaint", "sd1.5-inpainting", "bg-replace"))
    assert set(ids(get(f"{HISTORY}?model_name=inpaint"))) == {sdxl, sd15}
    assert ids(get(f"{HISTORY}?model_name=sdxl-inpaint")) == [sdxl]
    assert ids(get(f"{HISTORY}?model_name=midjourney")) == []
    assert ids(get(f"{GENERATIONS}?model_name=sdxl-inpaint")) == ids(get(f"{RECENT}?model_name=sdxl-inpaint")) == [sdxl]


def test_by_person(get: Get, make: Make, owner: User, member: User) -> None:
    mine, owners = as_text(make())[0], as_text(make(user=owner))[0]
    assert ids(get(f"{HISTORY}?user_email=OWNER@example.com")) == ids(get(f"{HISTORY}?user_id={owner.pk}")) == [owners]
    assert ids(get(f"{GENERATIONS}?user_id={member.pk}")) == [mine]
    assert ids(get(f"{HISTORY}?user_email=nobody@example.com")) == []
    assert ids(get(f"{HISTORY}?unknown=1&user_id={owner.pk}")) == [owners]


def test_by_day_both_included(get: Get, make: Make) -> None:
    days = [as_text(make(at=NOON - timedelta(days=number)))[0] for number in range(40)]
    assert ids(get(HISTORY)) == days[:8]
    assert ids(get(f"{HISTORY}?from_date=2026-05-09")) == days[:2]
    assert ids(get(f"{HISTORY}?from_date=2026-05-08&to_date=2026-05-09")) == days[1:3]
    assert ids(get(f"{HISTORY}?to_date=2026-05-08&per_page=100")) == days[2:10]
    assert ids(get(f"{HISTORY}?from_date=2026-04-09&per_page=100")) == days[:32]
    assert ids(get(f"{GENERATIONS}?page=2")) == days[20:40]
    assert ids(get(f"{GENERATIONS}?start_date=2026-04-01&end_date=2026-04-03")) == days[37:40]


def test_in_order(get: Get, make: Make) -> None:
    cheap, dear = as_text(make(at=NOON, cost=10))[0], as_text(make(at=NOON - timedelta(hours=1), cost=MICRO))[0]
    free = as_text(make(status=Status.FAILED, cost=None, model="sdxl-inpaint", at=NOON - timedelta(hours=2)))[0]
    assert ids(get(HISTORY)) == ids(get(f"{HISTORY}?sort_by=model_created&sort_order=desc")) == [cheap, dear, free]
    assert ids(get(f"{HISTORY}?sort_order=asc")) == [free, dear, cheap]
    assert ids(get(f"{HISTORY}?sort_by=credits_deduction")) == [dear, cheap, free]
    assert ids(get(f"{HISTORY}?sort_by=credits_deduction&sort_order=asc")) == [free, cheap, dear]
    assert ids(get(f"{HISTORY}?sort_by=model_name")) == [free, cheap, dear]
    assert ids(get(f"{HISTORY}?sort_by=model_name&sort_order=asc")) == [dear, cheap, free]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{HISTORY}?page=0", ["page", "whole number from 1", '"0"']),
        (f"{HISTORY}?page=-1", ["page", '"-1"']),
        (f"{HISTORY}?page=two", ["page", '"two"']),
        (f"{HISTORY}?page=%C2%B2", ["page"]),
        (f"{HISTORY}?page=9999999999999999999999", ["page"]),
        (f"{HISTORY}?page=1&page=2", ["page: given 2 times"]),
        (f"{HISTORY}?per_page=101", ["per_page", "from 1 to 100", '"101"']),
        (f"{HISTORY}?page=501", ["page: 501 is too deep", "10,000 rows", "500 pages of 20", "narrow the dates"]),
        (f"{HISTORY}?page=101&per_page=100", ["page: 101 is too deep", "100 pages of 100"]),
        (f"{GENERATIONS}?page=501", ["page: 501 is too deep"]),
        (f"{HISTORY}?status=DONE", ["status", "COMPLETED, FAILED, PENDING", '"DONE"']),
        (f"{HISTORY}?status=%00", ["status"]),
        (f"{HISTORY}?sort_by=cost", ["sort_by", "model_created, model_name, credits_deduction", '"cost"']),
        (f"{HISTORY}?sort_order=up", ["sort_order", "desc, asc"]),
        (f"{HISTORY}?from_date=yesterday", ["from_date", "2026-05-01", '"yesterday"']),
        (f"{HISTORY}?from_date=2026-02-30", ["from_date"]),
        (f"{HISTORY}?to_date=9999-12-31", ["to_date"]),
        (f"{HISTORY}?from_date=0001-01-01", ["from_date", "from 2000 on"]),
        (f"{HISTORY}?from_date=2026-04-08", ["from_date", "31 days"]),
        (f"{HISTORY}?from_date=2026-05-11", ["from_date", "after to_date"]),
        (f"{HISTORY}?user_id=me", ["user_id", "whole number"]),
        (f"{HISTORY}?user_email=%00", ["user_email"]),
        (f"{HISTORY}?model_name=%00", ["model_name"]),
        (f"{HISTORY}?user_id=1&user_email=a@b.c", ["user_id and user_email"]),
        (f"{GENERATIONS}?model_name=dall-e", ["model_name", "bg-replace", '"dall-e"']),
        (f"{GENERATIONS}?start_date=1", ["start_date"]),
        (RECENT, ["model_name is required", "bg-replace"]),
    ],
)
def test_400_says_what_is_allowed(get: Get, path: str, words: list[str]) -> None:
    answer = get(path)
    assert answer.status_code == 400
    assert all(word in answer.json()["error"] for word in words), answer.json()


def test_400_where_too_many_would_have_to_be_put_in_order(
    get: Get, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SORTABLE", 3)
    make(3)
    path = f"{HISTORY}?sort_by=credits_deduction"
    assert len(ids(get(path))) == 3
    make(model="sdxl-inpaint")
    answer = get(path)
    assert answer.status_code == 400
    assert "narrow the dates" in answer.json()["error"]
    assert len(ids(get(f"{path}&model_name=bg-replace"))) == 3


@pytest.mark.parametrize(
    "path",
    [
        f"{HISTORY}/1",
        f"{HISTORY}/{uuid.UUID(int=1)}",
        f"{HISTORY}/a%2Fb",
        "/inference-request",
        "/inference-request/input-upload",
        "/inference-model-information/details",
        "/webhook/get",
        "/webhook/dispatch-logs?webhook_id=1",
        "/finetune/request/list",
        "/workflows/mine-v1",
        "/workflows/request/1",
        "/api/auth/token",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_404_is_json(client: Client, key: str, method: str, path: str) -> None:
    answer = getattr(client, method)(path, headers={"x-api-key": key})
    # A request that there is not is only found to be none by GET; the address itself is one.
    expected = 405 if method == "post" and path.endswith(str(uuid.UUID(int=1))) else 404
    assert answer.status_code == expected
    assert list(answer.json()) == ["error"]


# --- what it costs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        HISTORY,
        f"{HISTORY}?sort_by=credits_deduction",
        f"{HISTORY}?sort_by=model_name&status=COMPLETED&user_email=member@example.com",
        GENERATIONS,
        f"{RECENT}?model_name=bg-replace",
        "/api/auth/authenticate",
    ],
)
def test_the_number_of_queries_does_not_grow(get: Get, make: Make, path: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert get(path).status_code == 200
        assert not any("COUNT(" in each["sql"].upper() for each in captured.captured_queries)
        return len(captured)

    make()
    get(path)  # the key is known from here on
    before = count()
    make(60, pictures=4, at=NOON - timedelta(hours=1))
    assert count() == before <= 5


def test_one_request_costs_two_queries(get: Get, make: Make) -> None:
    (row,) = make(pictures=4)
    get("/v1/get-user-credits")
    with CaptureQueriesContext(connection) as captured:
        assert len(get(f"{HISTORY}/{row.id}").json()["generation_urls"]) == 4
    assert len(captured) == 2


def test_a_request_that_is_deleted_meanwhile_is_left_out(get: Get, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone = make(2)
    read = history._rows

    def late(picked: Any) -> Any:
        Generation.objects.filter(id=gone.id).delete()
        return read(picked)

    monkeypatch.setattr(history, "_rows", late)
    assert ids(get(HISTORY)) == [str(kept.id)]


def test_the_submitters_own_are_found_by_the_page(submit: Submit, get: Get, unpublished: list[int]) -> None:
    generation = submit()
    Generation.objects.update(created_at=NOON)
    assert ids(get(f"{HISTORY}?status=PENDING")) == [str(generation.id)]
