"""Thumbnails and fidelity figures."""

import io
import uuid
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from generations import delivery, derivatives
from generations.models import Output
from tests.conftest import run_at_once
from tests.jobs import Submit, mask, png

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_thumbnail_of_each_output(submit: Submit, inline: list[int]) -> None:
    generation = submit(samples=3, image=png(1200, 600))
    derivatives.make(generation.id)
    for output in Output.objects.all():
        image = Image.open(io.BytesIO(delivery.read(output.thumbnail)))
        assert (image.format, image.size) == ("WEBP", (512, 256))
        assert output.thumbnail.endswith(f"{output.number}.thumbnail.webp")
        assert output.fidelity is None


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2048, 1), (1, 300)])
def test_a_picture_of_odd_shape(submit: Submit, inline: list[int], width: int, height: int) -> None:
    generation = submit(image=png(width, height))
    derivatives.make(generation.id)
    output = Output.objects.get()
    assert (output.width, output.height) == (width, height)
    assert min(Image.open(io.BytesIO(delivery.read(output.thumbnail))).size) == 1


@pytest.mark.parametrize("model", ["sdxl-inpaint", "sd1.5-inpainting"])
def test_fidelity_says_that_what_had_to_stay_stayed(submit: Submit, inline: list[int], model: str) -> None:
    generation = submit(model=model, mask=mask())
    derivatives.make(generation.id)
    assert Output.objects.get().fidelity == {
        "changed_pixels": 0,
        "changed_share": 0.0,
        "delta_e_mean": 0.0,
        "delta_e_max": 0.0,
        "ssim": 1.0,
    }


def test_fidelity_sees_what_was_changed(submit: Submit, inline: list[int]) -> None:
    generation = submit(model="sdxl-inpaint", mask=mask())
    output = Output.objects.get()
    output.file = default_storage.save("outputs/x/0.png", ContentFile(png(colour=(0, 0, 0), mode="RGB")))
    output.keep = default_storage.save("outputs/x/keep.png", ContentFile(png(colour=255, mode="L")))
    output.save()
    derivatives.make(generation.id)
    output.refresh_from_db()
    assert output.fidelity is not None
    assert output.fidelity["changed_pixels"] == 32 * 32
    assert output.fidelity["changed_share"] == 1.0
    assert output.fidelity["delta_e_mean"] > 20


def test_it_is_safe_to_run_twice_and_at_once(submit: Submit, inline: list[int]) -> None:
    generation = submit()
    run_at_once(lambda _: derivatives.make(generation.id), 6)
    derivatives.make(generation.id)
    output = Output.objects.get()
    folder = Path(default_storage.path(output.file)).parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [Path(output.file).name, Path(output.thumbnail).name]
    )


def test_a_generation_without_outputs_is_left_alone(submit: Submit, unpublished: list[int]) -> None:
    derivatives.make(submit().id)
    derivatives.make(uuid.uuid4())
    assert not Output.objects.exists()
