"""Small pictures."""

import numpy as np
import pytest
from PIL import Image

from generations.imaging import decode, thumbnail
from generations.imaging.errors import ImageError
from tests import pictures


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(("size", "small"), [((1200, 600), (128, 64)), ((600, 1200), (64, 128)), ((50, 40), (50, 40))])
def test_the_longer_side_fits_and_nothing_is_enlarged(
    format_: str, size: tuple[int, int], small: tuple[int, int]
) -> None:
    data = pictures.saved(Image.fromarray(pictures.gradient(*size)), format_)
    made = thumbnail.thumbnail(data, 128)
    found = decode.probe(made)
    assert (found.content_type, found.width, found.height) == ("image/webp", *small)
    expected = np.asarray(Image.fromarray(pictures.gradient(*size)).resize(small, Image.Resampling.BOX))
    assert np.abs(decode.decode(made).astype(int) - expected).mean() < 4


def test_it_is_upright() -> None:
    data = pictures.saved(Image.fromarray(pictures.gradient(400, 200)), "JPEG", exif=pictures.exif(6))
    found = decode.probe(thumbnail.thumbnail(data, 100))
    assert (found.width, found.height) == (50, 100)


def test_alpha_is_kept_where_it_hides_something() -> None:
    image = Image.fromarray(pictures.gradient(200, 200)).convert("RGBA")
    assert not decode.probe(thumbnail.thumbnail(pictures.saved(image, "PNG"), 64)).has_alpha
    image.putalpha(Image.new("L", (200, 200), 90))
    small = decode.decode(thumbnail.thumbnail(pictures.saved(image, "PNG"), 64), alpha=True)
    assert small[32, 32, 3] == 90


def test_it_shows_the_colours_of_a_foreign_profile() -> None:
    image = Image.new("RGB", (300, 300), (255, 0, 0))
    data = pictures.saved(image, "JPEG", icc_profile=pictures.swapped_profile())
    small = decode.decode(thumbnail.thumbnail(data, 32))
    assert small[16, 16, 1] > 200


def test_a_damaged_picture_is_refused() -> None:
    data = pictures.saved(Image.fromarray(pictures.gradient(600, 600)), "JPEG")
    with pytest.raises(ImageError):
        thumbnail.thumbnail(data[: len(data) // 2])
