"""Bytes into arrays: every mode and turn a picture can come in."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from generations.imaging import decode
from generations.imaging.errors import ImageError
from tests import pictures

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return how a picture is stored that EXIF says is turned so."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, 1),
        7: np.rot90(pixels, 2).transpose(1, 0, 2),
        8: np.rot90(pixels, -1),
    }[orientation]


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_comes_out_upright(format_: str, orientation: int) -> None:
    upright = pictures.gradient()
    stored = Image.fromarray(np.ascontiguousarray(turned(upright, orientation)))
    options = {"lossless": True} if format_ == "WEBP" else {}
    quality = {"quality": 100, "subsampling": 0} if format_ == "JPEG" else {}
    data = pictures.saved(stored, format_, exif=pictures.exif(orientation), **options, **quality)
    found = decode.probe(data)
    assert (found.width, found.height) == (48, 32)
    difference = np.abs(decode.decode(data).astype(int) - upright)
    assert difference.max() <= (0 if format_ != "JPEG" else 6)


def test_an_orientation_that_makes_no_sense_is_ignored() -> None:
    for exif in (
        pictures.exif(9),
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    ):
        data = pictures.saved(Image.fromarray(pictures.gradient()), "PNG", exif=exif)
        assert decode.probe(data).width == 48


@pytest.mark.parametrize("format_", FORMATS)
def test_a_probe_says_what_the_decoder_finds(format_: str) -> None:
    data = pictures.saved(Image.fromarray(pictures.gradient()), format_)
    found = decode.probe(data)
    assert found == decode.Probe(format_, f"image/{format_.lower()}", 48, 32, 1, has_alpha=False)
    pixels = decode.decode(data)
    assert pixels.shape == (32, 48, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_becomes_rgb(mode: str) -> None:
    grey = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (32, 1))
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode)
    pixels = decode.decode(pictures.saved(image, "PNG"))
    assert pixels.shape == (32, 48, 3)
    expected = np.asarray(image.convert("RGB")) if mode in ("1", "P") else grey[..., None].repeat(3, 2)
    assert np.array_equal(pixels, expected)


def test_16_bits_a_colour_become_8() -> None:
    deep = np.array([[[0, 65535, 256 * 7 + 200]]], ">u2")
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + deep.tobytes())
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        pictures.chunk(*pair) for pair in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )
    assert decode.decode(data).tolist() == [[[0, 255, 7]]]


def test_a_jpeg_in_the_colours_of_print_becomes_rgb() -> None:
    image = Image.fromarray(pictures.gradient()).convert("CMYK")
    pixels = decode.decode(pictures.saved(image, "JPEG", quality=100))
    assert np.abs(pixels.astype(int) - pictures.gradient()).mean() < 4


def test_a_grey_jpeg_becomes_rgb() -> None:
    image = Image.fromarray(pictures.gradient()).convert("L")
    pixels = decode.decode(pictures.saved(image, "JPEG", quality=100))
    assert np.abs(pixels.astype(int) - np.asarray(image)[..., None]).max() <= 2


def translucent() -> Image.Image:
    image = Image.new("RGBA", (4, 1))
    for x, pixel in enumerate([(200, 0, 0, 255), (200, 0, 0, 128), (200, 0, 0, 0), (0, 0, 0, 0)]):
        image.putpixel((x, 0), pixel)
    return image


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_alpha_is_kept_or_flattened_on_white(format_: str) -> None:
    options = {"lossless": True, "exact": True} if format_ == "WEBP" else {}
    data = pictures.saved(translucent(), format_, **options)
    assert decode.probe(data).has_alpha
    assert decode.decode(data, alpha=True)[0, :, 3].tolist() == [255, 128, 0, 0]
    assert decode.decode(data, alpha=True)[0, :2, 0].tolist() == [200, 200]
    flat = decode.decode(data)[0]
    assert flat[0].tolist() == [200, 0, 0]
    assert np.abs(flat[1].astype(int) - [227, 127, 127]).max() <= 1
    assert flat[2:].tolist() == [[255, 255, 255]] * 2


def test_one_transparent_colour_is_alpha_too() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    for image, clear in ((palette, 1), (Image.fromarray(np.array([[9, 8]], np.uint8)), 8)):
        data = pictures.saved(image, "PNG", transparency=clear)
        assert decode.probe(data).has_alpha
        assert decode.decode(data, alpha=True)[0, :, 3].tolist() == [255, 0]
        assert decode.decode(data)[0, 1].tolist() == [255, 255, 255]
    gif = pictures.saved(palette, "GIF", transparency=1)
    assert decode.probe(gif).has_alpha
    assert decode.decode(gif, alpha=True)[0, :, 3].tolist() == [255, 0]


def test_one_transparent_grey_of_16_bits_is_alpha_too() -> None:
    data = pictures.saved(Image.fromarray(np.array([[9 * 257, 8 * 257]], np.uint16)), "PNG")
    clear = pictures.chunk(b"tRNS", struct.pack(">H", 8 * 257))
    data = data[:33] + clear + data[33:]
    assert decode.decode(data, alpha=True).tolist() == [[[9, 9, 9, 255], [8, 8, 8, 0]]]


def test_an_alpha_that_hides_nothing_is_none() -> None:
    data = pictures.saved(Image.fromarray(pictures.gradient()).convert("RGBA"), "PNG")
    assert decode.probe(data).has_alpha
    assert decode.decode(data, alpha=True).shape == (32, 48, 3)


def test_a_foreign_profile_is_converted_from() -> None:
    image = Image.new("RGB", (8, 8), (255, 0, 0))
    shown = decode.decode(pictures.saved(image, "PNG", icc_profile=pictures.swapped_profile()))
    assert shown[0, 0, 1] > 200
    assert shown[0, 0, 0] < 60


@pytest.mark.parametrize("profile", [pictures.srgb_profile(), b"garbage", b""])
def test_a_profile_of_srgb_or_one_that_is_damaged_changes_nothing(profile: bytes) -> None:
    image = Image.fromarray(pictures.gradient())
    data = pictures.saved(image, "PNG", icc_profile=profile)
    assert np.array_equal(decode.decode(data), pictures.gradient())


def test_a_profile_keeps_the_alpha() -> None:
    data = pictures.saved(translucent(), "PNG", icc_profile=pictures.swapped_profile())
    assert decode.decode(data, alpha=True)[0, :, 3].tolist() == [255, 128, 0, 0]


def _mask(values: list[list[int]], mode: str = "L") -> bytes:
    return pictures.saved(Image.fromarray(np.array(values, np.uint8)).convert(mode), "PNG")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_a_mask_is_binary(mode: str) -> None:
    mask = decode.decode_mask(_mask([[0, 127, 128, 255]], mode), 4, 1)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 0, 255, 255]]


def test_a_mask_of_another_size_is_resized_by_the_nearest_pixel() -> None:
    assert decode.decode_mask(_mask([[0, 255]]), 4, 2).tolist() == [[0, 0, 255, 255]] * 2
    assert set(np.unique(decode.decode_mask(_mask([[0, 90, 200, 255]] * 3), 7, 5))) == {0, 255}


def test_the_grey_of_a_mask_is_its_feather() -> None:
    """A JPEG's noise about white and black is none."""
    feather = decode.decode_feather(_mask([[0, 20, 127, 128, 184, 240, 255]]), 7, 1)
    assert feather.tolist() == [[0, 0, 0, 2, 129, 255, 255]]


