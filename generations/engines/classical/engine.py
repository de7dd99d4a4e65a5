"""`ClassicalEngine`: the door of the package; decodes, dispatches on the image model, encodes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from generations.engines import base
from generations.engines.classical import cost, inpainting, notes, replacement, subject
from generations.imaging import encode, errors

Pixels = npt.NDArray[np.uint8]
Recipe = Callable[[base.Job, base.Progress], tuple[list[Pixels], Pixels]]

RECIPES: Mapping[str, Recipe] = {
    "bg-replace": replacement.run,
    "inpaint-auto": inpainting.run_auto,
    "sdxl-inpaint": inpainting.run_masked,
    "sd1.5-inpainting": inpainting.run_resized,
}
"""Image model → what makes its pictures and their `keep` mask."""


class ClassicalEngine(base.Engine):
    """Computes on one core of this machine; a repeated run costs nobody anything."""

    queue: base.Queue = base.Queue.COMPUTE
    about = (
        "It runs on the built-in CPU engine, which composites and fills your own pictures: it does not read the "
        "prompt, the scheduler, the steps or the guidance."
    )

    def seconds(self, model: str, params: Mapping[str, Any], pixels: int) -> float:
        """Return the expected seconds of one core."""
        return cost.seconds(model, params, pixels)

    def unread(self, model: str, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what it does not read, the prompt above all."""
        return notes.names(model, params)

    def submit(self, job: base.Job, progress: base.Progress) -> base.Result:
        """Make `job`'s pictures. Raises Rejected where a picture is at fault, and lets `progress` cancel."""
        recipe = _recipe(job.model)
        started = time.monotonic()
        cv2.setNumThreads(1)  # Workers are processes, one a core: threads of OpenCV would only fight.
        try:
            progress(0.02, "Reading the pictures")
            outputs, keep = recipe(job, progress)
        except (errors.ImageError, subject.NoSubject) as error:
            raise base.Rejected(str(error)) from error
        progress(0.95, "Writing the result")
        pictures = tuple(_picture(pixels, job.seed + index) for index, pixels in enumerate(outputs))
        seconds = time.monotonic() - started
        return base.Result(
            pictures=pictures,
            seconds=seconds,
            cost=self.price(seconds),
            notes=notes.unread(job),
            keep=encode.png(keep),
        )


def _recipe(model: str) -> Recipe:
    try:
        return RECIPES[model]
    except KeyError:
        known = ", ".join(RECIPES)
        raise base.Unsupported(f"The CPU engine does not run {model!r}; it runs {known}.") from None


def _picture(pixels: Pixels, seed: int) -> base.Picture:
    height, width = pixels.shape[:2]
    return base.Picture(encode.png(pixels), "image/png", width, height, seed)
