"""Inpainting touches what is masked and nothing else, and takes its method from the mask's shape."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generations.engines.classical import blend, fill

BACKGROUNDS = Path(__file__).parent / "images" / "backgrounds"


def quiet(share: float, words: str) -> None:
    assert 0 <= share <= 1
    assert words


def picture(name: str, side: int = 512) -> Any:
    image: Any = cv2.imread(str(BACKGROUNDS / f"{name}.jpg"))
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return cv2.resize(image[:864, :864], (side, side), interpolation=cv2.INTER_AREA)


def psnr(one: np.ndarray, other: np.ndarray, mask: np.ndarray) -> float:
    difference = (one.astype(float) - other)[mask > 0]
    return float(10 * np.log10(255**2 / (difference**2).mean()))


def scratches(side: int = 512) -> Any:
    mask, random = np.zeros((side, side), np.uint8), np.random.default_rng(3)
    for _ in range(14):
        start, end = random.integers(0, side, (2, 2)).tolist()
        cv2.line(mask, start, end, 255, 2)
    return mask


@given(seed=st.integers(0, 2**32 - 1), blobs=st.integers(1, 4), wide=st.integers(1, 30))
@settings(max_examples=12, deadline=None)
def test_pixels_outside_any_mask_stay(seed: int, blobs: int, wide: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (90, 120, 3), np.uint8)
    mask = np.zeros((90, 120), np.uint8)
    for _ in range(blobs):
        cv2.circle(mask, random.integers(0, 90, 2).tolist(), wide, 255, -1)
    filled = fill.fill(pixels, mask, seed, quiet)
    mixed = blend.inside(pixels, filled, mask, 0.5)
    np.testing.assert_array_equal(filled[mask == 0], pixels[mask == 0])
    np.testing.assert_array_equal(mixed[mask == 0], pixels[mask == 0])


@pytest.mark.parametrize("name", ["forest", "marble"])
def test_scratches_are_as_good_as_navier_stokes(name: str) -> None:
    pixels, mask = picture(name), scratches()
    flow = cv2.inpaint(pixels, mask, 3, cv2.INPAINT_NS)
    filled = fill.fill(pixels, mask, 1, quiet)
    assert psnr(filled, pixels, mask) >= psnr(flow, pixels, mask) - 0.5


def test_a_hole_at_sea_is_filled_with_sea() -> None:
    pixels, mask = picture("beach"), np.zeros((512, 512), np.uint8)
    cv2.circle(mask, (276, 281), 64, 255, -1)
    filled = fill.fill(pixels, mask, 1, quiet)
    assert psnr(filled, pixels, mask) > psnr(cv2.inpaint(pixels, mask, 3, cv2.INPAINT_NS), pixels, mask)


def test_a_seed_gives_one_fill_and_another_seed_another() -> None:
    pixels, mask = picture("forest", 256), np.zeros((256, 256), np.uint8)
    mask[90:160, 80:170] = 255
    first = fill.fill(pixels, mask, 1, quiet)
    np.testing.assert_array_equal(first, fill.fill(pixels, mask, 1, quiet))
    assert (first != fill.fill(pixels, mask, 2, quiet)).any()


def test_a_mask_over_everything_is_answered() -> None:
    pixels = picture("forest", 64)
    assert fill.fill(pixels, np.full((64, 64), 255, np.uint8), 1, quiet).shape == pixels.shape


def test_a_blend_is_exact_at_both_ends() -> None:
    old, new = picture("forest", 64), picture("marble", 64)
    mask = np.full((64, 64), 255, np.uint8)
    np.testing.assert_array_equal(blend.inside(old, new, mask, 0.0), old)
    np.testing.assert_array_equal(blend.inside(old, new, mask, 1.0), new)
