"""The compare page: which pictures, and which parameters differ."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from generations.models import Generation
from tests.pages import MakeRun


@pytest.fixture
def signed_in(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


def compare(client: Client, *runs: Generation) -> Any:
    return client.get("/gallery/compare", {"ids": ",".join(str(run.outputs.get(number=0).id) for run in runs)})


def rows(answer: Any) -> dict[str, list[str]]:
    return {row.label: list(row.values) for row in answer.context["differences"]}


def test_only_what_differs_is_listed(signed_in: Client, make_run: MakeRun) -> None:
    first, second = make_run("a beach"), make_run("a quay", cost=3600)
    found = rows(compare(signed_in, first, second))
    assert found["Prompt"] == ["a beach", "a quay"]
    assert found["Credits"] == ["0.0018", "0.0036"]
    assert not {"Model", "Seed used", "Size", "Engine", "By", "Scheduler"} & set(found)


def test_other_models_have_other_parameters(signed_in: Client, make_run: MakeRun) -> None:
    found = rows(compare(signed_in, make_run(), make_run(model="sdxl-inpaint")))
    assert len(set(found["Model"])) == 2
    assert any("–" in values for values in found.values())


def test_the_same_says_so(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run()
    twin = make_run()
    Generation.objects.filter(id=twin.id).update(created_at=run.created_at)
    answer = compare(signed_in, run, twin)
    assert "these pictures were made alike" in answer.content.decode()


@pytest.mark.parametrize("ids", ["", "x,y", str(uuid.UUID(int=1)), ",".join(str(uuid.UUID(int=n)) for n in range(5))])
def test_any_other_number_says_how_to_choose(signed_in: Client, ids: str) -> None:
    answer = signed_in.get("/gallery/compare", {"ids": ids})
    assert "Choose two to four pictures" in answer.content.decode()


def test_another_teams_pictures_are_not_there(client: Client, make_run: MakeRun, outsider: User) -> None:
    client.force_login(outsider)
    assert compare(client, make_run(), make_run()).status_code == 404


def test_the_number_of_queries_does_not_grow(signed_in: Client, make_run: MakeRun) -> None:
    def count(wanted: list[Generation]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert compare(signed_in, *wanted).status_code == 200
        return len(captured) - len(wanted)  # compare() itself looks up each picture

    runs = [make_run(f"prompt {number}") for number in range(4)]
    assert count(runs[:2]) == count(runs)
