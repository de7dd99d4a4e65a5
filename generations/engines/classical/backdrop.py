"""A smooth model of what lies behind the subject, learned from the picture's border inwards."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines.classical import regions
from generations.engines.classical.regions import Mask, Plane

WORK = 192
"""The backdrop is smooth: it is modelled at this many pixels on the longer side."""
PLAIN = 1.9
"""Unevenness up to which a backdrop counts as plain: a sweep, a wall; more is a scene."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """colours: CIE Lab (H, W, 3). unevenness: what the model leaves of the border, in Lab units (90 % below)."""

    colours: Plane
    unevenness: float

    @property
    def is_plain(self) -> bool:
        """Whether colour alone can tell the subject from it."""
        return self.unevenness < PLAIN


def model(lab: Plane) -> Backdrop:
    """Return the backdrop of `lab`, float32 (H, W, 3).

    A polynomial through the border, bent to be true along it, then grown inwards over whatever continues it: so
    soft shadows, vignettes and graded sweeps become part of it, and what has an edge does not.
    """
    height, width = lab.shape[:2]
    scale = min(1.0, WORK / max(height, width))
    small = np.asarray(cv2.resize(lab, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)
    band = regions.frame(*small.shape[:2])
    side = max(small.shape[:2])
    colours = _polynomial(small, band)
    rest = np.linalg.norm(small - colours, axis=2)
    seed = band & (rest < 4 * np.median(rest[band]) + 6)
    colours = _bent(small, colours, seed.astype(np.float32), 0.06 * side, 0.02)
    unevenness = float(np.percentile(np.linalg.norm(small - colours, axis=2)[seed], 90))
    limit = float(np.clip(3 * unevenness, 0.5, 4))
    for share in (0.12, 0.08, 0.06, *[0.03] * 7):
        like = regions.reach(np.linalg.norm(small - colours, axis=2) < limit, seed)
        weight = cv2.erode(like.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1).astype(np.float32)
        colours = _bent(small, colours, weight, share * side, 0.05)
    large = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
    return Backdrop(np.asarray(large, np.float32), unevenness)


def _bent(lab: Plane, colours: Plane, weight: Plane, sigma: float, stiffness: float) -> Plane:
    """Return `colours` moved to `lab` where there is `weight`, and the less the farther away from it."""
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    rest = cv2.GaussianBlur((lab - colours) * weight[:, :, None], (0, 0), sigma) / (total + 1e-6)[:, :, None]
    return np.asarray(colours + rest * (total / (total + stiffness))[:, :, None], np.float32)


def _polynomial(lab: Plane, band: Mask) -> Plane:
    """Return the quadratic surface that fits `lab` on `band`, outliers weighing little."""
    height, width = band.shape
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(down), across, down, across**2, across * down, down**2], axis=-1)
    inputs, outputs = terms[band], lab[band]
    weights: npt.NDArray[np.float32] = np.ones(len(inputs), np.float32)
    factors = np.zeros((6, 3), np.float32)
    for _ in range(6):
        heavy = inputs * (weights**2)[:, None]  # normal equations: six unknowns need no more care
        factors = np.linalg.solve(heavy.T @ inputs + 1e-6 * np.eye(6, dtype=np.float32), heavy.T @ outputs)
        rest = np.linalg.norm(outputs - inputs @ factors, axis=1)
        weights = (1 / (1 + (rest / (2 * np.median(rest) + 0.3)) ** 2)).astype(np.float32)
    return np.asarray(terms @ factors, np.float32)