def test_what_is_transparent_in_a_mask_stays() -> None:
    strokes = Image.new("RGBA", (2, 1), (255, 255, 255, 0))
    strokes.putpixel((0, 0), (255, 255, 255, 255))
    assert decode.decode_mask(pictures.saved(strokes, "PNG"), 2, 1).tolist() == [[255, 0]]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_cut_anywhere_is_refused(format_: str) -> None:
    data = pictures.laden(format_)
    for length in range(0, len(data) - 16, max(1, len(data) // 60)):
        with pytest.raises(ImageError):
            decode.decode(data[:length])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("format_", FORMATS)
def test_a_damaged_file_decodes_or_is_refused_and_nothing_else(format_: str) -> None:
    chance = random.Random(7)
    whole = pictures.laden(format_, orientation=6, icc=pictures.swapped_profile())
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            decode.decode(bytes(data), alpha=True)
        except ImageError:
            refused += 1
    assert refused > 0


def test_a_damaged_checksum_is_refused() -> None:
    data = bytearray(pictures.laden("PNG"))
    data[data.rindex(b"IDAT") + 40] ^= 0xFF
    with pytest.raises(ImageError, match="damaged"):
        decode.decode(bytes(data))


def test_a_size_given_in_two_ways_that_differ_is_refused() -> None:
    inner = pictures.frames(1)
    data = bytearray(inner)
    struct.pack_into("<HH", data, 6, 8, 8)
    with pytest.raises(ImageError, match="two ways"):
        decode.decode(bytes(data))


def test_a_picture_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    real = Image.open

    def counting(source: io.BytesIO, *, formats: tuple[str, ...]) -> Image.Image:
        opened.append(formats)
        return real(source, formats=formats)

    monkeypatch.setattr(Image, "open", counting)
    decode.decode(pictures.laden("JPEG", icc=pictures.swapped_profile()))
    assert opened == [("JPEG",)]
    decode.probe(pictures.laden("JPEG"))
    assert len(opened) == 1
