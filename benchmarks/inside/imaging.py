"""`python -m benchmarks.inside.imaging`: time each step that a picture goes through."""

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from benchmarks import pictures
from generations.imaging import decode, encode, fidelity, strip, thumbnail

SIDES = (1024, 2048)
REPEATS = 9

BEFORE, WORK, ANSWER, AFTER = "before the submit", "in the worker", "at delivery", "after the answer"


def main() -> None:
    """Print {"steps": {name: [when, ms at each side …]}, "sides": …, "sizes": …}."""
    steps: dict[str, list[str | float]] = {}
    sizes = []
    for side in SIDES:
        data = pictures.jpeg(side)
        sizes.append(f"{side}²: {len(data) / 2**20:.2f} MiB")
        for name, (when, work) in _steps(data).items():
            steps.setdefault(name, [when]).append(_milliseconds(work))
    json.dump({"steps": steps, "sides": SIDES, "sizes": sizes}, sys.stdout)


def _steps(data: bytes) -> dict[str, tuple[str, Callable[[], object]]]:
    pixels = decode.decode(data)
    changed = pixels.copy()
    changed[: len(changed) // 2] //= 2
    keep = np.full(pixels.shape[:2], 255, np.uint8)
    keep[: len(keep) // 2] = 0
    master = encode.png(pixels)
    return {
        "probe (header, limits)": (BEFORE, lambda: decode.probe(data)),
        "safe decode of a JPEG": (BEFORE, lambda: decode.decode(data, alpha=True)),
        "store": (BEFORE, lambda: _store(data)),
        "strip metadata of a JPEG": (WORK, lambda: strip.strip(data)),
        "encode the PNG master": (WORK, lambda: encode.png(pixels)),
        "safe decode of the PNG master": (ANSWER, lambda: decode.decode(master)),
        "encode a JPEG": (ANSWER, lambda: encode.jpeg(pixels)),
        "thumbnail of the PNG master": (AFTER, lambda: thumbnail.thumbnail(master)),
        "thumbnail of a JPEG": (AFTER, lambda: thumbnail.thumbnail(data)),
        "fidelity report": (AFTER, lambda: fidelity.report(pixels, changed, keep)),
    }


def _store(data: bytes) -> None:
    name = default_storage.save(f"bench/{uuid.uuid4().hex}", ContentFile(data))
    default_storage.delete(name)


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - began))
    return statistics.median(spent)


if __name__ == "__main__":
    main()
