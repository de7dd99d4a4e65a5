"""Fixtures for tests of pages: static files without a manifest, and runs that have ended, with their files."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Team, User
from generations import catalogue, inputs
from generations.models import Generation, Output
from generations.models.generation import Door, Status
from tests.jobs import mask, png

MakeRun = Callable[..., Generation]

HTMX = {"HX-Request": "true"}
UNCHANGED = {"changed_pixels": 0, "changed_share": 0.0, "delta_e_mean": 0.0, "delta_e_max": 0.0, "ssim": 1.0}


@pytest.fixture(autouse=True)
def _plain_static(settings: LazySettings) -> None:
    """Let pages name their static files as they lie in static/: nothing is collected for a test."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def _inputs(team: Team, model: str) -> dict[str, str]:
    pictures = {"image": png(), "ref_image": png(colour=(10, 90, 200)), "mask": mask()}
    given = {name: pictures[name] for name in catalogue.get(model).image_names}
    return {name: str(asset.id) for name, asset in inputs.ingest(team.pk, given).items()}


def _output(generation: Generation, number: int, *, ready: bool) -> Output:
    folder = f"outputs/{generation.id}"
    name = default_storage.save(f"{folder}/{number}.png", ContentFile(png(colour=(20, 160, 60))))
    thumbnail = default_storage.save(f"{folder}/{number}.webp", ContentFile(b"thumbnail")) if ready else ""
    return Output(
        generation=generation,
        number=number,
        file=name,
        content_type="image/png",
        width=64,
        height=64,
        size=default_storage.size(name),
        seed=generation.seed + number,
        keep="keep.png",
        thumbnail=thumbnail,
        fidelity=UNCHANGED if ready else None,
    )


@pytest.fixture
def make_run(team: Team, member: User) -> MakeRun:
    """Return a function that makes a run of the member's, ended or not, newest unless `age` (seconds) says else."""

    def make(
        prompt: str = "a beach",
        *,
        model: str = "bg-replace",
        samples: int = 1,
        status: str = Status.SUCCEEDED,
        age: float = 0.0,
        ready: bool = True,
        **more: Any,
    ) -> Generation:
        succeeded = status == Status.SUCCEEDED
        ended = timezone.now() - timedelta(seconds=age)
        facts: dict[str, Any] = (
            {"cost": 1800, "engine": "scripted", "seconds": 1.2, "finished_at": ended} if succeeded else {}
        )
        facts = {"user": member, **facts, **more}
        made = Generation.objects.create(
            id=uuid.uuid4(),
            team=team,
            door=Door.WEB,
            model=model,
            params={**catalogue.get(model).defaults, "prompt": prompt, "samples": samples},
            inputs=_inputs(team, model),
            seed=7,
            status=status,
            estimate=2000,
            quote=4000,
            created_at=ended,
            **facts,
        )
        if succeeded:
            Output.objects.bulk_create(_output(made, number, ready=ready) for number in range(samples))
        return made

    return make
