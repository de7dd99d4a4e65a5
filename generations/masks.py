"""Masks that come in: white = repaint."""

from collections.abc import Callable, Mapping
from typing import Any

from generations import delivery
from generations.catalogue import FieldError, ImageModel, InvalidInput
from generations.imaging import composite, decode
from generations.models import Asset


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
        raise InvalidInput((FieldError("mask", "", f"mask: {problem}"),))


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
