"""Small pictures for lists."""

import numpy as np
from PIL import Image

from generations.imaging import decode, encode, formats
from generations.imaging.limits import DEFAULT, Limits

_QUALITY = 80


def thumbnail(data: bytes, side: int = 512, *, limits: Limits = DEFAULT) -> bytes:
    """Return a WebP of the picture without metadata, its longer side at most `side` pixels.

    It is never enlarged, and its alpha is kept. A JPEG is decoded at a fraction of its size where that
    suffices. Raises ImageError as `decode.decode` does.
    """
    image = decode.load(data, formats.read(data, limits), draft=side)
    # A file may have an alpha channel that it does not use; it would cost a second plane in every list.
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return encode.webp(np.asarray(image), _QUALITY)
