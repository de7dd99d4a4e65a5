"""What a body may cost: one with ever so many names, or with one that is ever so long, is refused in short."""

import json
import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import Team, User
from generations import catalogue
from generations.api import bodies, job_headers
from generations.catalogue.validation import MOST_UNKNOWN
from tests.doors import Post, encoded
from tests.portal import Api, key_of, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpublished")]

SHORT = 8000
"""Characters of an answer."""
PREDICTIONS, EDITS = "/v1/predictions", "/v1/images/edits"


def names(count: int, length: int = 190) -> dict[str, int]:
    return {f"num_infer{number:0{length}d}": 1 for number in range(count)}


@pytest.fixture
def key(member: User, team: Team) -> str:
    """A key with every scope, for the portal too."""
    return key_of(member, team)


# --- one long name ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [" - at `$", "field `", " - at `$.name`", "Object missing required field `"])
@pytest.mark.parametrize("path", ["/api/collections", "/api/keys", "/api/webhooks"])
def test_a_name_of_a_megabyte_costs_no_time(api: Api, admins: Api, part: str, path: str) -> None:
    name = part * (2**20 // len(part)) + "\n"
    began = time.thread_time()
    answer = admins("POST", path, {"name": "a", name: 1})
    assert time.thread_time() - began < 2  # it was minutes
    assert "unknown" in problem(answer, 422, "invalid_input")
    assert len(answer.content) < 2000


@pytest.mark.parametrize("value", ["x" * 2**20, " - at `$" * 2**17 + "\n", " - at `$.name`" * 2**10])
def test_a_value_of_a_megabyte_is_told_in_short(api: Api, value: str) -> None:
    began = time.thread_time()
    answer = api("POST", "/api/collections", {"name": "a", "visibility": value})
    assert time.thread_time() - began < 2
    assert problem(answer, 422, "invalid_input").startswith("visibility: ")
    assert len(answer.content) < 2000
    assert answer.json()["errors"][0]["pointer"] == "#/visibility"


def test_long_names_of_scopes_are_told_in_short(api: Api) -> None:
    for field in ("scopes", "models"):
        wrong = {"name": "a", field: ["x" * 2**18, *(f"n{number}" for number in range(1000))]}
        answer = api("POST", "/api/keys", wrong)
        assert "and 996 more" in problem(answer, 422, "invalid_input")
        assert len(answer.content) < 2000


# --- many names ---------------------------------------------------------------------------------------------


def test_the_first_unknown_names_are_told_and_the_others_counted() -> None:
    with pytest.raises(catalogue.InvalidInput) as caught:
        catalogue.validate(catalogue.get("bg-replace"), {**encoded(), **names(1000, 4)}, unknown="refuse")
    *told, rest = caught.value.errors
    assert [error.field for error in told] == list(names(MOST_UNKNOWN, 4))
    assert rest.message == "and 980 more unknown names"


def test_as_many_as_are_told_need_no_count() -> None:
    with pytest.raises(catalogue.InvalidInput) as caught:
        catalogue.validate(catalogue.get("bg-replace"), {**encoded(), **names(MOST_UNKNOWN)}, unknown="refuse")
    assert len(caught.value.errors) == MOST_UNKNOWN


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (PREDICTIONS, {"version": "official/bg-replace", "input": encoded(), **names(4000)}, 422),
        (PREDICTIONS, {"version": "official/bg-replace", "input": {**encoded(), **names(4000)}}, 422),
        (EDITS, {"model": "bg-replace", **encoded(), **names(4000)}, 400),
        ("/api/collections", {"name": "a", **names(4000)}, 422),
    ],
    ids=["members", "input", "openai", "portal"],
)
def test_thousands_of_names_make_a_short_answer(post: Post, path: str, body: Any, status: int) -> None:
    answer = post(path, body)
    assert answer.status_code == status, answer.content[:300]
    assert "3,980 more unknown names" in answer.content.decode()
    assert len(answer.content) < 2 * SHORT


def test_what_no_field_is_wrong_with_points_to_the_whole(post: Post) -> None:
    body = {"version": "official/bg-replace", "input": {**encoded(), **names(30)}}
    assert post(PREDICTIONS, body).json()["errors"][-1]["pointer"] == "#/input"
    assert post("/api/collections", {"name": "a", **names(30)}).json()["errors"][-1]["pointer"] == "#"


def test_one_long_name_is_cut_at_every_door(post: Post) -> None:
    long = {"n" * 2**20: 1}
    sent: dict[str, Any] = {
        PREDICTIONS: {"version": "official/bg-replace", "input": {**encoded(), **long}},
        EDITS: {"model": "bg-replace", **encoded(), **long},
        "/api/collections": {"name": "a", **long},
    }
    for path, body in sent.items():
        answer = post(path, body)
        assert answer.status_code in (400, 422)
        assert len(answer.content) < 2000


# --- many values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        b",".join(b'"%d":1' % number for number in range(bodies.MOST_VALUES)),
        b'"x":[' + b",".join([b"1"] * bodies.MOST_VALUES) + b"]",
        b'"x":[' + b",".join([b"[]"] * (bodies.MOST_VALUES // 2)) + b"]",
        b'"images":[' + b",".join([b'{"a":{}}'] * (bodies.MOST_VALUES // 2)) + b"]",
    ],
    ids=["members", "numbers", "lists", "objects"],
)
@pytest.mark.parametrize("path", ["/v1/bg-replace", "/v2/bg-replace", "/upload-asset", PREDICTIONS, EDITS, "/api/keys"])
def test_a_body_of_too_many_values_is_refused(client: Client, key: str, path: str, more: bytes) -> None:
    answer = client.post(path, b"{" + more + b"}", content_type="application/json", headers={"x-api-key": key})
    assert answer.status_code == 400
    assert "50,000 values" in answer.content.decode()


def test_one_value_less_is_read(client: Client, key: str) -> None:
    listed = {"data_urls": [1] * (bodies.MOST_VALUES - 2)}
    answer = client.post(
        "/upload-asset", json.dumps(listed), content_type="application/json", headers={"x-api-key": key}
    )
    assert "a list of 1 to 16" in answer.json()["error"]


# --- the header ---------------------------------------------------------------------------------------------


def test_the_header_of_ignored_names_is_short_whatever_they_are() -> None:
    names = [chr(0x1F600 + number) * 60 for number in range(50)]
    header = job_headers.ignored(names)["x-ignored-parameters"]
    assert header.isascii()
    assert len(header) < 1500
    assert header.endswith("and 30 more")
