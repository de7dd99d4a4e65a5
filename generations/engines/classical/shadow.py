"""A soft shadow that sets the subject on its new ground."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

WORK = 256
"""Shadows are soft: they are made at this many pixels a side and scaled up."""
CONTACT, CAST = 0.55, 0.32


def density(alpha: Pixels) -> Plane:
    """Return how much light the subject takes from the ground, float32 (H, W) from 0 to 1."""
    height, width = alpha.shape
    scale = min(1.0, WORK / max(height, width))
    scaled = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = np.asarray(scaled / np.float32(255), np.float32)
    rows = np.flatnonzero(small.max(axis=1) > 0.5)
    if rows.size == 0 or rows[-1] >= small.shape[0] - 2:  # cut off by the frame: it stands on no ground we see
        return np.zeros((height, width), np.float32)
    top, bottom = int(rows[0]), int(rows[-1])
    dark = 1 - (1 - CAST * _cast(small, top, bottom)) * (1 - CONTACT * _contact(small, top, bottom))
    large = cv2.resize(dark, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _cast(small: Plane, top: int, bottom: int) -> Plane:
    """Return the silhouette laid down on the ground, flat and blurred."""
    flat, tall = 0.16, max(1, bottom - top)
    move = np.array([[1, 0, 0], [0, flat, bottom - flat * bottom - 0.02 * tall]], np.float32)
    laid = cv2.warpAffine(small, move, (small.shape[1], small.shape[0]))
    return np.asarray(cv2.GaussianBlur(laid, (0, 0), 0.05 * tall + 1, sigmaY=0.022 * tall + 1), np.float32)


def _contact(small: Plane, top: int, bottom: int) -> Plane:
    """Return dark lines under the parts that touch the ground, darkest at the lowest."""
    tall = max(1, bottom - top)
    below = np.vstack([small[1:], np.zeros((1, small.shape[1]), np.float32)])
    edge = np.clip(small - below, 0, 1)
    height = (bottom - np.arange(small.shape[0], dtype=np.float32)) / (0.10 * tall)
    edge *= np.exp(-np.maximum(height, 0))[:, None]
    size = 0.02 * tall + 0.8
    line = cv2.GaussianBlur(edge, (0, 0), 1.5 * size, sigmaY=0.7 * size)
    return np.asarray(np.clip(line * size * 1.8, 0, 1), np.float32)
