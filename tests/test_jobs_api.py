"""The jobs API: predictions made, waited for, listed and canceled; models as both kinds of client read them."""

import base64
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys, ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import Team, User
from generations import catalogue, dispatch, execution, removal, submission
from generations.models import Asset, Attempt, Generation, Webhook
from generations.models.generation import Door, Status
from tests.doors import Post, encoded
from tests.jobs import Configure, given, png
from tests.pages import MakeRun

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)
"""For tests in which jobs run or are waited for, which are published on commit."""

Get = Callable[[str], Any]

CREATE = "/v1/models/official/bg-replace/predictions"
LIST = "/v1/predictions"


def body(**more: Any) -> dict[str, Any]:
    """Return the least body; `more` are members of it beside the input."""
    return {"input": encoded(), **more}


def path_of(url: str, settings: LazySettings) -> str:
    assert url.startswith(f"{settings.PUBLIC_URL}/")
    return url.removeprefix(settings.PUBLIC_URL)


# --- making one ---------------------------------------------------------------------------------------------


def test_a_prediction_is_201_and_starting(post: Post, unpublished: list[int], settings: LazySettings) -> None:
    answer = post(CREATE, body())
    told = answer.json()
    generation = Generation.objects.get()
    assert answer.status_code == 201
    assert (told["id"], told["status"], told["output"]) == (str(generation.id), "starting", None)
    assert (told["model"], told["source"], told["data_removed"]) == ("official/bg-replace", "api", False)
    assert told["urls"]["get"] == f"{settings.PUBLIC_URL}/v1/predictions/{generation.id}"
    assert told["urls"]["web"] == f"{settings.PUBLIC_URL}/runs/{generation.id}"
    assert (generation.door, generation.status) == (Door.JOBS, Status.QUEUED)
    assert answer["RateLimit"].startswith('"default";r=999;t=')
    assert answer["x-request-id"]
    assert "Preference-Applied" not in answer


@pytest.mark.parametrize("version", ["official/bg-replace", "{team}/bg-replace", "official/bg-replace:{id}", "{id}"])
def test_a_version_names_a_model(post: Post, unpublished: list[int], team: Team, version: str) -> None:
    named = version.format(team=team.slug, id=catalogue.version(catalogue.get("bg-replace")))
    answer = post(LIST, body(version=named))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["model"] == "official/bg-replace"


def test_the_team_s_name_owns_the_models_too(post: Post, unpublished: list[int], team: Team) -> None:
    assert post(f"/v1/models/{team.slug}/bg-replace/predictions", body()).status_code == 201


def test_pictures_come_back_as_addresses_that_the_team_can_open(
    post: Post, unpublished: list[int], get: Get, settings: LazySettings
) -> None:
    told = post(CREATE, body())
    assert len(told.content) < 3000
    shown = get(path_of(told.json()["input"]["image"], settings))
    assert (shown.status_code, shown.content) == (200, png())


def test_what_stands_for_nothing_given_is_the_default(post: Post, unpublished: list[int]) -> None:
    told = post(CREATE, {"input": encoded(seed=None), "dry_run": None, "stream": False, "webhook": None}).json()
    assert told["input"]["seed"] == -1


@pytest.mark.parametrize(("said", "code"), [("true", 201), ("false", 201), ("perhaps", 400)])
def test_whether_another_engine_may_stand_in_is_said_by_a_header(
    post: Post, unpublished: list[int], said: str, code: int
) -> None:
    assert post(CREATE, body(), **{"x-allow-fallback": said}).status_code == code
    dry = post(CREATE, body(dry_run=True), **{"x-allow-fallback": said})
    assert dry.status_code == (200 if code == 201 else code)


# --- waiting ------------------------------------------------------------------------------------------------


@transactional
@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait", "wait=60"),
        ("wait=5", "wait=5"),
        ("Wait = 5", "wait=5"),
        ("respond-async, wait=7", "wait=7"),
        ("wait=600", "wait=60"),
    ],
)
def test_one_that_waits_has_its_output(post: Post, inline: list[int], prefer: str, applied: str, get: Get) -> None:
    answer = post(CREATE, body(), prefer=prefer)
    told = answer.json()
    assert (answer.status_code, told["status"]) == (201, "succeeded")
    assert answer["Preference-Applied"] == applied
    assert told["metrics"]["cost"] * MICRO == Generation.objects.get().cost
    assert told["metrics"]["total_time"] >= 0
    assert told["completed_at"] >= told["started_at"] >= told["created_at"]
    assert get("/outputs/" + told["output"][0].partition("/outputs/")[2]).status_code == 200


