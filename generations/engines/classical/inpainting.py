"""inpaint-auto, sdxl-inpaint and sd1.5-inpainting: repaint the masked part from its surroundings."""

import numpy as np
import numpy.typing as npt

from generations.engines import base
from generations.engines.classical import blend, fill, matting, replacement, shadow, sweep
from generations.imaging import composite, decode, errors

Pixels = npt.NDArray[np.uint8]

FULL = 0.9
"""The strength from which nothing of the old picture is left, the models' default: a ghost of what was to go
helps nobody, and inpaint-auto admits no more than 0.99."""


def run_masked(job: base.Job, progress: base.Progress) -> tuple[list[Pixels], Pixels]:
    """Repaint where `mask` is white, at the input's size. Raises ImageError."""
    pixels = decode.decode(job.images["image"])
    mask = decode.decode_mask(job.images["mask"], pixels.shape[1], pixels.shape[0])
    return _repaint(job, progress, pixels, mask)


def run_resized(job: base.Job, progress: base.Progress) -> tuple[list[Pixels], Pixels]:
    """Repaint where `mask` is white, input and mask cover-cropped to img_width × img_height. Raises ImageError."""
    pixels = decode.decode(job.images["image"])
    mask = decode.decode_mask(job.images["mask"], pixels.shape[1], pixels.shape[0])
    width, height = int(job.params.get("img_width") or 512), int(job.params.get("img_height") or 512)
    mask = composite.cover(mask, width, height, nearest=True)
    return _repaint(job, progress, composite.cover(pixels, width, height), mask)


def run_auto(job: base.Job, progress: base.Progress) -> tuple[list[Pixels], Pixels]:
    """Repaint where `mask` is white; without one, everything but the subject. Raises NoSubject, ImageError."""
    if job.images.get("mask"):
        return run_masked(job, progress)
    pixels = decode.decode(job.images["image"])
    progress(0.1, "Finding the subject")
    pixels, alpha = replacement.separate(pixels)
    front = matting.foreground(pixels, alpha)
    dark = shadow.density(alpha)
    outputs = []
    for index in range(_samples(job)):
        progress(0.5 + 0.4 * index / _samples(job), f"Painting the background, picture {index + 1}")
        ground = blend.shade(sweep.paint(pixels, alpha, job.seed + index), dark)
        outputs.append(composite.over(front, alpha, blend.mix(pixels, ground, _amount(job))))
    return outputs, np.where(alpha == 255, 255, 0).astype(np.uint8)


def _repaint(job: base.Job, progress: base.Progress, pixels: Pixels, mask: Pixels) -> tuple[list[Pixels], Pixels]:
    if not mask.any():
        raise errors.ImageError("mask: it has nothing to repaint; paint the part to change white.")
    outputs = []
    for index in range(_samples(job)):
        start, share = 0.1 + 0.8 * index / _samples(job), 0.8 / _samples(job)
        filled = fill.fill(pixels, mask, job.seed + index, _part(progress, start, share))
        outputs.append(blend.inside(pixels, filled, mask, _amount(job)))
    return outputs, 255 - mask


def _part(progress: base.Progress, start: float, share: float) -> base.Progress:
    return lambda done, words: progress(start + share * done, words)


def _samples(job: base.Job) -> int:
    return int(job.params.get("samples") or 1)


def _amount(job: base.Job) -> float:
    return min(1.0, float(job.params.get("strength", FULL)) / FULL)
