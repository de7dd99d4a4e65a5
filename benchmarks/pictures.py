"""Pictures and requests to measure with, made from a seed: the same in every run."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter


def photo(side: int, seed: int = 0) -> Image.Image:
    """Return a square RGB picture with the structure of a photograph: smooth areas, edges, grain."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    edges = Image.fromarray(random.integers(0, 256, (33, 33, 3), dtype=np.uint8)).resize(
        (side, side), Image.Resampling.NEAREST
    )
    mixed = Image.blend(coarse, edges.filter(ImageFilter.GaussianBlur(side / 256)), 0.2)
    grain = random.normal(0, 4, (side, side, 3))
    return Image.fromarray(np.clip(np.asarray(mixed) + grain, 0, 255).astype(np.uint8))


def jpeg(side: int, seed: int = 0) -> bytes:
    """Return `photo` as JPEG."""
    buffer = io.BytesIO()
    photo(side, seed).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def fields(side: int, seed: int = 0) -> dict[str, Any]:
    """Return the input of a background replacement on two pictures, in base64."""
    image, background = (base64.b64encode(jpeg(side, number)).decode() for number in (2 * seed, 2 * seed + 1))
    return {"image": image, "ref_image": background, "prompt": "a perfume bottle on a beach", "seed": seed}


def body(side: int, seed: int = 0) -> str:
    """Return `fields` as JSON."""
    return json.dumps(fields(side, seed))


def write_bodies(file: Path, count: int, side: int = 64) -> str:
    """Write so many different bodies as the load generator reads them, and return the file's name."""
    file.write_text(json.dumps([body(side, number) for number in range(count)]))
    return str(file)
