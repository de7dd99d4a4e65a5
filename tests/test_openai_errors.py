"""OpenAI's dialect: every error has its code, all four keys, and says whether it may be sent again."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts import keys, ledger
from accounts.credits import MICRO
from accounts.models import ApiKey, Membership, Team, User
from generations import delivery, execution, finishing, idempotency, inputs, statements, submission, waiting
from generations.api import openai_answers, openai_errors, problems
from generations.api.kinds import KINDS
from generations.models import Generation
from generations.models.generation import Status
from tests.jobs import Configure, png
from tests.test_openai_api import PATH, uri

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = pytest.mark.django_db
"""Nothing is accepted, so that nothing waits for a commit."""

Send = Callable[..., Any]


@pytest.fixture
def send(client: Client, key: str, engines: Configure) -> Send:
    """Return a function that posts an edit with the member's key: a good one, but for what is given."""

    def do(headers: dict[str, str] | None = None, **more: Any) -> Any:
        body = {"images": [uri(png()), uri(png(96, 64))], "prompt": "a beach", **more}
        head = {"authorization": f"Bearer {key}", **(headers or {})}
        return client.post(PATH, data=json.dumps(body), content_type="application/json", headers=head)

    return do


def told(answer: Any) -> dict[str, Any]:
    """Return the error, which has all four keys and comes with a word on sending it again."""
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["message"]
    assert answer["Content-Type"] == "application/json"
    assert answer["x-should-retry"] in {"true", "false"}
    assert answer["X-Content-Type-Options"] == "nosniff"
    error: dict[str, Any] = body["error"]
    return error


def expect(answer: Any, status: int, type_: str, code: str, *, again: bool = False, param: str | None = None) -> str:
    error = told(answer)
    assert (answer.status_code, error["type"], error["code"], error["param"]) == (status, type_, code, param)
    assert answer["x-should-retry"] == str(again).lower()
    return str(error["message"])


INVALID = "invalid_request_error"


