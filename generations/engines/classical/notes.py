"""What a person should know about a picture made by the CPU engine."""

from collections.abc import Mapping
from typing import Any

from generations.engines import base

READ = frozenset(
    {
        "image",
        "ref_image",
        "mask",
        "samples",
        "seed",
        "strength",
        "ip_adapter_weight",
        "img_width",
        "img_height",
        "base64",  # read by whoever delivers the result
    }
)
ONLY_IN = {
    "ip_adapter_weight": "bg-replace",
    "img_width": "sd1.5-inpainting",
    "img_height": "sd1.5-inpainting",
}


def unread(job: base.Job) -> tuple[str, ...]:
    """Return one sentence naming each parameter with a value that `job.model` does not use here, or nothing."""
    found = names(job.model, job.params)
    return (f"The CPU engine composites and fills; it does not read: {', '.join(found)}.",) if found else ()


def names(model: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parameters with a value that `model` does not use here."""
    return tuple(name for name, value in params.items() if not _reads(model, name) and value not in (None, ""))


def _reads(model: str, name: str) -> bool:
    return name in READ and ONLY_IN.get(name, model) == model