@transactional
@pytest.mark.parametrize("prefer", ["wait=0", "wait=soon", "respond-async", "", "waiting"])
def test_what_is_no_wait_of_ours_is_not_applied(post: Post, unpublished: list[int], prefer: str) -> None:
    answer = post(CREATE, body(), prefer=prefer)
    assert (answer.status_code, answer.json()["status"]) == (201, "starting")
    assert "Preference-Applied" not in answer


@transactional
def test_out_of_time_it_says_starting_whatever_it_does(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(attempt_id: int, queue: str, *, after: float = 0.0) -> None:
        Attempt.objects.filter(id=attempt_id).update(state="submitting", started_at=timezone.now())
        Generation.objects.update(status=Status.RUNNING, started_at=timezone.now())

    monkeypatch.setattr(dispatch, "attempt", begin)
    began = time.monotonic()
    answer = post(CREATE, body(), prefer="wait=1")
    assert 0.3 < time.monotonic() - began < 1.0
    assert (answer.status_code, answer.json()["status"]) == (201, "starting")
    assert answer["Preference-Applied"] == "wait=1"


@transactional
def test_a_failure_is_a_prediction_and_not_an_error(post: Post, inline: list[int], team: Team) -> None:
    answer = post(CREATE, {"input": encoded(prompt="@fail=unavailable")}, prefer="wait")
    told = answer.json()
    assert (answer.status_code, told["status"], told["error"]) == (201, "failed", "the script says unavailable")
    assert (told["output"], told["metrics"]["cost"]) == (None, 0)
    assert ledger.balance(team.pk).available == 25 * MICRO


@transactional
def test_under_one_key_it_is_the_same_prediction(post: Post, unpublished: list[int], get: Get) -> None:
    first, again = (post(CREATE, body(), **{"idempotency-key": "k"}) for _ in range(2))
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    waited = post(CREATE, body(), **{"idempotency-key": "k", "prefer": "wait=5"})
    assert (waited.status_code, waited["Content-Type"]) == (409, "application/problem+json")
    assert waited.json()["request_id"] == first.json()["id"]
    execution.run(unpublished[0])
    waited = post(CREATE, body(), **{"idempotency-key": "k", "prefer": "wait=5"})
    assert (waited.status_code, waited.json()["status"]) == (201, "succeeded")
    assert waited.json()["id"] == first.json()["id"]
    assert Generation.objects.count() == 1
    reused = post(CREATE, {"input": encoded(prompt="other")}, **{"idempotency-key": "k"})
    assert (reused.status_code, reused.json()["title"]) == (422, "Idempotency key reused")


# --- who is told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "events"),
    [
        ({"webhook": "https://example.com/hook"}, ["start", "output", "logs", "completed"]),
        (
            {"webhook": "https://example.com/hook", "webhook_events_filter": ["completed", "start"]},
            ["start", "completed"],
        ),
        ({"webhook_completed": "https://example.com/hook"}, ["completed"]),
    ],
    ids=["all", "some", "old"],
)
def test_a_webhook_is_written_once_with_its_prediction(
    post: Post, unpublished: list[int], asked: dict[str, Any], events: list[str]
) -> None:
    told = [post(CREATE, body(**asked), **{"idempotency-key": "k"}).json() for _ in range(2)]
    written = Webhook.objects.get()
    assert (str(written.generation_id), written.url, written.events) == (
        told[1]["id"],
        "https://example.com/hook",
        events,
    )
    assert Generation.objects.get().hooked


def test_nobody_is_told_of_a_dry_run(post: Post, unpublished: list[int]) -> None:
    assert post(CREATE, body(dry_run=True, webhook="https://example.com/hook")).status_code == 200
    assert not Webhook.objects.exists()


# --- what it would cost -------------------------------------------------------------------------------------


def test_a_dry_run_says_the_price_and_makes_nothing(post: Post, unpublished: list[int], actor: Actor) -> None:
    answer = post(CREATE, body(dry_run=True), **{"idempotency-key": "k"})
    price = submission.price("bg-replace", {"samples": 1}, 64 * 64, actor)
    assert answer.status_code == 200
    assert answer.json() == {
        "dry_run": True,
        "model": "official/bg-replace",
        "version": "official/bg-replace",
        "estimate": price.estimate / MICRO,
        "quote": price.quote / MICRO,
        "balance": 25.0,
    }
    assert answer["RateLimit"]
    assert not Generation.objects.exists()
    assert not Asset.objects.exists()
    told = post(CREATE, body(), **{"idempotency-key": "k"}).json()
    assert Generation.objects.get(id=told["id"]).quote == price.quote


