"""Tell the subject's shadow on a plain backdrop from the subject."""

import cv2
import numpy as np

from generations.engines.classical import regions
from generations.engines.classical.regions import Mask, Plane

STEEP = 1.1
"""Lab units per unit of length (a thousandth of the picture): what rises faster is an edge, not a shadow's."""


def extend(lab: Plane, behind: Plane, ground: Mask, unit: float) -> Mask:
    """Return `ground` with the shadows and glows on it.

    They keep the backdrop's tint, have no edge inside, and run out into the ground instead of ending at it.
    """
    smooth = np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.0 * unit), np.float32)
    slope = _slope(smooth) * unit
    ratio = smooth[:, :, 0] / np.maximum(behind[:, :, 0], 1)
    tint = np.hypot(*(smooth[:, :, axis] - behind[:, :, axis] * ratio for axis in (1, 2)))
    change = np.abs(behind[:, :, 0] - smooth[:, :, 0])
    flat = (ratio > 0.35) & (ratio < 1.3) & (tint < 2 + 0.08 * change) & (slope < STEEP) & ~ground
    result, inside = ground.copy(), regions.depth(~ground)
    brink = regions.grow(ground, 4 * unit) & (slope > STEEP)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(flat.astype(np.uint8), connectivity=4)
    margin, rest = int(5 * unit) + 1, np.count_nonzero(~ground)
    for index in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= 60 * unit * unit):
        left, top, width, height, area = stats[index]
        if index == 0:
            continue
        rows = slice(max(0, top - margin), top + height + margin)
        window = (rows, slice(max(0, left - margin), left + width + margin))
        part = np.asarray(labels[window] == index)
        open_ = float((regions.grow(part, 1) & ground[window]).sum())
        edged = float((regions.grow(part, 4 * unit) & brink[window] & ~part).sum()) / (4 * unit)
        rise = _rise(change[window][part], inside[window][part] / unit)
        off = float(np.median(tint[window][part]))
        if _runs_out(open_, edged, rise, off, area / unit**2, area / rest):
            result[window] |= regions.grow(part, 2 * unit) & (tint < 3 + 0.1 * change)[window]
    return result


def _runs_out(open_: float, edged: float, rise: float, tint: float, area: float, share: float) -> bool:
    """Decide on a part by its outline and its inside.

    open_ and edged: lengths of its outline that fade into the ground and that do not. rise: see `_rise`. tint: how
    far it is from the ground's own tint. area: in square units; share: of all that is not ground yet.
    """
    if open_ < 0.6 * np.sqrt(area):
        return False
    ratio = open_ / (edged + 1)
    penumbra = rise <= 0.3 and ratio > 2.2 and share < 0.2
    glow = ratio > 20 and tint < 0.5
    speck = area < 3000 and (ratio > 15 or (rise < 0.5 and ratio > 2.2))
    return penumbra or glow or speck


def _rise(change: Plane, inside: Plane) -> float:
    """Return how much of a part's darkness is there at once at its rim: near 1 for paint, small for a penumbra."""
    rim, core = change[(inside > 2) & (inside < 6)], change[inside > 8]
    if rim.size <= 10 or core.size <= 20:
        return 0.5
    return float(np.median(rim) / max(float(np.percentile(core, 75)), 1e-3))


def _slope(planes: Plane) -> Plane:
    across = cv2.Sobel(planes, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(planes, cv2.CV_32F, 0, 1, ksize=3) / 8
    return np.asarray(np.sqrt((across**2 + down**2).sum(axis=2)), np.float32)
