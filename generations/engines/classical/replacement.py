"""bg-replace: the subject on the reference picture."""

import numpy as np
import numpy.typing as npt

from generations.engines import base
from generations.engines.classical import (
    blend,
    cutout,
    harmonise,
    matting,
    reference,
    shadow,
    subject,
)
from generations.imaging import composite, decode

Pixels = npt.NDArray[np.uint8]

ADAPTATION = 0.5
"""How far the background adapts to the subject at ip_adapter_weight 0; the more weight it has, the less."""


def run(job: base.Job, progress: base.Progress) -> tuple[list[Pixels], Pixels]:
    """Return one picture a sample and the mask of what had to stay. Raises NoSubject, ImageError."""
    picture = decode.decode(job.images["image"], alpha=True)
    wanted = decode.decode(job.images["ref_image"])
    progress(0.1, "Finding the subject")
    pixels, alpha = separate(picture)
    progress(0.5, "Taking the old background out of the edges")
    front = matting.foreground(pixels, alpha)
    dark = shadow.density(alpha)
    samples = int(job.params.get("samples") or 1)
    outputs = []
    for index in range(samples):
        progress(0.6 + 0.35 * index / samples, f"Placing the subject, picture {index + 1} of {samples}")
        outputs.append(_compose(job, pixels, front, alpha, dark, wanted, job.seed + index))
    return outputs, np.where(alpha == 255, 255, 0).astype(np.uint8)


def separate(picture: Pixels) -> tuple[Pixels, Pixels]:
    """Return RGB and alpha of `picture` (RGB or RGBA): its own alpha where it says anything, else the found one.

    Raises NoSubject.
    """
    if picture.shape[2] == 4 and int(picture[:, :, 3].min()) < 255:
        alpha = np.ascontiguousarray(picture[:, :, 3])
        subject.check_given(float(alpha.mean()) / 255)
        return np.ascontiguousarray(picture[:, :, :3]), alpha
    pixels = np.ascontiguousarray(picture[:, :, :3])
    return pixels, cutout.cutout(pixels)


def _compose(
    job: base.Job,
    pixels: Pixels,
    front: Pixels,
    alpha: Pixels,
    dark: npt.NDArray[np.float32],
    wanted: Pixels,
    seed: int,
) -> Pixels:
    weight = float(job.params.get("ip_adapter_weight", 0.5))
    strength = float(job.params.get("strength", 1.0))
    height, width = alpha.shape
    back = reference.background(wanted, width, height, reference.variant(seed))
    subject_mean, back_mean = harmonise.mean(front, alpha), harmonise.mean(back)
    back = harmonise.adapt(back, back_mean, subject_mean, ADAPTATION * (1 - weight))
    front = harmonise.adapt(front, subject_mean, back_mean, (weight - 0.5) * 2)
    back = blend.mix(pixels, blend.shade(back, dark), strength)
    return composite.over(front, alpha, back)
