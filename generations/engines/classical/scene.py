"""The subject in a scene (a table, a wall, a floor), where the backdrop has colours and patterns of its own.

GrabCut finds it roughly. Then each pixel is weighed: is it more like the background near it than like the subject, and
is it crisp? These odds are a sum of soft terms, so that a little noise moves them a little; a graph cut turns them into
an outline, and each look, at a finer scale, samples its background closer to the outline that the last one found.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines.classical import regions, samples
from generations.engines.classical.regions import Mask, Plane


class Look(NamedTuple):
    """One look at the picture: its longer side in pixels, and the 256ths around the outline left unsampled."""

    side: int
    margin: float


ROUGH = 160
"""Longer side in pixels at which GrabCut finds the subject."""
LOOKS = (Look(256, 5), Look(256, 3), Look(512, 2.5))
BEHIND = samples.Metric(down=1.2, across=0.48, count=4000)
"""A background goes on sideways farther than it does up and down: a horizon, planks, shade on the floor."""
FRONT = samples.Metric(down=0.2, across=0.2, count=2500)
DISTINCT = 5
"""Lab units from which a pixel differs from what is behind it."""
WORTH = 40
"""What one unit of the odds weighs in the graph cut, whose longest edges weigh 50: more keeps thin parts."""
SPECK = 12
"""Pixels of 512² up to which a hole is a flaw."""


def alpha(lab: Plane) -> Plane:
    """Return the subject's alpha, float32 (H, W) from 0 to 1."""
    return _soft(lab, _outlined(lab, _rough(lab)))


def _rough(lab: Plane) -> Mask:
    """Return what GrabCut finds when nothing is known but that the border is background."""
    small = _scaled(lab, ROUGH)
    start = np.full(small.shape[:2], cv2.GC_PR_FGD, np.uint8)
    start[regions.frame(*small.shape[:2])] = cv2.GC_BGD
    offset = np.array([0, 128, 128], np.float32)
    channels = small * np.array([2.55, 2, 2], np.float32) + offset
    models = np.zeros((1, 65)), np.zeros((1, 65))
    return regions.largest(_cut(channels, start, 4, models, cv2.GC_INIT_WITH_MASK))


def _outlined(lab: Plane, rough: Mask) -> Mask:
    """Return the subject with its gaps, at the last look's size, from its `rough` mask."""
    mask, likely, detail = rough, np.ones_like(rough), _detail(lab)
    for side, margin in LOOKS:
        sized = _scaled(lab, side)
        small = np.asarray(cv2.GaussianBlur(sized, (0, 0), 0.6), np.float32)
        mask, unit = _resized(mask, sized), max(sized.shape[:2]) / 256
        front, behind = mask & _resized(likely, sized), ~regions.grow(mask, margin * unit)
        zone = regions.grow(mask, (margin + 2) * unit)
        odds = _odds(small, _crispness(detail, behind), front, behind, zone)
        likely, mask = odds > 0, regions.largest(_divided(small, odds, zone))
    return _without_specks(mask)


def _odds(small: Plane, crisp: Plane, front: Mask, behind: Mask, zone: Mask) -> Plane:
    """Return for each pixel of `zone` how much speaks for the subject (above 0) or against it; -4 outside.

    `front` and `behind` are sampled; of `front` only what differs from what is behind it, since gaps are in it too.
    """
    unit = max(zone.shape) / 256
    apart = samples.distance(small, behind, zone, BEHIND)
    distinct = front & (apart >= DISTINCT)
    alike = samples.distance(small, distinct if distinct.sum() >= 50 else front, zone, FRONT)
    odds = np.log((apart + 1.5) / (alike + 1.5)) + 0.12 * np.clip(apart - DISTINCT, -DISTINCT, 15)
    odds += 0.15 * np.minimum(crisp, 8)
    # Beside what stands out clearly, what does so less is a gap.
    highest = regions.highest(np.asarray(cv2.blur(odds, (3, 3)), np.float32), 3 * unit)
    return np.asarray(np.where(zone, odds - 0.2 - 0.3 * np.clip(highest, 0, 3), -4), np.float32)


def _divided(small: Plane, odds: Plane, zone: Mask) -> Mask:
    """Return the subject by a graph cut between `odds` and edges: GrabCut's, with colour models that are given.

    Both models are one Gaussian each, as wide as the other and apart in the first channel only: so the logarithm of
    their ratio is `odds` times WORTH, and nothing is learned that could turn out otherwise by chance.
    """
    step, apart = 32.0, 64.0
    channels = np.dstack([odds * step + 128, small[:, :, 0] * 1.5, small[:, :, 1] + small[:, :, 2] + 128])
    start = np.where(zone, np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD), cv2.GC_BGD).astype(np.uint8)
    spread = 2 * apart * step / WORTH
    models = _model(128 - apart, spread), _model(128 + apart, spread)
    return _cut(np.asarray(channels, np.float32), start, 1, models, cv2.GC_EVAL_FREEZE_MODEL)


