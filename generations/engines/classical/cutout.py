"""Find the subject of a product photograph: no learning, no weights, one core."""

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines.classical import backdrop, plain, scene, subject

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

WORK = 1024
"""Longer side in pixels at which the subject is looked for."""


def cutout(pixels: Pixels) -> Pixels:
    """Return the subject's alpha, uint8 (H, W), of RGB `pixels` (H, W, 3). Raises NoSubject."""
    height, width = pixels.shape[:2]
    lab = _lab(pixels)
    behind = backdrop.model(lab)
    alpha = plain.alpha(lab, behind) if behind.is_plain else scene.alpha(lab)
    subject.check(float((alpha > 0.5).mean()))
    if alpha.shape != (height, width):
        alpha = np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.rint(np.clip(alpha, 0, 1) * 255).astype(np.uint8)


def _lab(pixels: Pixels) -> Plane:
    """Return `pixels` in CIE Lab, float32, no larger than WORK; scaled in floats, which averages the noise out."""
    scale = min(1.0, WORK / max(pixels.shape[:2]))
    floats = pixels.astype(np.float32) / 255
    if scale < 1:
        floats = np.asarray(cv2.resize(floats, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.cvtColor(floats, cv2.COLOR_RGB2LAB), np.float32)
