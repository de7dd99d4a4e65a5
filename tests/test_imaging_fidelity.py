"""The proof that pixels stayed."""

import time

import numpy as np
import pytest

from generations.imaging import composite, fidelity
from tests import pictures


def noise(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def whole(side: int = 64) -> np.ndarray:
    return np.full((side, side), 255, np.uint8)


def test_the_same_is_unchanged() -> None:
    assert fidelity.report(noise(1), noise(1), whole()) == fidelity.Fidelity(0, 0.0, 0.0, 0.0, 1.0)


def test_what_was_repainted_has_no_say() -> None:
    keep = whole()
    keep[:, 32:] = 0
    output = noise(1)
    output[:, 32:] = noise(2)[:, 32:]
    assert fidelity.report(noise(1), output, keep) == fidelity.UNCHANGED
    keep[:, 32:] = 254
    assert fidelity.report(noise(1), output, keep) == fidelity.UNCHANGED


def test_every_changed_pixel_counts_once() -> None:
    output = noise(1)
    output[3, 4, 0] ^= 1
    output[10, 10] = 255 - output[10, 10]
    found = fidelity.report(noise(1), output, whole())
    assert found.changed_pixels == 2
    assert found.changed_share == pytest.approx(2 / 4096)
    assert found.delta_e_max > 10 * found.delta_e_mean > 0
    assert 0.9 < found.ssim < 1


def test_the_mean_is_over_all_that_was_kept() -> None:
    black, white = np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10, 3), np.uint8)
    white[:5] = 255
    found = fidelity.report(black, white, whole(10))
    assert found.delta_e_mean == pytest.approx(50, abs=0.1)
    assert found.delta_e_max == pytest.approx(100, abs=0.1)


def test_similarity_falls_with_the_damage() -> None:
    original = pictures.gradient(64, 64)
    chance = np.random.default_rng(3)

    def similarity(strength: int) -> float:
        moved = original.astype(int) + chance.integers(-strength, strength + 1, original.shape)
        return fidelity.report(original, np.clip(moved, 0, 255).astype(np.uint8), whole()).ssim

    assert 1 > similarity(2) > similarity(10) > similarity(60) > -1


def test_similarity_of_a_known_case() -> None:
    """Two flat greys have no structure: SSIM is (2ab + c1) / (a² + b² + c1)."""
    first, second = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 120 + c1) / (100**2 + 120**2 + c1)
    assert fidelity.report(first, second, whole(32)).ssim == pytest.approx(expected, abs=1e-4)


def test_nothing_kept_is_unchanged() -> None:
    assert fidelity.report(noise(1), noise(2), np.zeros((64, 64), np.uint8)) == fidelity.UNCHANGED


def test_a_locked_picture_is_unchanged() -> None:
    keep = whole()
    keep[20:40, 20:40] = 0
    locked = composite.lock(noise(1), noise(2), keep)
    assert fidelity.report(noise(1), locked, keep) == fidelity.UNCHANGED


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="keep"):
        fidelity.report(noise(1), noise(1), whole(63))
    with pytest.raises(ValueError, match="keep"):
        fidelity.report(noise(1), noise(1, 32), whole())


def test_a_megapixel_takes_well_under_half_a_second() -> None:
    """The worst that happens: every pixel kept, and every one a little changed."""
    original, keep = pictures.gradient(1024, 1024), whole(1024)
    output = original + np.random.default_rng(1).integers(1, 4, original.shape, np.uint8)
    spent = []
    for _ in range(4):
        started = time.thread_time()
        found = fidelity.report(original, output, keep)
        spent.append(time.thread_time() - started)
    assert found.changed_pixels == 1024 * 1024
    assert min(spent) < 0.5
