"""Masks that come in: white = repaint."""

from collections.abc import Callable, Mapping
from typing import Any

from generations import delivery
from generations.catalogue import FieldError, ImageModel, InvalidInput
from generations.imaging import composite, decode, encode
from generations.imaging.errors import ImageError
from generations.imaging.pixels import Pixels
from generations.models import Asset

OPAQUE = 127
"""Alpha above it says that a pixel stays: its opposite is darker than half."""


def _stored(asset: Asset) -> bytes:
    return delivery.read(asset.file)


def check(
    declared: ImageModel,
    params: Mapping[str, Any],
    assets: Mapping[str, Asset],
    read: Callable[[Asset], bytes] = _stored,
) -> None:
    """Raise InvalidInput where a mask is given that leaves nothing to repaint. read: where a file is taken from."""
    if "mask" in assets and painted(declared, params, assets, read) == 0:
        problem = "nothing of it is white where the picture is, so there is nothing to repaint; paint the area white"
        raise _wrong(problem)


def from_alpha(mask: bytes, image: bytes) -> bytes:
    """Return the mask that the transparency of a picture is, which has the image's size: what is transparent is white.

    Raises InvalidInput, of the image too where it is unreadable.
    """
    size, shape = _probed("image", image), _probed("mask", mask)
    if (size.width, size.height) != (shape.width, shape.height):
        raise _wrong(
            f"it has {shape.width} × {shape.height} pixels and the image {size.width} × {size.height}; "
            "both must be of one size"
        )
    if not shape.has_alpha:
        raise _wrong(
            "it has no transparency; make transparent (alpha 0) what is to be repainted, in a PNG of that size"
        )
    pixels = _decoded(mask)
    if pixels.shape[2] == 3 or pixels[:, :, 3].min() > OPAQUE:
        raise _wrong(
            "nothing of it is transparent, so there is nothing to repaint; make the area transparent (alpha 0)"
        )
    return encode.png(255 - pixels[:, :, 3])


def size(image: bytes) -> tuple[int, int]:
    """Return an image's width and height, upright. Raises InvalidInput."""
    found = _probed("image", image)
    return found.width, found.height


def _decoded(mask: bytes) -> Pixels:
    try:
        return decode.decode(mask, alpha=True)
    except ImageError as error:
        raise _wrong(str(error)) from error


def _probed(field: str, data: bytes) -> decode.Probe:
    try:
        return decode.probe(data)
    except ImageError as error:
        raise InvalidInput((FieldError(field, "", f"{field}: {error}"),)) from error


def _wrong(problem: str) -> InvalidInput:
    return InvalidInput((FieldError("mask", "", f"mask: {problem}"),))


def painted(
    declared: ImageModel,
    params: Mapping[str, Any],
    assets: Mapping[str, Asset],
    read: Callable[[Asset], bytes] = _stored,
) -> float:
    """Return the share of the output that is to be repainted: the mask fitted to the image, then cropped with it."""
    mask, image = assets["mask"], assets["image"]
    pixels = decode.decode_mask(read(mask), image.width, image.height)
    width, height = declared.output_size(params, image.width, image.height)
    return float((composite.cover(pixels, width, height, nearest=True) > 0).mean())
