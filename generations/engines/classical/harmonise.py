"""Bring subject and background into one light: exposure and white balance, by the mean of each channel."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.float64]

STRENGTH = 0.5
"""How far towards the other a full adaptation goes: never the whole way, or a red shoe would turn green."""
FURTHEST = 1.8
"""Largest ratio of two means that is still taken for light, and not for two things of different colours."""
WORK = 128
"""Means are taken over a copy of this many pixels a side."""


def mean(pixels: Pixels, alpha: Pixels | None = None) -> Colour:
    """Return the mean colour, RGB, of `pixels`, weighted by `alpha` where given."""
    small = cv2.resize(pixels, (WORK, WORK), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    if alpha is None:
        return np.asarray(small.mean(axis=0))
    weights = cv2.resize(alpha, (WORK, WORK), interpolation=cv2.INTER_AREA).ravel().astype(np.float64)
    return np.asarray((small * weights[:, None]).sum(axis=0) / max(float(weights.sum()), 1e-6))


def adapt(pixels: Pixels, own: Colour, goal: Colour, amount: float) -> Pixels:
    """Return `pixels` with light and white balance moved from the mean `own` towards `goal`.

    amount: 0 (nothing changes) to 1. Light tones keep their distance from white, so nothing is clipped.
    """
    if amount <= 0:
        return pixels
    wanted = np.clip((goal + 12) / (own + 12), 1 / FURTHEST, FURTHEST)
    gains = 1 + amount * STRENGTH * (wanted - 1)
    tones = np.arange(256, dtype=np.float64)[:, None] / 255
    # x^(1/g') bends the middle by the gain and leaves black and white where they are.
    exponents = np.log(np.clip(0.5 * gains, 0.05, 0.95)) / np.log(0.5)
    table = np.rint(255 * tones**exponents).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, table.reshape(1, 256, 3)), np.uint8)
