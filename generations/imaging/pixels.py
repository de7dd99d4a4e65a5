"""The arrays that pictures are made of."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""sRGB, 8 bit, shape (height, width, 3) or (height, width, 4) with straight alpha last."""

Mask = NDArray[np.uint8]
"""8 bit, shape (height, width); 255 where it holds."""


def require_rgb(name: str, pixels: Pixels) -> None:
    """Raise ValueError unless `pixels` is (height, width, 3) of uint8."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"{name}: {pixels.dtype} of shape {pixels.shape}; uint8 of shape (H, W, 3) is needed")


def require_mask(name: str, mask: Mask, like: Pixels) -> None:
    """Raise ValueError unless `mask` is uint8 of the height and width of `like`."""
    if mask.dtype != np.uint8 or mask.shape != like.shape[:2]:
        raise ValueError(f"{name}: {mask.dtype} of shape {mask.shape}; uint8 of shape {like.shape[:2]} is needed")
