"""Compare pixels with samples of the background, or of the subject, that are nearest in colour and place."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from generations.engines.classical.regions import Mask, Plane

LIGHTNESS = 0.7
"""Weight of lightness beside colour: shadows and shading change it first."""
NEIGHBOURS = 3
"""Samples averaged: one alone may be an outlier of the noise."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Lab units that a 256th of the picture's side counts for, and how many samples are drawn.

    High values ask "is it like what is next to it", low ones "is it like anything".
    """

    down: float
    across: float
    count: int


def distance(lab: Plane, known: Mask, asked: Mask, metric: Metric) -> Plane:
    """Return how far, in Lab, each pixel of `asked` is from the nearest samples of `known`; 0 elsewhere."""
    height, width = known.shape
    result = np.zeros((height, width), np.float32)
    places = np.flatnonzero(known)
    if places.size < NEIGHBOURS or not asked.any():
        return result
    down, across = np.mgrid[:height, :width].astype(np.float32) * np.float32(256 / max(height, width))
    colours = lab * np.array([LIGHTNESS, 1, 1], np.float32)
    features = np.dstack([colours, across * np.float32(metric.across), down * np.float32(metric.down)])
    chosen = np.random.default_rng(0).choice(places, min(metric.count, places.size), replace=False)
    samples, wanted = features.reshape(-1, 5)[chosen], features[asked]
    # A little inexact, several times faster.
    _, nearest = cKDTree(samples).query(wanted, k=NEIGHBOURS, eps=1.0)
    apart = np.linalg.norm(wanted[:, None, :3] - samples[nearest][:, :, :3], axis=2)
    result[asked] = apart.mean(axis=1)
    return result
