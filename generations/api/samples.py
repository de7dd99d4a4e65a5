"""Inputs that the reference shows, and that run as they stand: small pictures as data: URIs, and the least text."""

from typing import Any

from generations.catalogue import ImageModel

ID = "0b6e7f0c-4f7e-4c5e-9f6d-2a1f0f5b8c11"
"""Of a job, in answers."""
_PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABA"
SUBJECT = _PNG + (
    "AQMAAACQp+OdAAAABlBMVEX///+wOi5p4/7YAAAAG0lEQVR42mNgoCvg////AwMDE4w7yhgoBrUAAMT/A1TnHNXRAAAAAElFTkSuQmCC"
)
"""A red bottle of 64 × 64 pixels on white."""
BACKDROP = _PNG + (
    "AQMAAACQp+OdAAAABlBMVEWWvtzeyKD/zxpRAAAAFklEQVR42mNgGAWUAsb/UAYTw4hjAAAX5AE3ooIjkwAAAABJRU5ErkJggg=="
)
"""Sand under a sky."""
MASK = _PNG + "AQAAAACCEkxzAAAAG0lEQVR42mNgoCvg////AwMDE4w7yhgoBrUAAMT/A1TnHNXRAAAAAElFTkSuQmCC"
"""White where the bottle is."""

_IMAGES = {"image": SUBJECT, "ref_image": BACKDROP, "mask": MASK}


def of(model: ImageModel) -> dict[str, Any]:
    """Return the least that a model asks for."""
    return {name: _IMAGES.get(name) or _value(model, name) for name in model.required_names}


def _value(model: ImageModel, name: str) -> Any:
    parameter = model.by_name[name]
    return parameter.example or parameter.default