@QUICK
@pytest.mark.parametrize("body", ["[]", "{", '{"prompt": ', "\x00"])
def test_400_malformed_json(client: Client, key: str, body: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    answer = client.post(PATH, data=body, content_type="application/json", headers=headers)
    assert "not a JSON object" in expect(answer, 400, INVALID, "malformed_request")


@QUICK
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_400_another_content_type(client: Client, key: str, content_type: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    message = expect(
        client.post(PATH, data="x=1", content_type=content_type, headers=headers),
        400,
        INVALID,
        "unsupported_content_type",
    )
    assert "application/json or multipart/form-data" in message


@QUICK
def test_400_a_form_that_is_none(client: Client, key: str) -> None:
    answer = client.post(
        PATH, data=b"x", content_type="multipart/form-data", headers={"authorization": f"Bearer {key}"}
    )
    expect(answer, 400, INVALID, "malformed_request")


@QUICK
def test_400_what_is_missing_and_what_is_wrong(send: Send) -> None:
    expect(send(prompt=None), 400, INVALID, "missing_required_parameter", param="prompt")
    expect(send(n=9), 400, INVALID, "invalid_value", param="n")
    expect(send(images=[uri(png())]), 400, INVALID, "missing_required_parameter", param="model")


def test_400_when_the_engine_rejects_the_picture(send: Send, inline: list[int], team: Team) -> None:
    answer = send(prompt="@fail=rejected")
    assert expect(answer, 400, INVALID, "rejected") == "the script says rejected"
    assert ledger.balance(team.pk).available == 25 * MICRO
    assert answer["x-request-id"] == str(Generation.objects.get().id)


@QUICK
def test_401_without_a_key_with_a_wrong_one_and_with_one_that_is_over(client: Client, membership: Membership) -> None:
    over = keys.create(membership, name="over")[1]
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(1))
    for headers in ({}, {"authorization": "Bearer sk-proj-x"}, {"authorization": f"Bearer {over}"}):
        answer = client.post(PATH, headers=headers)
        expect(answer, 401, INVALID, "invalid_api_key")
        assert answer["WWW-Authenticate"] == "Bearer"


@QUICK
def test_401_does_not_take_a_session_for_a_key(client: Client, member: User) -> None:
    client.force_login(member)
    expect(client.post(PATH), 401, INVALID, "invalid_api_key")


def test_401_where_the_key_was_deleted_a_moment_ago(send: Send, inline: list[int]) -> None:
    send()
    ApiKey.objects.all().delete()
    expect(send(), 401, INVALID, "invalid_api_key")


@QUICK
def test_403_where_the_scope_is_missing_before_anything_is_read(
    client: Client, membership: Membership, engines: Configure
) -> None:
    reader = keys.create(membership, name="reader", scopes=["read"])[1]
    answer = client.post(PATH, data={"image": "x"}, headers={"authorization": f"Bearer {reader}"})
    assert "needs the scope generate" in expect(answer, 403, INVALID, "forbidden")


@QUICK
@pytest.mark.parametrize(
    "model", ["gpt-5", "gpt-image", "my-dall-e-2", "dall-e-2 ", "DALL-E-2", "dall-e-" + "x" * 101, "\x00", "x" * 3000]
)
def test_404_unknown_model(send: Send, model: str) -> None:
    message = expect(send(model=model), 404, INVALID, "model_not_found", param="model")
    assert "bg-replace, inpaint-auto, sdxl-inpaint, sd1.5-inpainting" in message


@QUICK
@pytest.mark.parametrize("path", ["/v1/images", "/v1/images/", "/v1/images/generations", f"{PATH}/", f"{PATH}/1"])
def test_404_is_json(client: Client, key: str, path: str) -> None:
    for method in (client.get, client.post):
        assert path in expect(method(path, headers={"authorization": f"Bearer {key}"}), 404, INVALID, "not_found")


@QUICK
def test_405_says_what_is_allowed(client: Client, key: str) -> None:
    for method in (client.get, client.put, client.options):
        answer = method(PATH, headers={"authorization": f"Bearer {key}"})
        expect(answer, 405, INVALID, "method_not_allowed")
        assert answer["Allow"].partition(",")[0] == "POST"


def test_409_a_cancel_while_the_caller_waits(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generations.dispatch.attempt", lambda *_, **__: finishing.cancel(Generation.objects.get().id))
    answer = send()
    expect(answer, 409, INVALID, "canceled")
    assert Generation.objects.count() == 1


@QUICK
def test_413_a_body_over_the_limit(client: Client, key: str, settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
    headers = {"authorization": f"Bearer {key}"}
    body = b'{"prompt": "' + b"x" * (2 * 2**20) + b'"}'
    for content_type in ("application/json", "multipart/form-data; boundary=x"):
        answer = client.generic("POST", PATH, body, content_type=content_type, headers=headers)
        assert "2 MiB" in expect(answer, 413, INVALID, "body_too_large")


@QUICK
def test_429_too_few_credits_is_a_quota_that_waiting_does_not_fill(send: Send, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 1, reference=uuid.uuid4(), note="spent")
    message = expect(send(), 429, "insufficient_quota", "insufficient_quota")
    assert "0.000001" in message
    assert not Generation.objects.exists()


@pytest.mark.usefixtures("one_minute")
def test_429_over_the_rate_may_be_sent_again(send: Send, unpublished: list[int], settings: LazySettings) -> None:
    settings.RATE_LIMIT, settings.V1_DEADLINE = 1, 0.1
    send()
    answer = send()
    expect(answer, 429, "requests", "rate_limit_exceeded", again=True)
    assert int(answer["Retry-After"]) <= 60
    assert answer["RateLimit"].startswith('"default";r=0;t=')
    assert Generation.objects.count() == 1


def test_429_too_many_jobs_may_be_sent_again(send: Send, unpublished: list[int], settings: LazySettings) -> None:
    settings.TEAM_JOBS_IN_FLIGHT, settings.V1_DEADLINE = 1, 0.1
    send()
    expect(send(), 429, "requests", "too_many_jobs", again=True)


@QUICK
def test_429_too_many_fetches_may_be_sent_again(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(team_id: int, url: str) -> inputs.Source:
        raise inputs.TooManyFetches

    monkeypatch.setitem(inputs._READERS, "https://", full)
    images = [{"image_url": "https://example.com/a.png"}, uri(png())]
    expect(send(images=images), 429, "requests", "too_many_fetches", again=True)
    expect(send(images=images, size="64x64"), 429, "requests", "too_many_fetches", again=True)


# --- after a job was accepted -------------------------------------------------------------------------------


@pytest.mark.parametrize("fail", ["unavailable", "unknown"])
def test_an_engine_that_fails_is_not_asked_again(send: Send, inline: list[int], team: Team, fail: str) -> None:
    answer = send(prompt=f"@fail={fail}")
    expect(answer, 502, "server_error", "engine_failed")
    assert answer["x-request-id"] == str(Generation.objects.get().id)
    assert ledger.balance(team.pk).available == 25 * MICRO


def test_504_names_the_job_which_goes_on(
    send: Send, unpublished: list[int], settings: LazySettings, client: Client, key: str
) -> None:
    settings.V1_DEADLINE = 0.1
    answer = send()
    expect(answer, 504, "server_error", "out_of_time")
    execution.run(unpublished[0])
    generation = Generation.objects.get()
    assert generation.status == Status.SUCCEEDED
    asked = client.get(f"/v1/requests/{answer['x-request-id']}", headers={"x-api-key": key})
    assert asked.json()["status"] == "COMPLETED"


def test_409_while_the_first_of_one_key_runs_may_be_sent_again(
    send: Send, unpublished: list[int], settings: LazySettings
) -> None:
    settings.V1_DEADLINE = 0.1
    send({"idempotency-key": "a"})
    answer = send({"idempotency-key": "a"})
    expect(answer, 409, INVALID, "idempotency_key_in_use", again=True)
    assert answer["x-request-id"] == str(Generation.objects.get().id)


@pytest.mark.parametrize(
    "place",
    [
        (waiting, "until_final"),
        (statements.current(), "final"),
        (openai_answers, "finished"),
        (delivery, "rendered"),
        (submission, "submit"),
        (idempotency, "Once"),
    ],
    ids=lambda place: f"{place[0].__name__.rpartition('.')[2]}.{place[1]}",
)
def test_500_never_has_a_client_try_again(
    send: Send, inline: list[int], monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]
) -> None:
    """Wherever it breaks: what broke after the job was accepted would make a second one."""

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(*place, breaks)
    if place == (idempotency, "Once"):
        monkeypatch.setattr("generations.api.repetition.Once", breaks)
    answer = send({"idempotency-key": "a"})
    assert "secret" not in expect(answer, 500, "server_error", "internal_error")
    if Generation.objects.exists():
        assert answer["x-request-id"] == str(Generation.objects.get().id)


def test_404_for_a_picture_that_is_no_longer_kept(
    send: Send, inline: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(name: str) -> bytes:
        if name.startswith("outputs/"):
            raise delivery.Lost(name)
        return read(name)

    read = delivery.read
    monkeypatch.setattr(delivery, "read", lost)
    expect(send(), 404, INVALID, "picture_lost")


@QUICK
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told(kind: str) -> None:
    problem = KINDS[kind].sample()
    answer = openai_errors.answer(problem, uuid.UUID(int=1))
    error = answer.data["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert all(isinstance(error[name], str) and error[name] for name in ("message", "type", "code"))
    assert answer.headers["x-request-id"] == str(uuid.UUID(int=1))
    # Of what the clients send again without being asked, only what certainly made no job may be.
    if answer.status_code >= 500:
        assert answer.headers["x-should-retry"] == "false"


@QUICK
def test_a_kind_that_is_told_otherwise_is_one() -> None:
    known = Path(problems.__file__).read_text()
    assert all(f'"{kind}"' in known for kind in {*openai_errors.KINDS, *openai_errors.RETRIED})


@QUICK
@pytest.mark.parametrize(
    "path",
    ["images/generations", "chat/completions", "embeddings", "audio/speech", "responses", "moderations", "batches"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_404_in_their_shape_for_what_else_openais_clients_call(
    client: Client, key: str, path: str, method: str
) -> None:
    answer = client.generic(method, f"/v1/{path}", headers={"authorization": f"Bearer {key}"})
    assert "POST /v1/images/edits" in expect(answer, 404, INVALID, "not_found")
