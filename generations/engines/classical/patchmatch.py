"""Fill a hole with patches from around it (PatchMatch, Barnes 2009, inside Wexler's coarse-to-fine completion)."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines.classical import patches, regions
from generations.engines.classical.patches import Places, Plane

Mask = npt.NDArray[np.bool_]

ROUNDS = (14, 6, 4, 3)
"""Match-and-vote rounds from the coarsest level on; finer ones than these take the last."""
COARSEST = 40
"""Longer side in pixels of the coarsest level, about."""
TRUST = 1.3
"""How much less a patch's vote weighs with each pixel that its centre lies deeper in the hole."""
UPRIGHT = np.array([1000, 150], np.float32)
"""Cost of taking a patch from another height or side of the picture: scenes are layered (wall over table, sky over
sea), so what is at one height belongs there."""


@dataclass(slots=True)
class Field:
    """For each target patch (centre overlapping the hole) the source patch that resembles it most.

    targets and sources: (N, 2) rows and columns. cost: squared distance. index: (H, W) → number of the target or -1.
    """

    targets: Places
    sources: Places
    cost: Plane
    index: npt.NDArray[np.int64]


def complete(picture: Plane, hole: Mask, random: np.random.Generator) -> tuple[Plane, Field]:
    """Return `picture` (H, W, 3) with `hole` filled, and the field it was filled from.

    Raises ValueError where no whole patch lies outside the hole.
    """
    levels = _pyramid(picture, hole)
    filled, field = levels[0][0], None
    for number, (image, gap) in enumerate(levels):
        if number:
            rough = cv2.resize(filled, (gap.shape[1], gap.shape[0]), interpolation=cv2.INTER_CUBIC)
            filled = np.where(gap[:, :, None], rough, image).astype(np.float32)
        field = _start(gap, field, random)
        allowed = ~regions.grow_square(gap, patches.REACH)
        known = _placed(filled)
        trust = (TRUST ** -regions.depth(gap)).astype(np.float32)
        for _ in range(ROUNDS[min(number, len(ROUNDS) - 1)]):
            wanted = _placed(filled)[field.targets[:, 0], field.targets[:, 1]]
            _match(field, wanted, known, allowed, random)
            filled = _vote(filled, gap, field, trust)
    assert field is not None
    return filled, field


def _placed(picture: Plane) -> Plane:
    """Return the patch vectors of `picture` with the place as two more components, (H, W, 18)."""
    height, width = picture.shape[:2]
    places = np.mgrid[:height, :width].transpose(1, 2, 0) / np.array([height, width])
    return np.dstack([patches.vectors(picture), (places * UPRIGHT).astype(np.float32)])


