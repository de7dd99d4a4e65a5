"""The errors of the Segmind dialect: every code of the contract's table."""

import base64
import json
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.test import Client

from accounts import keys, ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import ApiKey, Membership, Team, User
from generations import submission
from generations.models import Asset, Generation
from generations.models.generation import Door
from tests.doors import Post, encoded
from tests.jobs import Configure, given, png

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"samples": 9}, ["samples", "9", "1", "4"]),
        ({"prompt": None}, ["prompt"]),
        ({"image": "https://10.0.0.1/a.png"}, ["image", "10.0.0.1"]),
        ({"image": "ftp://example.com/a.png"}, ["image"]),
        ({"image": "%%%"}, ["image"]),
        ({"scheduler": "nope"}, ["scheduler", "nope"]),
    ],
)
def test_400_names_field_and_what_is_allowed(post: Post, team: Team, body: dict[str, Any], words: list[str]) -> None:
    answer = post(body=encoded(**body))
    assert answer.status_code == 400
    assert all(word in answer.json()["error"] for word in words), answer.json()
    assert ledger.balance(team.pk).held == 0


@pytest.mark.parametrize("body", ["{", "[1]", " ", '"text"', "\xff"])
def test_400_malformed_json(client: Client, key: str, body: str) -> None:
    answer = client.post(
        "/v1/bg-replace", data=body.encode("latin-1"), content_type="application/json", headers={"x-api-key": key}
    )
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


def test_400_when_the_engine_rejects_the_picture(post: Post, inline: list[int], team: Team) -> None:
    answer = post(body=encoded(prompt="@fail=rejected"))
    assert answer.status_code == 400
    assert ledger.balance(team.pk).posted == 25 * MICRO


def test_401_where_the_key_was_deleted_a_moment_ago(post: Post, key: str, team: Team) -> None:
    assert keys.authenticate(key)  # and is remembered
    ApiKey.objects.all().delete()
    answer = post()
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": "Unauthorized. API key is invalid or may have expired."}
    assert ledger.balance(team.pk).held == 0
    assert not Generation.objects.exists()


def test_a_violated_constraint_of_another_kind_is_not_taken_for_a_deleted_key(
    actor: Actor, engines: Configure, unpublished: list[int]
) -> None:
    def submit(generation_id: uuid.UUID) -> None:
        submission.submit(actor=actor, door=Door.SEGMIND, model="bg-replace", raw=given(), generation_id=generation_id)

    once = uuid.uuid4()
    submit(once)
    with pytest.raises((IntegrityError, ledger.AlreadyBooked)):
        submit(once)
    assert ledger.balance(actor.team_id).held == Generation.objects.get().quote


def test_401_without_a_key_and_with_a_wrong_one(client: Client) -> None:
    answer = client.post("/v1/bg-replace")
    assert (answer.status_code, answer.json()) == (401, {"error": "Missing Authorization or x-api-key in header"})
    answer = client.post("/v1/bg-replace", headers={"x-api-key": "ss_wrong"})
    assert (answer.status_code, answer.json()["error"]) == (
        401,
        "Unauthorized. API key is invalid or may have expired.",
    )


def test_401_does_not_take_a_session_for_a_key(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.get("/v1/get-user-credits").status_code == 401


def test_403_where_the_scope_is_missing(client: Client, membership: Membership, engines: Configure) -> None:
    _, raw = keys.create(membership, name="reader", scopes=["read"])
    body = json.dumps(encoded())
    answer = client.post("/v1/bg-replace", body, content_type="application/json", headers={"x-api-key": raw})
    assert answer.status_code == 403
    assert "scope" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v2/",
        "/upload-asset/",
        "/v1/nope",
        "/v2/nope",
        "/v1/a/b/c",
        "/v2/requests/not-an-id",
        "/v1/requests",
    ],
)
def test_404_is_json(post: Post, path: str) -> None:
    answer = post(path)
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_404_for_somebody_elses_request(
    client: Client, post: Post, inline: list[int], outsider: User, get: Any
) -> None:
    request_id = post("/v2/bg-replace").json()["request_id"]
    _, theirs = keys.create(outsider.memberships.get(), name="theirs")
    assert get(f"/v2/requests/{request_id}").status_code == 200
    for path in (f"/v2/requests/{request_id}", f"/v2/requests/{request_id}/status", f"/v1/requests/{request_id}"):
        assert client.get(path, headers={"x-api-key": theirs}).status_code == 404


def test_405_says_what_is_allowed(get: Any) -> None:
    answer = get("/v1/bg-replace")
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]
    assert "error" in answer.json()


def test_405_for_options_too(client: Client, key: str) -> None:
    assert client.options("/v1/bg-replace", headers={"x-api-key": key}).status_code == 405


def test_401_says_how_to_authenticate(client: Client) -> None:
    assert client.get("/v1/get-user-credits")["WWW-Authenticate"] == "Bearer"


def test_500_is_json_and_tells_nothing(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(submission, "submit", break_down)
    answer = post()
    assert answer.status_code == 500
    assert "hunter2" not in answer.json()["error"]


def test_404_for_a_picture_that_is_no_longer_kept(post: Post, inline: list[int], get: Any) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png(80, 80)).decode()
    url = post("/upload-asset", {"data_urls": [uri]}).json()["file_urls"][0]
    default_storage.delete(Asset.objects.get().file)
    answer = get(url.partition("/files/")[1] + url.partition("/files/")[2])
    assert (answer.status_code, answer.json()) == (404, {"error": "The picture is no longer kept."})


def test_406_too_few_credits_names_both_amounts(post: Post, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 100, reference=uuid.uuid4(), note="spent")
    answer = post()
    assert answer.status_code == 406
    assert "0.0001" in answer.json()["error"]


def test_406_another_content_type(client: Client, key: str) -> None:
    answer = client.post("/v1/bg-replace", data="a=1", content_type="text/plain", headers={"x-api-key": key})
    assert answer.status_code == 406
    assert "text/plain" in answer.json()["error"]


def test_413_a_body_over_the_limit(client: Client, key: str, settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = client.post("/v1/bg-replace", data="x" * 2000, content_type="application/json", headers={"x-api-key": key})
    assert answer.status_code == 413
    assert "error" in answer.json()


@pytest.mark.usefixtures("one_minute")
def test_429_over_the_rate(post: Post, unpublished: list[int], settings: LazySettings) -> None:
    settings.RATE_LIMIT, settings.REDIS_URL = 2, ""
    codes = [post("/v2/bg-replace").status_code for _ in range(2)]
    answer = post("/v2/bg-replace")
    assert codes == [200, 200]
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer["x-rate-limit-reset-at-utc"].endswith("Z")
    assert answer["RateLimit"].startswith('"default";r=0;')


def test_429_too_many_jobs(post: Post, unpublished: list[int], settings: LazySettings) -> None:
    settings.TEAM_JOBS_IN_FLIGHT = 1
    assert post("/v2/bg-replace").status_code == 200
    answer = post("/v2/bg-replace")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "5"
    assert answer["x-rate-limit-reset-at-utc"].endswith("Z")


@pytest.mark.parametrize(("fail", "code"), [("unavailable", 502), ("crash", 502)])
def test_an_engine_that_fails_is_502_and_free(post: Post, inline: list[int], team: Team, fail: str, code: int) -> None:
    answer = post(body=encoded(prompt=f"@fail={fail}"))
    assert answer.status_code == code
    assert answer["x-request-id"] == answer.json()["request_id"] == str(Generation.objects.get().id)
    assert ledger.balance(team.pk).posted == 25 * MICRO
