"""How long a job takes on one core, as measured by benchmarks/classical.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of a job; of each megapixel of its input; of each picture made; of each megapixel of those."""

    start: float
    input: float
    picture: float
    output: float


RATES: Mapping[str, Rate] = {
    "bg-replace": Rate(0.75, 0.15, 0.0, 0.12),
    "inpaint-auto": Rate(0.15, 0.1, 0.8, 0.3),
    "sdxl-inpaint": Rate(0.1, 0.05, 0.8, 0.3),
    "sd1.5-inpainting": Rate(0.1, 0.05, 0.8, 0.3),
}
MEGAPIXEL = 1_000_000


def seconds(model: str, params: Mapping[str, Any], pixels: int) -> float:
    """Return the expected seconds for `params` on an input of `pixels`."""
    rate = RATES.get(model, RATES["inpaint-auto"])  # one it does not know is refused, but may be priced before
    made = int(params.get("img_width") or 0) * int(params.get("img_height") or 0) or pixels
    samples = int(params.get("samples") or 1)
    once = rate.start + rate.input * pixels / MEGAPIXEL
    return once + samples * (rate.picture + rate.output * made / MEGAPIXEL)