def test_a_dry_run_refuses_what_a_run_would(post: Post, unpublished: list[int]) -> None:
    for raw in ({"prompt": "x"}, encoded(nonsense=1), encoded(image="%%%")):
        assert post(CREATE, {"input": raw, "dry_run": True}).status_code == 422
    raw = {**given("sdxl-inpaint"), "mask": png(colour=0, mode="L")}
    black = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in raw.items()}
    answer = post("/v1/models/official/sdxl-inpaint/predictions", {"input": black, "dry_run": True})
    assert "nothing to repaint" in answer.json()["detail"]
    assert not Asset.objects.exists()


def test_a_dry_run_counts_samples(post: Post, engines: Configure, unpublished: list[int]) -> None:
    engines(scripted={"cost": 0.01})
    quote = post(CREATE, {"input": encoded(), "dry_run": True}).json()["quote"]
    assert quote == 0.02


# --- one, and all -------------------------------------------------------------------------------------------


@transactional
def test_one_is_found_by_its_team(post: Post, unpublished: list[int], get: Get, client: Client, outsider: User) -> None:
    told = post(CREATE, body()).json()
    path = f"{LIST}/{told['id']}"
    assert get(path).json() == told
    execution.run(unpublished[0])
    assert get(path).json()["status"] == "succeeded"
    _, theirs = keys.create(outsider.memberships.get(), name="theirs")
    for method, address in ((client.get, path), (client.post, f"{path}/cancel")):
        answer = method(address, headers={"x-api-key": theirs})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_pages_run_both_ways_and_to_the_end(get: Get, make_run: MakeRun, settings: LazySettings) -> None:
    made = [str(make_run(age=age).id) for age in range(7)]
    seen, pages, following = [], [], f"{LIST}?limit=3"
    while following:
        page = get(following).json()
        pages.append(page)
        seen += [each["id"] for each in page["results"]]
        following = page["next"] and path_of(page["next"], settings)
    assert seen == made
    assert [len(page["results"]) for page in pages] == [3, 3, 1]
    assert pages[0]["previous"] is None
    back = get(path_of(pages[2]["previous"], settings)).json()
    assert [each["id"] for each in back["results"]] == made[3:6]
    first = get(path_of(back["previous"], settings)).json()
    assert [each["id"] for each in first["results"]] == made[:3]
    assert get(path_of(first["next"], settings)).json()["results"][0]["id"] == made[3]


def test_rows_of_one_moment_are_all_seen(get: Get, make_run: MakeRun, settings: LazySettings) -> None:
    for _ in range(5):
        make_run()
    Generation.objects.update(created_at=timezone.now())
    seen, following = [], f"{LIST}?limit=2"
    while following:
        page = get(following).json()
        seen += [each["id"] for each in page["results"]]
        following = page["next"] and path_of(page["next"], settings)
    assert len(seen) == len(set(seen)) == 5


def test_a_time_bounds_the_list_and_its_pages(get: Get, make_run: MakeRun, settings: LazySettings) -> None:
    ids = [str(make_run(age=age).id) for age in (0, 100, 200, 300)]
    runs = [Generation.objects.get(id=each) for each in ids]

    def listed(**bounds: Any) -> list[str]:
        query = "&".join(f"{name}={quote(when.isoformat())}" for name, when in bounds.items())
        page = get(f"{LIST}?limit=1&{query}").json()
        found = [each["id"] for each in page["results"]]
        while page["next"]:
            page = get(path_of(page["next"], settings)).json()
            found += [each["id"] for each in page["results"]]
        return found

    assert listed(created_after=runs[2].created_at) == ids[:3]
    assert listed(created_before=runs[2].created_at) == ids[3:]
    assert listed(created_after=runs[2].created_at, created_before=runs[0].created_at) == ids[1:3]
    assert listed(created_after=timezone.now() + timedelta(days=1)) == []


def test_every_door_s_runs_are_listed_but_no_other_team_s(
    get: Get, make_run: MakeRun, post: Post, unpublished: list[int], client: Client, outsider: User
) -> None:
    make_run()
    post("/v2/bg-replace")
    post(CREATE, body())
    assert [each["source"] for each in get(LIST).json()["results"]] == ["api", "api", "web"]
    _, theirs = keys.create(outsider.memberships.get(), name="theirs")
    assert client.get(LIST, headers={"x-api-key": theirs}).json() == {"next": None, "previous": None, "results": []}


def test_what_was_removed_is_neither_listed_nor_found(get: Get, make_run: MakeRun) -> None:
    gone, kept = make_run(), make_run()
    removal.remove(gone.id)
    assert [each["id"] for each in get(LIST).json()["results"]] == [str(kept.id)]
    assert get(f"{LIST}/{gone.id}").status_code == 404


def test_a_page_costs_the_same_queries_whatever_it_holds(get: Get, make_run: MakeRun) -> None:
    counts = []
    for _ in range(3):
        make_run(samples=4)
        make_run(status=Status.FAILED)
        get(LIST)
        with CaptureQueriesContext(connection) as queries:
            get(LIST)
        counts.append(len(queries))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 3


