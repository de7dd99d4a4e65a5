"""Arrays into bytes."""

import numpy as np
import pytest

from generations.imaging import decode, encode
from tests import pictures


def rgba() -> np.ndarray:
    colours = pictures.gradient()
    return np.concatenate((colours, colours[..., :1]), axis=2)


def test_png_is_lossless() -> None:
    colours = pictures.gradient()
    assert np.array_equal(decode.decode(encode.png(colours)), colours)
    assert np.array_equal(decode.decode(encode.png(rgba()), alpha=True), rgba())
    grey = colours[..., 0].copy()
    assert np.array_equal(decode.decode(encode.png(grey))[..., 1], grey)


@pytest.mark.parametrize("encoder", [encode.png, encode.jpeg, encode.webp])
def test_an_array_that_is_a_view_is_taken(encoder) -> None:  # type: ignore[no-untyped-def]
    colours = pictures.gradient()
    assert np.abs(decode.decode(encoder(colours[:, ::-1])).astype(int) - colours[:, ::-1]).mean() < 4


def test_jpeg_is_close_and_flattens_alpha_on_white() -> None:
    colours = pictures.gradient()
    data = encode.jpeg(colours)
    assert decode.probe(data).content_type == "image/jpeg"
    assert np.abs(decode.decode(data).astype(int) - colours).mean() < 3
    clear = np.zeros((8, 8, 4), np.uint8)
    assert decode.decode(encode.jpeg(clear)).min() >= 254
    assert decode.decode(encode.jpeg(colours[..., 0])).shape == (32, 48, 3)


def test_a_higher_quality_is_nearer() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)

    def error(data: bytes) -> float:
        return float(np.abs(decode.decode(data).astype(int) - colours).mean())

    assert error(encode.jpeg(colours, 95)) < error(encode.jpeg(colours, 40))
    assert error(encode.webp(colours, 95)) < error(encode.webp(colours, 40))


def test_webp_keeps_alpha() -> None:
    found = decode.decode(encode.webp(rgba(), 90), alpha=True)
    assert np.array_equal(found[..., 3], rgba()[..., 3])
