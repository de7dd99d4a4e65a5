"""Fill the masked part of a picture from what is around it; the method follows the mask's geometry."""

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines import base
from generations.engines.classical import patchmatch, regions

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Plane = npt.NDArray[np.float32]

THIN = 4.0
"""Mean distance of its pixels to its rim, in pixels of a picture of 512, up to which a part is a scratch or a stroke:
a line of width w has w / 4."""
HOLE = 8000
"""Pixels of hole that patches are matched for; a larger one is matched on a smaller copy."""


def fill(pixels: Pixels, mask: Pixels, seed: int, progress: base.Progress) -> Pixels:
    """Return `pixels` repainted where `mask` is 255, uint8 (H, W, 3); elsewhere exactly as they are."""
    thin, thick = _parts(mask > 0)
    result = pixels
    if thin.any():
        progress(0.0, "Closing thin parts")
        result = _flowed(result, thin)
    if thick.any():
        progress(0.2, "Filling the hole with patches from around it")
        result = _patched(result, thick, mask > 0, seed)
    progress(0.95, "Blending")
    return np.asarray(np.where(mask[:, :, None] > 0, result, pixels), np.uint8)


def _parts(hole: Mask) -> tuple[Mask, Mask]:
    """Return the thin parts of `hole` and the others."""
    count, labels = cv2.connectedComponents(hole.astype(np.uint8), connectivity=8)
    areas = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    depths = np.bincount(labels.ravel(), regions.depth(hole).ravel(), minlength=count) / areas
    thin = depths <= THIN * max(1.0, max(hole.shape) / 512)
    thin[0] = False
    return np.asarray(thin[labels]), hole & ~thin[labels]


def _flowed(pixels: Pixels, hole: Mask) -> Pixels:
    """Return `pixels` with `hole` closed by the flow of its surroundings (Navier–Stokes)."""
    window = _window(hole, 16)
    result = pixels.copy()
    result[window] = cv2.inpaint(np.ascontiguousarray(pixels[window]), hole[window].astype(np.uint8), 3, cv2.INPAINT_NS)
    return result


def _patched(pixels: Pixels, hole: Mask, never: Mask, seed: int) -> Pixels:
    """Return `pixels` with `hole` filled by patches. never: all that was masked, no source of patches."""
    size = np.ptp(np.argwhere(hole), axis=0).max() + 1
    window = _window(hole, max(48, int(0.75 * size)))
    image, gap = pixels[window].astype(np.float32), hole[window]
    scale = min(1.0, float(np.sqrt(HOLE / gap.sum())))
    shape = (max(16, round(gap.shape[1] * scale)), max(16, round(gap.shape[0] * scale)))
    small = np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.float32)
    less = cv2.resize(never[window].astype(np.float32), shape, interpolation=cv2.INTER_AREA) > 0
    try:
        filled, field = patchmatch.complete(small, less, np.random.default_rng(seed))
    except ValueError:  # Next to nothing of the picture is known: no patch to take.
        return _flowed(pixels, hole)
    if scale < 1:
        filled = _enlarged(image, gap, filled, field)
    result = pixels.copy()
    result[window] = np.rint(np.clip(np.where(gap[:, :, None], filled, image), 0, 255)).astype(np.uint8)
    return result


def _enlarged(image: Plane, gap: Mask, filled: Plane, field: patchmatch.Field) -> Plane:
    """Return the fill at `image`'s size: its large forms from `filled`, its detail from where the patches came."""
    height, width = gap.shape
    ratio = np.array([height / filled.shape[0], width / filled.shape[1]])
    places = np.argwhere(gap)
    coarse = np.minimum((places / ratio).astype(np.int64), np.array(filled.shape[:2]) - 1)
    number = field.index[coarse[:, 0], coarse[:, 1]]
    offsets = np.rint((field.sources[number] - field.targets[number]) * ratio).astype(np.int64)
    origins = np.clip(places + offsets, 0, np.array(gap.shape) - 1)
    weight = (~gap).astype(np.float32)
    sigma = float(ratio.max())
    total = cv2.GaussianBlur(weight, (0, 0), sigma)[:, :, None] + 1e-3
    detail = image - cv2.GaussianBlur(image * weight[:, :, None], (0, 0), sigma) / total
    result = np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    taken = detail[origins[:, 0], origins[:, 1]] * (number >= 0)[:, None]
    taken[gap[origins[:, 0], origins[:, 1]]] = 0
    result[places[:, 0], places[:, 1]] += taken
    return result


def _window(mask: Mask, margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )
