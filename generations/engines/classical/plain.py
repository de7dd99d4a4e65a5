"""The subject before a plain backdrop: what differs from it, with holes, soft shadows and fringes told apart.

Distances are in CIE Lab units, lengths in thousandths of the longer side ("units").
"""

from dataclasses import dataclass

import cv2
import numpy as np

from generations.engines.classical import regions, shade
from generations.engines.classical.backdrop import Backdrop
from generations.engines.classical.regions import Mask, Plane


@dataclass(frozen=True, slots=True)
class Difference:
    """How a picture differs from its backdrop: vector (H, W, 3), distance (H, W), and what still counts as like."""

    vector: Plane
    distance: Plane
    like: Mask
    unit: float


def alpha(lab: Plane, backdrop: Backdrop) -> Plane:
    """Return the subject's alpha, float32 (H, W) from 0 to 1."""
    found = difference(lab, backdrop)
    ground = _with_holes(found, _outside(found))
    fringe = found.distance < np.minimum(0.06 * regions.highest(found.distance, 10 * found.unit), 3.5)
    ground |= fringe & regions.grow(ground, 6 * found.unit)
    ground = ~regions.largest(~ground)
    ground = ~regions.largest(~shade.extend(lab, backdrop.colours, ground, found.unit))
    subject = _smooth(~ground, found)
    return _soft(lab, backdrop.colours, found.distance, subject, found.unit)


def difference(lab: Plane, backdrop: Backdrop) -> Difference:
    """Return how `lab` differs from `backdrop`; colour counts half as much again as lightness."""
    vector = np.asarray(cv2.GaussianBlur(lab - backdrop.colours, (0, 0), 0.7), np.float32)
    distance = np.sqrt(vector[:, :, 0] ** 2 + 2.25 * (vector[:, :, 1] ** 2 + vector[:, :, 2] ** 2))
    like = distance < max(1.2, 2.5 * backdrop.unevenness)
    return Difference(vector, distance, like, max(lab.shape[:2]) / 1024)


def _outside(found: Difference) -> Mask:
    """Return the backdrop that hangs together with the border, not leaking through small gaps in an outline."""
    solid = (~found.like).astype(np.uint8)
    barrier = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, regions.disk(4 * found.unit))
    outside = regions.reach(barrier == 0, regions.frame(*found.like.shape))
    return np.asarray(outside | (found.like & regions.grow(outside, 5 * found.unit)))


def _with_holes(found: Difference, outside: Mask) -> Mask:
    """Return `outside` and the enclosed parts that cannot be told from it.

    The larger a part, the more exactly it must match: clear glass and white paint come close to a white
    backdrop, but not everywhere at once; a real hole does.
    """
    unit, ground = found.unit, outside.copy()
    mean, _ = regions.average(found.vector, found.like.astype(np.float32), 4 * unit)
    usual = np.median(mean[outside][::7], axis=0) if outside.any() else np.zeros(3)
    strange = np.linalg.norm(mean - usual, axis=2)
    quiet = float(np.sqrt(np.mean(strange[outside] ** 2))) if outside.any() else 0.0
    _, labels, stats, _ = cv2.connectedComponentsWithStats((found.like & ~outside).astype(np.uint8), connectivity=4)
    for index in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= 12 * unit * unit):
        if index == 0:
            continue
        left, top, width, height, area = stats[index]
        window = np.s_[top : top + height, left : left + width]
        part = labels[window] == index
        core = regions.shrink(part, 2 * unit)
        worst = np.percentile(strange[window][core if core.sum() > 20 else part], 95)
        size = min(1.0, area / (1500 * unit * unit))
        if worst < max(0.17, 2.5 * quiet) * size + max(0.45, 4 * quiet) * (1 - size):
            ground[window] |= part
    return ground


def _smooth(subject: Mask, found: Difference) -> Mask:
    """Return `subject` with its outline smoothed where contrast is low, and noise decides pixel by pixel."""
    smooth = cv2.GaussianBlur(subject.astype(np.float32), (0, 0), 3 * found.unit) > 0.5
    low = regions.highest(found.distance, 6 * found.unit) < 18
    return np.asarray(np.where(low, smooth, subject))


def _soft(lab: Plane, behind: Plane, distance: Plane, subject: Mask, unit: float) -> Plane:
    """Return the share of the subject in each pixel: how far it lies from the backdrop to the subject's colours.

    A subject that stands out in all its parts (fur, leaves, rods) is looked through deep inside its outline;
    another one only along it, lest parts that resemble the backdrop are taken for gaps.
    """
    inside = regions.depth(subject)
    deep = inside > 0.35 * inside.max()
    if not deep.any():
        return subject.astype(np.float32)
    low, middle = np.percentile(distance[deep], (3, 50))
    stands_out = low > 0.45 * middle and middle > 20
    reach, sigma = (40, 18) if stands_out else (8, 2.5)
    weight = np.where(subject, distance**2, 0).astype(np.float32)
    if stands_out:  # The fringe itself is mixed with the backdrop: colours come from farther in.
        weight *= np.clip(inside / (60 * unit), 0.03, 1)
    front, _ = regions.average(lab, weight, sigma * unit)
    line = front - behind
    share = ((lab - behind) * line).sum(axis=2) / ((line * line).sum(axis=2) + 1e-3)
    share = np.clip((share - 0.08) / 0.81, 0, 1)
    solid = np.clip((inside / unit - 0.6 * reach) / (0.4 * reach), 0, 1)
    return np.asarray(np.where(subject, share + (1 - share) * solid, 0), np.float32)