def _pyramid(picture: Plane, hole: Mask) -> list[tuple[Plane, Mask]]:
    """Return picture and hole from coarse to fine; at the coarsest, the hole is filled smoothly."""
    levels = [(picture, hole)]
    while max(levels[-1][1].shape) > 1.6 * COARSEST:
        image, gap = levels[-1]
        size = (max(1, gap.shape[1] // 2), max(1, gap.shape[0] // 2))
        weight = (~gap).astype(np.float32)
        total = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        sums = cv2.resize(image * weight[:, :, None], size, interpolation=cv2.INTER_AREA)
        smaller = np.asarray(sums / np.maximum(total, 1e-3)[:, :, None], np.float32)
        less = total < 0.5
        if (~regions.grow_square(less, patches.REACH)).sum() < 60:
            break  # Too few sources would be left.
        levels.append((smaller, less))
    coarse, gap = levels[-1]
    if not (~regions.grow_square(gap, patches.REACH)).any():
        raise ValueError("no whole patch outside the hole")
    bytes_ = np.clip(coarse, 0, 255).astype(np.uint8)
    smooth = cv2.inpaint(bytes_, gap.astype(np.uint8), 3, cv2.INPAINT_TELEA).astype(np.float32)
    levels[-1] = (np.where(gap[:, :, None], smooth, coarse).astype(np.float32), gap)
    return levels[::-1]


def _start(gap: Mask, coarser: Field | None, random: np.random.Generator) -> Field:
    """Return a field for `gap`: random, or twice the `coarser` one where that leads to whole patches."""
    height, width = gap.shape
    targets = np.argwhere(regions.grow_square(gap, patches.REACH))
    allowed = ~regions.grow_square(gap, patches.REACH)
    places = np.argwhere(allowed)
    sources = places[random.integers(0, len(places), len(targets))]
    if coarser is not None:
        rows = np.minimum(targets[:, 0] // 2, coarser.index.shape[0] - 1)
        columns = np.minimum(targets[:, 1] // 2, coarser.index.shape[1] - 1)
        number = coarser.index[rows, columns]
        moved = targets + 2 * (coarser.sources[number] - coarser.targets[number])
        moved = np.clip(moved, 0, (height - 1, width - 1))
        good = (number >= 0) & allowed[moved[:, 0], moved[:, 1]]
        sources[good] = moved[good]
    index = np.full((height, width), -1, np.int64)
    index[targets[:, 0], targets[:, 1]] = np.arange(len(targets))
    return Field(targets, sources, np.full(len(targets), np.inf, np.float32), index)


def _match(field: Field, wanted: Plane, known: Plane, allowed: Mask, random: np.random.Generator) -> None:
    """Improve `field` in place: take over the neighbours' offsets, then look around at random, ever closer."""
    limits = np.array(allowed.shape) - 1
    field.cost = _cost(wanted, known, field.sources)
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    for far in (1, 4, 2, 1):
        for step in steps:
            aside = np.clip(field.targets + np.array(step) * far, 0, limits)
            number = field.index[aside[:, 0], aside[:, 1]]
            moved = field.targets + field.sources[number] - field.targets[number]
            _take(field, wanted, known, allowed, np.where(number[:, None] >= 0, moved, field.sources))
    radius = float(max(allowed.shape))
    while radius >= 1:
        offset = random.integers(-int(radius), int(radius) + 1, field.sources.shape)
        _take(field, wanted, known, allowed, field.sources + offset)
        radius /= 2


def _take(field: Field, wanted: Plane, known: Plane, allowed: Mask, candidates: Places) -> None:
    """Keep each of `candidates` (N, 2) that resembles its target more than the present source."""
    candidates = np.clip(candidates, 0, np.array(allowed.shape) - 1)
    cost = _cost(wanted, known, candidates)
    better = (cost < field.cost) & allowed[candidates[:, 0], candidates[:, 1]]
    field.sources[better] = candidates[better]
    field.cost[better] = cost[better]


def _cost(wanted: Plane, known: Plane, places: Places) -> Plane:
    difference = known[places[:, 0], places[:, 1]] - wanted
    return np.asarray(np.einsum("ij,ij->i", difference, difference), np.float32)


def _vote(picture: Plane, gap: Mask, field: Field, trust: Plane) -> Plane:
    """Return `picture` with each pixel of `gap` the mean of what the patches over it say, the better the heavier."""
    height, width = gap.shape
    scale = max(float(np.median(field.cost)), 1.0)
    weight = (np.exp(-field.cost / (2 * scale)) + 1e-3) * trust[field.targets[:, 0], field.targets[:, 1]]
    sums = np.zeros((height * width, 4))
    for down in range(-patches.REACH, patches.REACH + 1):
        for across in range(-patches.REACH, patches.REACH + 1):
            rows, columns = field.targets[:, 0] + down, field.targets[:, 1] + across
            valid = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            valid[valid] = gap[rows[valid], columns[valid]]
            from_rows = np.clip(field.sources[valid, 0] + down, 0, height - 1)
            from_columns = np.clip(field.sources[valid, 1] + across, 0, width - 1)
            flat = rows[valid] * width + columns[valid]  # each target once: no place occurs twice
            sums[flat, :3] += picture[from_rows, from_columns] * weight[valid, None]
            sums[flat, 3] += weight[valid]
    mean = (sums[:, :3] / np.maximum(sums[:, 3:], 1e-9)).reshape(height, width, 3)
    covered = gap & (sums[:, 3].reshape(height, width) > 0)
    return np.where(covered[:, :, None], mean, picture).astype(np.float32)