def _model(mean: float, spread: float) -> npt.NDArray[np.float64]:
    """Return a GrabCut model, (1, 65): weights, means and covariances of five Gaussians, of which one is used."""
    model = np.zeros((1, 65))
    model[0, 0] = 1
    model[0, 5:8] = mean, 128, 128
    model[0, 20:29] = np.diag([spread, 1e5, 1e5]).ravel()
    return model


def _without_specks(mask: Mask) -> Mask:
    """Return `mask` with its holes of a few pixels filled."""
    most = SPECK * (max(mask.shape) / 512) ** 2
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    return np.asarray(mask | (stats[:, cv2.CC_STAT_AREA] < most)[labels])


def _detail(lab: Plane) -> Plane:
    """Return how much each pixel of `lab` differs from a blurred copy, at the last look's size."""
    unit = max(lab.shape[:2]) / 1024
    fine = np.linalg.norm(lab - cv2.GaussianBlur(lab, (0, 0), 1.5 * unit), axis=2)
    return _scaled(np.asarray(cv2.GaussianBlur(fine, (0, 0), unit), np.float32), LOOKS[-1].side)


def _crispness(detail: Plane, behind: Mask) -> Plane:
    """Return `detail` beyond what the background around has: a subject is in focus, a background seldom is."""
    height, width = behind.shape
    fine = np.asarray(cv2.resize(detail, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    usual, _ = regions.average(np.dstack([fine] * 3), behind.astype(np.float32), 20 / 512 * max(height, width))
    return np.asarray(np.maximum(fine - 1.6 * usual[:, :, 0] - 0.2, 0), np.float32)


def _soft(lab: Plane, subject: Mask) -> Plane:
    """Return alpha at `lab`'s size: along the outline, how far a pixel lies from the ground's colour to the
    subject's; where those two are alike, the outline itself, smoothed."""
    height, width = lab.shape[:2]
    unit = max(height, width) / 1024
    alpha = cv2.resize(subject.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    window = _window(alpha > 0)
    lab, edge = lab[window], np.asarray(cv2.GaussianBlur(alpha[window], (0, 0), 1.2 * unit), np.float32)
    front, _ = regions.average(lab, (edge > 0.93).astype(np.float32), 3 * unit)
    behind, _ = regions.average(lab, (edge < 0.07).astype(np.float32), 3 * unit)
    line = front - behind
    length = (line * line).sum(axis=2)
    share = np.clip((((lab - behind) * line).sum(axis=2) / (length + 1e-3) - 0.1) / 0.8, 0, 1)
    trust = np.clip((np.sqrt(length) - 6) / 12, 0, 1)
    mixed = edge + trust * (share - edge)
    alpha[window] = np.where(edge > 0.93, 1, np.where(edge < 0.07, 0, mixed))
    return np.asarray(alpha, np.float32)


def _cut(
    channels: Plane,
    start: npt.NDArray[np.uint8],
    rounds: int,
    models: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    mode: int,
) -> Mask:
    """Return what GrabCut makes of `start`; three float channels from 0 to 255."""
    result = np.zeros(start.shape, np.bool_)
    window = _window(start != cv2.GC_BGD)
    picture = np.ascontiguousarray(np.clip(channels[window], 0, 255).astype(np.uint8))
    start = np.ascontiguousarray(start[window])
    if not (start == cv2.GC_PR_FGD).any() or not (start == cv2.GC_BGD).any():
        return result
    cv2.setRNGSeed(1)  # Its clusters start at random; the same picture must give the same mask.
    mask, _, _ = cv2.grabCut(picture, start, (0, 0, 1, 1), *models, rounds, mode)
    result[window] = np.asarray(mask) == cv2.GC_PR_FGD
    return result


def _window(mask: Mask) -> tuple[slice, slice]:
    """Return rows and columns of the part of the picture around `mask` that is worth looking at."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return slice(None), slice(None)
    margin = max(mask.shape) // 16
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin),
    )


def _scaled(lab: Plane, side: int) -> Plane:
    scale = min(1.0, side / max(lab.shape[:2]))
    return np.asarray(cv2.resize(lab, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)


def _resized(mask: Mask, like: Plane) -> Mask:
    size = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