# --- cancel -------------------------------------------------------------------------------------------------


def test_cancel_ends_it_and_answers_with_it(post: Post, unpublished: list[int], team: Team) -> None:
    told = post(CREATE, body()).json()
    answer = post(f"{LIST}/{told['id']}/cancel", {})
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert answer.json()["completed_at"]
    assert ledger.balance(team.pk).held == 0


@transactional
def test_one_that_has_ended_stays_as_it_is(post: Post, inline: list[int]) -> None:
    told = post(CREATE, body(), prefer="wait").json()
    answer = post(f"{LIST}/{told['id']}/cancel", {})
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


def test_only_one_s_own_is_canceled(client: Client, make_run: MakeRun, admin: User, post: Post) -> None:
    theirs = make_run(status=Status.QUEUED, user=admin)
    answer = post(f"{LIST}/{theirs.id}/cancel", {})
    assert answer.status_code == 403
    assert Generation.objects.get(id=theirs.id).status == Status.QUEUED


def test_a_key_that_only_reads_cancels_nothing(
    client: Client, post: Post, unpublished: list[int], member: User
) -> None:
    told = post(CREATE, body()).json()
    _, reads = keys.create(member.memberships.get(), name="reads", scopes=["read"])
    assert client.get(f"{LIST}/{told['id']}", headers={"x-api-key": reads}).status_code == 200
    assert client.post(f"{LIST}/{told['id']}/cancel", headers={"x-api-key": reads}).status_code == 403


# --- models -------------------------------------------------------------------------------------------------


@transactional
def test_models_are_listed_for_both_clients(get: Get, post: Post, inline: list[int]) -> None:
    post(CREATE, body(), prefer="wait")
    told = get("/v1/models").json()
    slugs = list(catalogue.MODELS)
    assert (told["object"], told["next"], told["previous"]) == ("list", None, None)
    assert [each["id"] for each in told["data"]] == [each["name"] for each in told["results"]] == slugs
    assert all(each.keys() == {"id", "object", "created", "owned_by"} for each in told["data"])
    assert all(isinstance(each["created"], int) and each["object"] == "model" for each in told["data"])
    assert [each["run_count"] for each in told["results"]] == [1, 0, 0, 0]


@pytest.mark.parametrize("slug", list(catalogue.MODELS))
def test_a_model_brings_its_schema(get: Get, slug: str, team: Team) -> None:
    told = get(f"/v1/models/official/{slug}").json()
    schemas = told["latest_version"]["openapi_schema"]["components"]["schemas"]
    declared = catalogue.get(slug)
    assert list(schemas["Input"]["properties"]) == [parameter.name for parameter in declared.parameters]
    assert schemas["Input"]["required"] == list(declared.required_names)
    assert schemas["Input"]["additionalProperties"] is False
    assert schemas["Output"]["items"]["format"] == "uri"
    assert (told["owner"], told["name"]) == ("official", slug)
    assert get(f"/v1/models/{team.slug}/{slug}").json()["owner"] == team.slug
    assert get(f"/v1/models/{slug}").json() == told


def test_versions_are_found_by_what_the_model_says(get: Get) -> None:
    latest = get("/v1/models/official/bg-replace").json()["latest_version"]
    at = "/v1/models/official/bg-replace/versions"
    assert get(at).json() == {"next": None, "previous": None, "results": [latest]}
    assert get(f"{at}/{latest['id']}").json() == latest
    assert get(f"{at}/{'0' * 64}").status_code == 404
    assert len({catalogue.version(model) for model in catalogue.MODELS.values()}) == len(catalogue.MODELS)


def test_the_account_is_the_key_s_team(get: Get, team: Team) -> None:
    told = get("/v1/account").json()
    assert told == {"type": "organization", "username": team.slug, "name": team.name, "github_url": None}


# --- no slug is taken for an address, and no address for a slug ---------------------------------------------


def test_the_other_dialect_keeps_its_addresses(post: Post, unpublished: list[int], get: Get) -> None:
    request_id = post("/v2/bg-replace").json()["request_id"]
    assert get(f"/v1/requests/{request_id}").json()["status"] == "QUEUED"
    assert get(f"{LIST}/{request_id}").json()["status"] == "starting"
    assert get("/v1/get-user-credits").json()["credits"] < 25
    assert post("/v1/nothing").json() == {"error": post("/v2/nothing").json()["error"]}


def test_a_prediction_s_id_is_the_other_dialect_s_request(post: Post, unpublished: list[int], get: Get) -> None:
    told = post(CREATE, body()).json()
    assert get(f"/v2/requests/{told['id']}/status").json()["status"] == "QUEUED"
