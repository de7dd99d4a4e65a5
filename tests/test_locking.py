"""Product lock: size and kept pixels, whatever the engine returns."""

from typing import Any

import numpy as np
import pytest

from generations import locking
from generations.engines.base import Job, Picture, Result
from generations.engines.scripted import ScriptedEngine
from generations.imaging import decode, encode
from generations.imaging.errors import ImageError
from generations.imaging.pixels import Pixels
from tests.jobs import mask, png
from tests.pictures import laden

BLACK = (0, 0, 0)


class Exact(ScriptedEngine):
    exact = True


def job(model: str = "bg-replace", image: bytes = b"", **images: bytes) -> Job:
    params: dict[str, Any] = {"img_width": 512, "img_height": 768} if model == "sd1.5-inpainting" else {}
    return Job(model=model, params=params, images={"image": image or png(), **images}, seed=1)


def result(width: int = 64, height: int = 64, keep: bytes | None = None, colour: int = 0, count: int = 1) -> Result:
    data = encode.png(np.full((height, width, 3), colour, np.uint8))
    pictures = tuple(Picture(data, "image/png", width, height, number) for number in range(count))
    return Result(pictures, seconds=1.5, cost=7, notes=("a note",), keep=keep)


def conform(given: Job, made: Result, *, lock: bool = False, exact: bool = False) -> Result:
    return locking.conform((Exact if exact else ScriptedEngine)("test"), given, made, lock=lock)


def pixels(made: Result, number: int = 0) -> Pixels:
    return decode.decode(made.pictures[number].data)


def test_a_result_without_mask_passes_as_it_is() -> None:
    made = result()
    assert conform(job(), made) == made


def test_s4_no_metadata_of_an_engine_comes_out_and_the_bytes_say_what_they_are() -> None:
    seen = laden("JPEG")
    said = Picture(seen, "image/png", 9999, 1, 5)
    [picture] = conform(job(image=png(64, 48)), Result((said,), seconds=1.0, cost=1)).pictures
    assert b"Exif" in seen
    assert b"Exif" not in picture.data
    assert (picture.width, picture.height, picture.seed) == (64, 48, 5)


def test_what_is_no_picture_is_an_error_of_the_engine() -> None:
    with pytest.raises(ImageError):
        conform(job(), Result((Picture(b"<html>", "image/jpeg", 64, 64, 1),), seconds=1.0, cost=1))


def test_with_a_mask_the_rest_is_the_inputs_and_the_middle_the_engines() -> None:
    made = conform(job("sdxl-inpaint", mask=mask()), result(count=2))
    keep = decode.decode_mask(mask(), 64, 64) == 0
    original = decode.decode(png())
    for number in (0, 1):
        assert (pixels(made, number)[keep] == original[keep]).all()
        assert (pixels(made, number)[24:40, 24:40] == 0).all()
    assert [picture.seed for picture in made.pictures] == [0, 1]
    assert (made.seconds, made.cost, made.notes) == (1.5, 7, ("a note",))
    assert made.keep is not None
    assert ((decode.decode_mask(made.keep, 64, 64) == 255) == keep).all()


def test_the_grey_of_a_mask_fades_from_the_input_into_the_picture() -> None:
    """White is the engine's, darker than half is the input's, and what lies between goes from one to the other."""
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None], 64, axis=0)
    made = conform(job("sdxl-inpaint", png(colour="white"), mask=encode.png(ramp)), result())
    row = pixels(made)[32, :, 0]
    assert (row[:32] == 255).all()
    assert (row[60:] == 0).all()
    assert (np.diff(row[31:61].astype(int)) < 0).all()
    assert made.keep is not None
    assert ((decode.decode_mask(made.keep, 64, 64) == 255) == (ramp < 128)).all()


def test_an_engine_that_vouches_for_it_is_believed_if_the_size_fits() -> None:
    made = result()
    assert conform(job("sdxl-inpaint", mask=mask()), made, exact=True) == made
    assert conform(job("sdxl-inpaint", mask=mask()), result(32, 32), exact=True).pictures[0].width == 64


def test_a_mask_of_another_size_is_scaled_to_the_image() -> None:
    made = conform(job("sdxl-inpaint", mask=mask(8, 8)), result())
    assert (pixels(made)[:16] == decode.decode(png())[:16]).all()
    assert (pixels(made)[28:36, 28:36] == 0).all()


def test_an_automatic_subject_is_pasted_only_where_it_was_asked_for() -> None:
    keep = encode.png(np.pad(np.full((32, 32), 255, np.uint8), 16))
    made = result(keep=keep)
    assert conform(job(), made) == made
    locked = conform(job(), made, lock=True)
    assert (pixels(locked)[16:48, 16:48] == decode.decode(png())[16:48, 16:48]).all()
    assert (pixels(locked)[:8] == 0).all()


def test_a_lock_without_a_subject_changes_nothing() -> None:
    made = result()
    assert conform(job(), made, lock=True) == made


@pytest.mark.parametrize(("width", "height"), [(32, 32), (128, 64), (1, 1), (2048, 3)])
def test_a_picture_of_another_size_is_brought_to_the_promised_one(width: int, height: int) -> None:
    made = conform(job(), result(width, height, colour=90))
    assert (made.pictures[0].width, made.pictures[0].height) == (64, 64)
    assert pixels(made).shape == (64, 64, 3)
    assert (pixels(made) == 90).all()


def test_the_size_is_that_of_the_upright_input() -> None:
    assert locking.output_size(job(image=laden("JPEG", orientation=6))) == (32, 48)
    assert locking.output_size(job("sd1.5-inpainting", mask=mask())) == (512, 768)


def test_a_named_size_crops_input_and_mask_alike() -> None:
    made = conform(job("sd1.5-inpainting", png(100, 60), mask=mask(100, 60)), result(512, 768))
    assert pixels(made).shape == (768, 512, 3)
    assert (pixels(made)[384, 256] == 0).all()
    assert (pixels(made)[10] == 255).all()
