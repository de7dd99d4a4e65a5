"""The new background: the reference picture cropped to the input, in seeded variants."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Variant:
    """zoom ≥ 1 on top of the cover crop; across and down 0 to 1, where the crop lies; light: factor."""

    zoom: float
    across: float
    down: float
    light: float


def variant(seed: int) -> Variant:
    """Return the variant that belongs to `seed`. Never mirrored: a reference may hold writing."""
    random = np.random.default_rng(seed)
    zoom, across, down, light = random.uniform((1.0, 0.3, 0.4, 0.94), (1.12, 0.7, 0.8, 1.06))
    return Variant(float(zoom), float(across), float(down), float(light))


def background(picture: Pixels, width: int, height: int, chosen: Variant) -> Pixels:
    """Return `picture` cropped and scaled to (height, width, 3) without distortion, lit as `chosen` says."""
    have_height, have_width = picture.shape[:2]
    scale = max(width / have_width, height / have_height) * chosen.zoom
    crop_width, crop_height = min(have_width, width / scale), min(have_height, height / scale)
    left = (have_width - crop_width) * chosen.across
    top = (have_height - crop_height) * chosen.down
    rows = slice(round(top), round(top + crop_height))
    columns = slice(round(left), round(left + crop_width))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    cropped = cv2.resize(np.ascontiguousarray(picture[rows, columns]), (width, height), interpolation=how)
    return np.asarray(cv2.convertScaleAbs(cropped, alpha=chosen.light), np.uint8)
