"""The OpenAPI document is valid, complete, the one in tests/openapi.json, and its examples are what it says."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.validation import validate_schema

from accounts.models import User
from generations import catalogue, reference
from generations.api import described, problems, samples
from generations.api.kinds import KINDS
from generations.catalogue import schema
from generations.models.generation import Fault

SNAPSHOT = Path(__file__).parent / "openapi.json"
RENEW = "the API has changed; where that was meant, `make schema` renews tests/openapi.json"
API = Path(problems.__file__).parent


@pytest.fixture
def document(settings: LazySettings) -> reference.Document:
    settings.PUBLIC_URL = "https://sceneshift.example"
    return reference.document()


def operations(document: reference.Document) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_valid_openapi_3_1(document: reference.Document) -> None:
    """Against the OpenAPI initiative's own schema of 3.1, which drf-spectacular brings along."""
    assert document["openapi"].startswith("3.1")
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_every_schema_in_it_is_valid_json_schema(document: reference.Document) -> None:
    for each in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(each)


def test_every_reference_leads_somewhere(document: reference.Document) -> None:
    found = set(_references(document))
    assert found
    for pointer in found:
        node = document
        for step in pointer.removeprefix("#/").split("/"):
            node = node[step]


def test_it_is_the_one_that_was_agreed_on(document: reference.Document) -> None:
    assert document == json.loads(SNAPSHOT.read_text()), RENEW


def test_the_command_writes_it(document: reference.Document, tmp_path: Path) -> None:
    call_command("openapi", out=tmp_path / "openapi.json")
    assert json.loads((tmp_path / "openapi.json").read_text()) == document


@pytest.mark.django_db
def test_it_is_served_as_json_and_yaml_to_anybody(client: Client, document: reference.Document, member: User) -> None:
    answer = client.get("/api/schema")
    assert (answer.status_code, answer["content-type"]) == (200, "application/json")
    assert answer.json() == document
    client.force_login(member)
    assert yaml.safe_load(client.get("/api/schema?format=yaml").content) == document
    wrong = client.get("/api/schema?format=xml")
    assert (wrong.status_code, wrong["content-type"]) == (400, "application/problem+json")
    assert wrong.json()["detail"] == "format: 'xml' is not one of json, yaml"


def test_every_address_of_the_api_is_in_it() -> None:
    """A view says what it takes and answers, or it is not served: see generations/api/described.py."""
    missing = [
        f"{method} {path}"
        for path, _, method, callback in EndpointEnumerator().get_api_endpoints()  # type: ignore[no-untyped-call]
        if method.lower() not in vars(callback)["initkwargs"].get("schema", described.of(callback.cls)).operations
    ]
    assert not missing, missing


def test_every_model_is_an_operation_of_its_own_with_every_parameter(document: reference.Document) -> None:
    for slug, model in catalogue.MODELS.items():
        for version in ("v1", "v2"):
            content = document["paths"][f"/{version}/{slug}"]["post"]["requestBody"]["content"]
            taken = _resolved(document, content["application/json"]["schema"])
            assert taken == json.loads(json.dumps(schema.input_schema(model, unknown="ignore")))
            form = _resolved(document, content["multipart/form-data"]["schema"])
            assert {name for name, each in form["properties"].items() if each.get("format") == "binary"} == {
                *model.image_names
            }


def test_operations_are_named_once(document: reference.Document) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


def test_every_example_is_what_its_schema_says(document: reference.Document) -> None:
    checked = 0
    for name, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            shown = [each["value"] for each in media.get("examples", {}).values()]
            for example in [*shown, *([media["example"]] if "example" in media else [])]:
                jsonschema.validate(example, {**media["schema"], "components": document["components"]})
                checked += 1
        assert operation["summary"], name
    assert checked > 100


def test_every_problem_that_the_code_knows_is_explained() -> None:
    """The kinds are read from the source: a new one without a row in kinds.py fails here."""
    named = {str(kind) for path in API.glob("*.py") for kind in _kinds(ast.parse(path.read_text()))}
    assert {"invalid_input", "rate_limited", "too_many_jobs", "internal_error", "canceled"} <= named
    named |= {kind for kind, _ in problems._FAULTS.values()} | set(problems._FRAMEWORK.values())
    assert named == set(KINDS)
    assert set(problems._FAULTS) == set(Fault)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_one_of_its_kind(kind: str) -> None:
    sample = KINDS[kind].sample()
    assert sample.kind == kind
    assert sample.status >= 400
    assert sample.detail


def test_errors_have_a_code_at_each_door(document: reference.Document) -> None:
    told = {each["kind"]: each for each in document["x-problems"]}
    assert list(told) == list(KINDS)
    assert told["insufficient_credits"]["codes"]["Segmind API"] == 406
    assert all(each["codes"] and each["means"] and each["remedy"] for each in told.values())


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_the_sample_of_an_input_is_good(slug: str) -> None:
    model = catalogue.get(slug)
    assert catalogue.validate(model, samples.of(model), unknown="refuse").params["prompt"]


def test_it_is_made_once(document: reference.Document) -> None:
    assert reference.document() is document


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _resolved(document: reference.Document, node: dict[str, Any]) -> Any:
    return document["components"]["schemas"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def _kinds(tree: ast.AST) -> Iterator[object]:
    """Yield the first argument of everything that makes a problem, where it is written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0]
            if name in {"Problem", "_plain", "_said", "_again_in"} and isinstance(first, ast.Constant):
                yield first.value
