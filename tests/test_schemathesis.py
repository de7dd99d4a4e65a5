"""schemathesis sends what the OpenAPI document allows, and what not: no answer is a 5xx, or one that it does not name.

In this process, over WSGI, with a scripted engine that does each job at once; the same cases every time.
"""

import copy
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from generations import catalogue, reference
from generations.models.generation import Status
from tests.jobs import Configure
from tests.pages import MakeRun

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def described(*, covering: bool) -> OpenApiSchema:
    """Return the API as its document has it; `covering`: with a case for each bound of each parameter."""
    loaded = schemathesis.openapi.from_dict(reference.document())
    loaded.app = get_wsgi_application()
    loaded.config.phases.coverage.enabled = covering
    return loaded


api, api_in_short = described(covering=True), described(covering=False)


@pytest.fixture(autouse=True)
def _at_once(engines: Configure, inline: list[int]) -> None:
    """Do each job at once."""


@api.parametrize()
@BOUNDED
def test_with_a_key(case: Case[Any], key: str) -> None:
    case.call_and_validate(headers={"x-api-key": key}, checks=CHECKS)


@api_in_short.parametrize()
@settings(BOUNDED, max_examples=2)
def test_without_a_key(case: Case[Any]) -> None:
    answer = case.call_and_validate(headers={}, checks=CHECKS)
    is_open = case.operation.definition.raw["security"] == []
    assert is_open or answer.status_code in (401, 413) or "there is no such address" in answer.text, answer.text


@pytest.mark.parametrize("path", [f"/{version}/{slug}" for version in ("v1", "v2") for slug in catalogue.MODELS])
def test_the_example_of_a_model_runs_as_it_stands(path: str, key: str) -> None:
    operation = api[path]["POST"]
    example = operation.definition.raw["requestBody"]["content"]["application/json"]["example"]
    case = operation.Case(body=example, media_type="application/json")
    assert case.call_and_validate(headers={"x-api-key": key}, checks=CHECKS).status_code == 200


@pytest.mark.parametrize("status", Status)
def test_a_request_is_told_as_it_says(status: Status, make_run: MakeRun, key: str) -> None:
    made = make_run(status=status)
    for path in [path for path in api if "/requests/{request_id}" in path]:
        case = api[path]["GET"].Case(path_parameters={"request_id": str(made.id)})
        answer = case.call_and_validate(headers={"x-api-key": key}, checks=CHECKS)
        assert answer.status_code == (422 if status in (Status.FAILED, Status.CANCELED) else 200)


@pytest.mark.parametrize("status", Status)
def test_a_prediction_is_told_as_it_says(status: Status, make_run: MakeRun, key: str) -> None:
    made = make_run(status=status)
    by_id = api["/v1/predictions/{prediction_id}"]["GET"].Case(path_parameters={"prediction_id": str(made.id)})
    for case in (by_id, api["/v1/predictions"]["GET"].Case()):
        assert case.call_and_validate(headers={"x-api-key": key}, checks=CHECKS).status_code == 200


def test_a_description_that_is_wrong_is_found_out(key: str) -> None:
    lying = copy.deepcopy(reference.document())
    lying["components"]["schemas"]["SegmindCredits"]["required"].append("debts")
    other = schemathesis.openapi.from_dict(lying)
    other.app = api.app
    with pytest.raises(BaseExceptionGroup, match="debts"):
        other["/v1/get-user-credits"]["GET"].Case().call_and_validate(headers={"x-api-key": key}, checks=CHECKS)
