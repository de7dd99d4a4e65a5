"""S4: no metadata leaves, and the picture looks as before."""

import io

import numpy as np
import pytest
from PIL import Image

from generations.imaging import decode, encode, strip, thumbnail
from tests import pictures

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
PROFILES = {"none": None, "sRGB": pictures.srgb_profile(), "foreign": pictures.swapped_profile()}


def assert_bare(data: bytes) -> None:
    """Look for metadata by its traces in the bytes, and by what Pillow finds."""
    for trace in pictures.SECRETS:
        assert trace not in data, trace
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert not image.getexif()
        allowed = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "adobe", "adobe_transform"}
        allowed |= {"progressive", "progression", "loop", "background", "timestamp", "duration"}
        assert set(image.info) <= allowed


@pytest.mark.parametrize("format_", FORMATS)
def test_the_samples_are_laden(format_: str) -> None:
    data = pictures.laden(format_, icc=PROFILES["foreign"])
    assert sum(trace in data for trace in pictures.SECRETS) >= (4 if format_ != "GIF" else 1)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_left_and_the_picture_looks_as_before(format_: str, orientation: int, profile: str) -> None:
    data = pictures.laden(format_, orientation, PROFILES[profile])
    bare = strip.strip(data)
    assert_bare(bare)
    before, after = decode.decode(data).astype(int), decode.decode(bare).astype(int)
    assert before.shape == after.shape
    assert np.abs(before - after).max() <= (12 if format_ == "JPEG" else 0)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("profile", ["none", "sRGB"])
def test_an_upright_srgb_picture_keeps_its_coded_pixels(format_: str, profile: str) -> None:
    data = pictures.laden(format_, icc=PROFILES[profile])
    bare = strip.strip(data)
    assert decode.probe(bare).format == format_
    assert np.array_equal(decode.decode(data), decode.decode(bare))
    assert strip.strip(bare) == bare


def test_what_follows_the_picture_is_gone() -> None:
    assert strip.strip(pictures.laden("JPEG") + b"ftyp-secret") == strip.strip(pictures.laden("JPEG"))


def test_a_preview_inside_a_jpeg_is_gone() -> None:
    data = pictures.laden("JPEG")
    jfif = b"\xff\xe0\x00\x13JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01\xab\xcd\xef"
    with_preview = data[:2] + jfif + data[20:]
    assert b"\xab\xcd\xef" in with_preview
    assert b"\xab\xcd\xef" not in strip.strip(with_preview)


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}])
def test_every_kind_of_jpeg_survives(options: dict[str, int]) -> None:
    image = Image.fromarray(pictures.gradient(200, 120))
    data = pictures.saved(image, "JPEG", comment=pictures.COMMENT, **options)
    bare = strip.strip(data)
    assert_bare(bare)
    assert np.array_equal(decode.decode(bare), decode.decode(data))


def test_a_jpeg_in_the_colours_of_print_comes_out_in_rgb() -> None:
    data = pictures.saved(Image.fromarray(pictures.gradient()).convert("CMYK"), "JPEG")
    with Image.open(io.BytesIO(strip.strip(data))) as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_alpha_survives(format_: str) -> None:
    image = Image.fromarray(pictures.gradient()).convert("RGBA")
    image.putalpha(Image.fromarray(pictures.gradient()[..., 0]))
    for profile in PROFILES.values():
        options = {"lossless": True} if format_ == "WEBP" else {}
        data = pictures.saved(image, format_, exif=pictures.exif(), icc_profile=profile, **options)
        bare = strip.strip(data)
        assert_bare(bare)
        assert np.array_equal(decode.decode(bare, alpha=True)[..., 3], pictures.gradient()[..., 0])


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_left(format_: str) -> None:
    bare = strip.strip(pictures.frames(5, format_))
    assert decode.probe(bare).frames == 1
    assert b"acTL" not in bare
    assert b"ANIM" not in bare


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_is_left_in_what_is_encoded_or_made_small(format_: str) -> None:
    data = pictures.laden(format_, 6, PROFILES["foreign"] if format_ != "GIF" else None)
    pixels = decode.decode(data)
    for out in (encode.png(pixels), encode.jpeg(pixels), encode.webp(pixels), thumbnail.thumbnail(data, 16)):
        assert_bare(out)
