"""Small verbs on masks and planes. Lengths are pixels; masks are bool (H, W), planes float32 (H, W[, 3])."""

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Plane = npt.NDArray[np.float32]


def disk(radius: float) -> npt.NDArray[np.uint8]:
    """Return a round structuring element of at least one pixel's radius."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def grow(mask: Mask, radius: float) -> Mask:
    """Return `mask` grown by `radius`."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disk(radius)) > 0)


def shrink(mask: Mask, radius: float) -> Mask:
    """Return `mask` shrunk by `radius`, from the picture's frame too."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), disk(radius), borderValue=0) > 0)


def highest(plane: Plane, radius: float) -> Plane:
    """Return the largest value within a square of `radius` (a square is many times faster than a disk)."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.dilate(plane, np.ones((size, size), np.uint8)), np.float32)


def depth(mask: Mask) -> Plane:
    """Return the distance of each pixel of `mask` to the nearest one outside."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3), np.float32)


def reach(free: Mask, seed: Mask) -> Mask:
    """Return the parts of `free` that hang together with `seed`."""
    count, labels = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    reached = np.zeros(count, np.bool_)
    reached[np.unique(labels[seed & free])] = True
    reached[0] = False
    return np.asarray(reached[labels])


def largest(mask: Mask, share: float = 0.03) -> Mask:
    """Return `mask` without the parts that are smaller than `share` of its largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    if count < 2:
        return mask
    return np.asarray((areas >= share * areas.max())[labels])


def frame(height: int, width: int, share: float = 0.05) -> Mask:
    """Return the band along the picture's four sides, `share` of its shorter side wide."""
    band = np.ones((height, width), np.bool_)
    size = max(2, int(share * min(height, width)))
    band[size:-size, size:-size] = False
    return band


def average(planes: Plane, weight: Plane, sigma: float) -> tuple[Plane, Plane]:
    """Return the mean of `planes` (H, W, 3) weighted by `weight` in a Gaussian of `sigma`, and the weight there.

    Wide Gaussians are computed on a smaller copy: nothing in them is fine enough to be lost.
    """
    height, width = weight.shape
    step = max(1, int(sigma // 3))
    weighted: Plane = planes * weight[:, :, None]
    if step > 1:
        small = (max(1, width // step), max(1, height // step))
        weighted = np.asarray(cv2.resize(weighted, small, interpolation=cv2.INTER_AREA), np.float32)
        weight = np.asarray(cv2.resize(weight, small, interpolation=cv2.INTER_AREA), np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), sigma / step)
    mean = cv2.GaussianBlur(weighted, (0, 0), sigma / step) / (total + 1e-6)[:, :, None]
    if step > 1:
        mean = cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)
        total = cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(mean, np.float32), np.asarray(total, np.float32)


def grow_square(mask: Mask, reach: int) -> Mask:
    """Return `mask` grown by `reach` pixels to all sides, corners included."""
    size = 2 * reach + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0)
