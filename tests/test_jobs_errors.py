"""The errors of the jobs API: application/problem+json, the field named by a pointer, and nothing made."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts import keys, ledger
from accounts.credits import MICRO
from accounts.models import Entry, Team, User
from generations.models import Generation
from tests.doors import Post, encoded
from tests.jobs import Configure

pytestmark = pytest.mark.django_db

CREATE = "/v1/models/official/bg-replace/predictions"
HOOK = "https://example.com/hook"


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    """Return a problem, after a look at what every one has."""
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), told
    assert told["status"] == status
    assert told["type"].endswith(f"#{kind}")
    assert told["title"] == kind.replace("_", " ").capitalize()
    assert told["detail"]
    assert answer["x-request-id"]
    assert not Generation.objects.exists()
    assert not Entry.objects.filter(kind="hold").exists()
    return told


def pointers(told: dict[str, Any]) -> list[str]:
    return [each["pointer"] for each in told["errors"]]


# --- the body -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "pointer", "words"),
    [
        ({"nonsense": 1}, "#/input/nonsense", ["nonsense", "bg-replace"]),
        ({"promt": "x"}, "#/input/promt", ["promt", "did you mean prompt"]),
        ({"a/b~c": 1}, "#/input/a~1b~0c", ["a/b~c"]),
        ({"samples": 9}, "#/input/samples", ["samples", "9", "1 to 4"]),
        ({"prompt": None}, "#/input/prompt", ["prompt is required"]),
        ({"image": "https://10.0.0.1/a.png"}, "#/input/image", ["image", "10.0.0.1"]),
        ({"image": "%%%"}, "#/input/image", ["image"]),
        ({"scheduler": "nope"}, "#/input/scheduler", ["scheduler", "nope"]),
    ],
)
def test_a_wrong_input_is_422_and_named(
    post: Post, unpublished: list[int], raw: dict[str, Any], pointer: str, words: list[str]
) -> None:
    told = problem(post(CREATE, {"input": encoded(**raw)}), 422, "invalid_input")
    assert pointers(told) == [pointer]
    assert all(word in told["errors"][0]["detail"] for word in words), told
    assert all(word in told["detail"] for word in words)


def test_everything_that_is_wrong_is_named_at_once(post: Post, unpublished: list[int]) -> None:
    told = problem(post(CREATE, {"input": {"samples": 0, "x": 1}}), 422, "invalid_input")
    assert pointers(told) == ["#/input/image", "#/input/ref_image", "#/input/prompt", "#/input/samples", "#/input/x"]


@pytest.mark.parametrize(
    ("body", "pointer", "word"),
    [
        ({}, "#/input", "missing"),
        ({"input": None}, "#/input", "null"),
        ({"input": "a beach"}, "#/input", "a beach"),
        ({"input": []}, "#/input", "a list"),
        ({"input": {}, "prompt": "x"}, "#/prompt", 'belongs under "input"'),
        ({"input": {}, "inputs": {}}, "#/inputs", "allowed are input"),
        ({"input": {}, "version": "official/bg-replace"}, "#/version", "allowed are input"),
        ({"input": {}, "dry_run": "yes"}, "#/dry_run", "true or false"),
        ({"input": {}, "stream": True}, "#/stream", "streams are not served"),
        ({"input": {}, "webhook": "http://10.0.0.1/"}, "#/webhook", "https is allowed"),
        ({"input": {}, "webhook": 7}, "#/webhook", "a URL is required"),
        ({"input": {}, "webhook_events_filter": ["completed"]}, "#/webhook", "a URL is required"),
        ({"input": {}, "webhook_completed": "x"}, "#/webhook_completed", "webhook_completed"),
        (
            {"input": {}, "webhook": HOOK, "webhook_events_filter": ["done"]},
            "#/webhook_events_filter",
            "allowed are start, output, logs, completed",
        ),
        ({"input": {}, "webhook": HOOK, "webhook_completed": HOOK}, "#/webhook_completed", "stands alone"),
    ],
)
def test_a_wrong_member_of_the_body_is_422_and_named(
    post: Post, unpublished: list[int], body: dict[str, Any], pointer: str, word: str
) -> None:
    told = problem(post(CREATE, body), 422, "invalid_input")
    assert pointers(told) == [pointer]
    assert word in told["detail"]


@pytest.mark.parametrize(
    "version",
    [None, 7, "", "bg-replace", "nobody/bg-replace", "official/nothing", "official/bg-replace:0", "0" * 64],
)
def test_a_version_that_is_none_is_422_and_says_what_there_is(
    post: Post, unpublished: list[int], version: object
) -> None:
    told = problem(post("/v1/predictions", {"version": version, "input": encoded()}), 422, "invalid_input")
    assert pointers(told) == ["#/version"]
    assert "official/bg-replace" in told["detail"]


@pytest.mark.parametrize("body", ["{", "[1]", " ", '"text"', '{"input": {"prompt": }}', "\xff", "{" * 3000])
def test_malformed_json_is_400(client: Client, key: str, engines: Configure, body: str) -> None:
    answer = client.post(
        CREATE, data=body.encode("latin-1"), content_type="application/json", headers={"x-api-key": key}
    )
    assert "JSON" in problem(answer, 400, "malformed_request")["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_a_body_that_is_no_json_is_415(client: Client, key: str, engines: Configure, kind: str) -> None:
    answer = client.post(CREATE, data=b"{}", content_type=kind, headers={"x-api-key": key})
    assert "application/json" in problem(answer, 415, "unsupported_content_type")["detail"]


def test_a_body_over_the_limit_is_413(client: Client, key: str, engines: Configure, settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = client.post(
        CREATE, data=json.dumps({"input": encoded()}), content_type="application/json", headers={"x-api-key": key}
    )
    problem(answer, 413, "body_too_large")


# --- who and what -------------------------------------------------------------------------------------------


def test_too_few_credits_are_402_with_both_figures(post: Post, unpublished: list[int], team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 7, reference=uuid.uuid4(), note="spent")
    told = problem(post(CREATE, {"input": encoded()}), 402, "insufficient_credits")
    quote = post(CREATE, {"input": encoded(), "dry_run": True}).json()["quote"]
    assert (told["balance"], told["required"]) == (0.000007, quote)


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "ss_wrong"}, {"authorization": "Bearer ss_wrong"}])
@pytest.mark.parametrize("path", [CREATE, "/v1/predictions", "/v1/models", "/v1/files", "/v1/account"])
def test_no_key_or_a_wrong_one_is_401(client: Client, db: None, path: str, headers: dict[str, str]) -> None:
    answer = client.get(path, headers=headers)
    assert answer["WWW-Authenticate"] == "Bearer"
    problem(answer, 401, "unauthorized")


def test_a_session_is_no_key(client: Client, member: User) -> None:
    client.force_login(member)
    problem(client.get("/v1/predictions"), 401, "unauthorized")


def test_a_key_that_only_reads_makes_nothing(client: Client, member: User, engines: Configure) -> None:
    _, reads = keys.create(member.memberships.get(), name="reads", scopes=["read"])
    answer = client.post(
        CREATE, json.dumps({"input": encoded()}), content_type="application/json", headers={"x-api-key": reads}
    )
    problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/models/nobody/bg-replace", "unknown_model"),
        ("/v1/models/official/nothing", "unknown_model"),
        ("/v1/models/nothing", "unknown_model"),
        ("/v1/models/official/bg-replace/versions/7", "not_found"),
        ("/v1/models/official/bg-replace/what", "not_found"),
        (f"/v1/predictions/{uuid.UUID(int=7)}", "not_found"),
        ("/v1/predictions/7", "not_found"),
        ("/v1/predictions/", "not_found"),
        (f"/v1/files/{uuid.UUID(int=7)}", "not_found"),
        ("/v1/files/", "not_found"),
        ("/v1/models/", "not_found"),
    ],
)
def test_what_there_is_not_is_404(get: Callable[[str], Any], path: str, kind: str) -> None:
    problem(get(path), 404, kind)


def test_another_owner_s_model_is_404(post: Post, unpublished: list[int], outsider: User) -> None:
    theirs = outsider.memberships.get().team.slug
    for owner in (theirs, "nobody"):
        answer = post(f"/v1/models/{owner}/bg-replace/predictions", {"input": encoded()})
        assert "there are official and perfumers" in problem(answer, 404, "unknown_model")["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "/v1/predictions"),
        ("get", CREATE),
        ("post", "/v1/models"),
        ("delete", f"/v1/predictions/{uuid.UUID(int=7)}"),
        ("get", f"/v1/predictions/{uuid.UUID(int=7)}/cancel"),
        ("options", "/v1/predictions"),
    ],
)
def test_another_method_is_405(client: Client, key: str, method: str, path: str) -> None:
    answer = getattr(client, method)(path, headers={"x-api-key": key})
    problem(answer, 405, "method_not_allowed")
    assert answer["Allow"]


@pytest.mark.parametrize(
    "query", ["cursor=x", "limit=0", "limit=101", "created_after=soon", "created_before=2026-02-30", "page=2"]
)
def test_a_wrong_query_is_400_and_named(get: Callable[[str], Any], query: str) -> None:
    told = problem(get(f"/v1/predictions?{query}"), 400, "malformed_request")
    assert query.partition("=")[0] in told["detail"]


@pytest.mark.usefixtures("one_minute")
def test_over_the_limit_is_429_and_says_when(post: Post, unpublished: list[int], settings: LazySettings) -> None:
    settings.RATE_LIMIT = 1
    post(CREATE, {"input": {}})
    answer = post(CREATE, {"input": encoded()})
    problem(answer, 429, "rate_limited")
    assert int(answer["Retry-After"]) >= 1
    assert answer["RateLimit"].startswith('"default";r=0;t=')
    assert answer["x-rate-limit-reset-at-utc"]


def test_our_own_fault_is_500_and_says_nothing_of_it(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("generations.submission.submit", burst)
    told = problem(post(CREATE, {"input": encoded()}), 500, "internal_error")
    assert "secret" not in json.dumps(told)


def test_an_answer_opened_by_a_browser_runs_nothing(post: Post, unpublished: list[int]) -> None:
    for answer in (post(CREATE, {"input": encoded()}), post(CREATE, {}), post("/v1/predictions/x", {})):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "path", ["deployments", "deployments/a/b/predictions", "hardware", "collections/x", "trainings", "search"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_else_replicates_clients_call_is_told_in_their_shape(
    client: Client, key: str, path: str, method: str
) -> None:
    answer = client.generic(method, f"/v1/{path}", headers={"authorization": f"Bearer {key}"})
    assert "of Replicate's API there are predictions" in problem(answer, 404, "not_found")["detail"]


def test_a_search_for_models_is_told_where_they_are_listed(client: Client, key: str) -> None:
    answer = client.generic("QUERY", "/v1/models", "cat", "text/plain", headers={"authorization": f"Bearer {key}"})
    assert "GET lists all of them" in problem(answer, 405, "method_not_allowed")["detail"]
    assert "GET" in answer["Allow"]
