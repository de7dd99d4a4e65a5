"""Arrays into bytes, with nothing in them but pixels. sRGB is what a file without a profile means."""

import io

import cv2
import numpy as np
from PIL import Image

from generations.imaging.pixels import Mask, Pixels

# Level 1 with the Sub filter: 47 ms at 1024². Pillow needs 90 for the same size, and 300 at level 6 for 14 %
# less.
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB)
_TO_OPENCV = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def png(pixels: Pixels | Mask) -> bytes:
    """Return a lossless PNG of (H, W), (H, W, 3) or (H, W, 4)."""
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, _TO_OPENCV[pixels.shape[2]])
    done, buffer = cv2.imencode(".png", ordered, _PNG)
    if not done:
        raise ValueError(f"pixels of shape {pixels.shape} could not be written as PNG")
    return buffer.tobytes()


def _saved(image: Image.Image, format_: str, **options: int) -> bytes:
    target = io.BytesIO()
    image.save(target, format_, **options)
    return target.getvalue()


def jpeg(pixels: Pixels | Mask, quality: int = 92) -> bytes:
    """Return a JPEG of (H, W) or (H, W, 3); of (H, W, 4) flattened on white. quality: 1 to 95."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if image.mode == "RGBA":
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
        image = flat
    return _saved(image, "JPEG", quality=quality)


def webp(pixels: Pixels, quality: int = 80) -> bytes:
    """Return a lossy WebP of (H, W, 3) or (H, W, 4), its alpha kept. quality: 1 to 100."""
    # Method 2 takes less than half of the default's time for 4 % more bytes.
    return _saved(Image.fromarray(np.ascontiguousarray(pixels)), "WEBP", quality=quality, method=2)
