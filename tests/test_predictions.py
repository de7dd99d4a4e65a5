"""A generation as the jobs API and webhooks show it: every field, in every status."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations import delivery, predictions
from generations.models import Generation
from generations.models.attempt import State
from generations.models.generation import Door, Status
from tests.hosted import make_attempt
from tests.pages import MakeRun

FIELDS = {
    "id", "created_at", "started_at", "completed_at", "data_removed", "error", "input", "logs", "metrics", "model",
    "output", "source", "status", "urls", "version",
}  # fmt: skip


def shown(run: Generation) -> dict[str, Any]:
    return predictions.prediction(Generation.objects.prefetch_related(*predictions.LOADED).get(id=run.id))


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.QUEUED, "starting"),
        (Status.RUNNING, "processing"),
        (Status.SUCCEEDED, "succeeded"),
        (Status.FAILED, "failed"),
        (Status.CANCELED, "canceled"),
    ],
)
def test_every_field_is_there_and_json_in_every_status(make_run: MakeRun, status: Status, word: str) -> None:
    told = shown(make_run(status=status))
    assert set(told) == FIELDS
    assert told["status"] == word
    assert json.loads(json.dumps(told)) == told


def test_a_picture_is_a_link_that_works_and_ends(make_run: MakeRun, settings: LazySettings) -> None:
    run = make_run(samples=2)
    told = shown(run)
    found = [delivery.output_of_link(link) for link in told["output"]]
    assert found == list(run.outputs.order_by("number"))
    assert all(0 < delivery.seconds_left(link) <= 600 for link in told["output"])
    assert told["metrics"]["fidelity"][0]["changed_pixels"] == 0


def test_a_run_that_goes_on_has_neither_output_nor_metrics(make_run: MakeRun) -> None:
    run = make_run(status=Status.RUNNING, progress=0.42, stage="finding the subject", started_at=timezone.now())
    make_attempt(run, "segmind", State.FAILED, error="It is away.")
    make_attempt(run, "classical", State.SUBMITTING, number=2)
    told = shown(run)
    assert (told["output"], told["metrics"], told["completed_at"]) == (None, {}, None)
    assert told["logs"].splitlines() == [
        "Using seed: 7",
        "segmind did not deliver: It is away.",
        "classical is working",
        "42%, finding the subject",
    ]


def test_the_seed_that_was_used_is_told_and_no_sooner_than_the_run_began(make_run: MakeRun) -> None:
    run = make_run(samples=2)
    told = shown(run)
    assert told["metrics"]["seed"] == run.outputs.get(number=0).seed == 7
    running = shown(make_run(status=Status.RUNNING, started_at=timezone.now()))
    assert running["logs"].splitlines() == ["Using seed: 7"]
    assert shown(make_run(status=Status.QUEUED))["logs"] == ""
    assert "seed" not in shown(make_run(status=Status.FAILED, finished_at=timezone.now()))["metrics"]


def test_a_failed_run_says_why_and_costs_nothing(make_run: MakeRun) -> None:
    now = timezone.now()
    told = shown(make_run(status=Status.FAILED, error="No subject was found.", finished_at=now + timedelta(seconds=2)))
    assert told["error"] == "No subject was found."
    assert told["metrics"]["cost"] == 0
    assert told["metrics"]["total_time"] > 1.5


def test_input_names_our_own_files_and_every_parameter(make_run: MakeRun, settings: LazySettings) -> None:
    run = make_run("a quay")
    told = shown(run)
    assert told["input"]["prompt"] == "a quay"
    assert told["input"]["image"] == f"{settings.PUBLIC_URL}/files/{run.inputs['image']}"
    assert told["urls"] == {
        "get": f"{settings.PUBLIC_URL}/v1/predictions/{run.id}",
        "cancel": f"{settings.PUBLIC_URL}/v1/predictions/{run.id}/cancel",
        "web": f"{settings.PUBLIC_URL}/runs/{run.id}",
    }


@pytest.mark.parametrize(("door", "source"), [(Door.WEB, "web"), (Door.JOBS, "api"), (Door.SEGMIND, "api")])
def test_source_is_the_web_or_an_api(make_run: MakeRun, door: Door, source: str) -> None:
    run = make_run()
    Generation.objects.filter(id=run.id).update(door=door)
    assert shown(run)["source"] == source


def test_deleted_pictures_are_said_to_be(make_run: MakeRun) -> None:
    run = make_run()
    run.outputs.all().delete()
    told = shown(run)
    assert (told["output"], told["data_removed"]) == (None, True)


def test_of_a_removed_run_neither_text_nor_picture_is_told(make_run: MakeRun) -> None:
    run = make_run("a secret quay")
    Generation.objects.filter(id=run.id).update(removed_at=timezone.now())
    told = shown(run)
    assert (told["input"], told["output"], told["logs"], told["data_removed"]) == ({}, None, "", True)
    assert "secret" not in json.dumps(told)


def test_what_is_loaded_is_not_asked_for_again(make_run: MakeRun) -> None:
    for _ in range(3):
        make_attempt(make_run(samples=4), "scripted", State.DONE)
    loaded = list(Generation.objects.prefetch_related(*predictions.LOADED))
    with CaptureQueriesContext(connection) as queries:
        for each in loaded:
            predictions.prediction(each)
    assert len(queries) == 0
