"""A smooth studio sweep in the colours of the old background."""

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines.classical import regions

Pixels = npt.NDArray[np.uint8]

WORK = 128


def paint(pixels: Pixels, alpha: Pixels, seed: int) -> Pixels:
    """Return a background, uint8 (H, W, 3), that flows from the colours around the subject.

    `seed` varies its light a little; grain of half a level keeps the slopes from banding.
    """
    random = np.random.default_rng(seed)
    height, width = alpha.shape
    small = np.asarray(cv2.resize(pixels, (WORK, WORK), interpolation=cv2.INTER_AREA), np.float32)
    cover = cv2.resize(alpha, (WORK, WORK), interpolation=cv2.INTER_AREA)
    free = (cv2.dilate(cover, np.ones((5, 5), np.uint8)) < 8).astype(np.float32)
    smooth = np.zeros_like(small)
    for number, sigma in enumerate((40.0, 20.0, 10.0)):
        here, weight = regions.average(small, free, sigma)
        trust = np.clip(weight * 2, 0, 1) if number else np.ones_like(weight)
        smooth = np.asarray(smooth + trust[:, :, None] * (here - smooth), np.float32)
    smooth = np.asarray(cv2.GaussianBlur(smooth, (0, 0), 4), np.float32) * np.float32(random.uniform(0.97, 1.03))
    large = np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    large += random.uniform(-0.5, 0.5, (height, width, 1)).astype(np.float32)
    return np.asarray(np.rint(np.clip(large, 0, 255)), np.uint8)
