"""Putting pictures together: exact where it matters."""

import numpy as np
import pytest

from generations.imaging import composite
from tests import pictures


def noise(seed: int, height: int = 40, width: int = 60, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (20, 90), (90, 20), (48, 32), (1, 1), (333, 7)])
def test_cover_has_the_size_asked_for(size: tuple[int, int]) -> None:
    for pixels in (pictures.gradient(), noise(1, channels=4), pictures.gradient()[..., 0]):
        covered = composite.cover(pixels, *size)
        assert covered.shape[:2] == (size[1], size[0])
        assert covered.shape[2:] == pixels.shape[2:]
        assert covered.dtype == np.uint8


def test_cover_keeps_the_middle_undistorted() -> None:
    wide = pictures.gradient(200, 100)
    assert np.array_equal(composite.cover(wide, 100, 100), wide[:, 50:150])
    half = composite.cover(wide, 50, 50)
    assert np.abs(half.astype(int) - wide[::2, 50:150:2]).max() <= 3


def test_cover_of_the_same_size_is_a_copy() -> None:
    pixels = pictures.gradient()
    covered = composite.cover(pixels, 48, 32)
    assert np.array_equal(covered, pixels)
    assert not np.shares_memory(covered, pixels)


def test_a_mask_gets_no_new_values() -> None:
    mask = np.where(noise(2)[..., 0] > 128, 255, 0).astype(np.uint8)
    assert set(np.unique(composite.cover(mask, 100, 31, nearest=True))) <= {0, 255}


def test_what_is_transparent_does_not_bleed_in() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :32] = (200, 100, 50, 255)
    for size in (17, 150):
        scaled = composite.cover(pixels, size, size)
        visible = scaled[..., 3] > 8
        assert np.abs(scaled[visible][:, :3].astype(int) - [200, 100, 50]).max() <= 4


def test_cover_of_no_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 × 5"):
        composite.cover(pictures.gradient(), 0, 5)


def test_over_is_exact_at_the_ends_and_rounded_between() -> None:
    front, back = noise(1), noise(2)
    alpha = noise(3)[..., 0]
    alpha[:10], alpha[10:20] = 0, 255
    result = composite.over(front, alpha, back)
    assert np.array_equal(result[:10], back[:10])
    assert np.array_equal(result[10:20], front[10:20])
    share = alpha[..., None] / 255
    assert np.array_equal(result, np.rint(front * share + back * (1 - share)).astype(np.uint8))


def test_over_rounds_right_for_every_pair() -> None:
    values, alphas = np.meshgrid(np.arange(256), np.arange(256))
    front = values[..., None].repeat(3, 2).astype(np.uint8)
    result = composite.over(front, alphas.astype(np.uint8), np.zeros_like(front))
    assert np.array_equal(result[..., 0], np.rint(values * alphas / 255).astype(np.uint8))


def test_over_takes_no_other_shapes() -> None:
    with pytest.raises(ValueError, match="foreground"):
        composite.over(noise(1, channels=4), noise(2)[..., 0], noise(3))
    with pytest.raises(ValueError, match="alpha"):
        composite.over(noise(1), noise(2)[:-1, :, 0], noise(3))
    with pytest.raises(ValueError, match="alpha"):
        composite.over(noise(1), noise(2)[..., 0], noise(3, height=7))


def kept(height: int = 40, width: int = 60) -> np.ndarray:
    keep = np.zeros((height, width), np.uint8)
    keep[:, :30] = 255
    return keep


@pytest.mark.parametrize("feather", [0, 3, 12])
def test_lock_leaves_every_kept_pixel_exact_and_fades_outside(feather: int) -> None:
    original, output, keep = noise(1), noise(2), kept()
    result = composite.lock(original, output, keep, feather=feather)
    assert np.array_equal(result[keep == 255], original[keep == 255])
    assert np.array_equal(result[:, 31 + feather :], output[:, 31 + feather :])


def test_lock_fades_from_one_to_the_other() -> None:
    original, output = np.full((40, 60, 3), 200, np.uint8), np.zeros((40, 60, 3), np.uint8)
    row = composite.lock(original, output, kept(), feather=5)[20, :, 0].astype(int)
    assert (np.diff(row) <= 0).all()
    assert 0 < row[32] < 200


def test_lock_with_nothing_to_keep_is_the_output() -> None:
    output = noise(2)
    assert np.array_equal(composite.lock(noise(1), output, np.zeros((40, 60), np.uint8)), output)


def test_lock_of_everything_is_the_input() -> None:
    original = noise(1)
    assert np.array_equal(composite.lock(original, noise(2), np.full((40, 60), 255, np.uint8)), original)


def test_a_soft_keep_blends() -> None:
    keep = np.full((4, 4), 128, np.uint8)
    result = composite.lock(np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8), keep)
    assert set(np.unique(result)) == {128}
