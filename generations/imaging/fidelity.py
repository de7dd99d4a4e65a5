"""Proof that the pixels that had to stay, stayed."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generations.imaging import difference
from generations.imaging.pixels import Mask, Pixels, require_mask, require_rgb

_WINDOW = 11
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What became of the kept region, where keep is 255.

    changed_pixels: those with any channel changed at all. changed_share: of the kept ones, 0 to 1.
    delta_e_mean (over all kept pixels), delta_e_max: CIEDE2000, 1 is just noticeable. ssim: mean structural
    similarity of the luma, 1 for no difference.
    """

    changed_pixels: int
    changed_share: float
    delta_e_mean: float
    delta_e_max: float
    ssim: float


UNCHANGED = Fidelity(0, 0.0, 0.0, 0.0, 1.0)


def report(original: Pixels, output: Pixels, keep: Mask) -> Fidelity:
    """Compare two pictures, (H, W, 3), where `keep`, (H, W), is 255. Nothing kept counts as unchanged.

    Raises ValueError where the shapes differ.
    """
    require_rgb("original", original)
    require_rgb("output", output)
    require_mask("keep", keep, original)
    require_mask("keep", keep, output)
    kept = keep == 255
    changed = kept & _differs(original, output)
    count = int(np.count_nonzero(changed))
    if count == 0:
        return UNCHANGED
    whole = int(np.count_nonzero(kept))
    distances = difference.delta_e(original[changed], output[changed])
    return Fidelity(
        count,
        count / whole,
        float(distances.sum(dtype=np.float64)) / whole,
        float(distances.max()),
        _ssim(original, output, kept, changed),
    )


def _differs(first: Pixels, second: Pixels) -> NDArray[np.bool_]:
    red, green, blue = cv2.split(cv2.absdiff(first, second))
    return np.asarray(cv2.max(cv2.max(red, green), blue)) > 0


def _ssim(original: Pixels, output: Pixels, kept: NDArray[np.bool_], changed: NDArray[np.bool_]) -> float:
    """Return the mean SSIM over the kept pixels; what was repainted beside them has no say in it."""
    before = cv2.cvtColor(original, cv2.COLOR_RGB2GRAY).astype(np.float32)
    after = np.where(changed, cv2.cvtColor(output, cv2.COLOR_RGB2GRAY), before).astype(np.float32)
    mean1, mean2 = _blurred(before), _blurred(after)
    power = mean1 * mean1 + mean2 * mean2
    product = mean1 * mean2
    variance = _blurred(before * before + after * after) - power
    covariance = _blurred(before * after) - product
    similarity = ((2 * product + _C1) * (2 * covariance + _C2)) / ((power + _C1) * (variance + _C2))
    return float(np.clip(similarity[kept].mean(dtype=np.float64), -1, 1))


def _blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _SIGMA), np.float32)
