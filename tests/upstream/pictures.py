"""The pictures that the stand-in answers."""

import functools
import io

from PIL import Image

from generations.engines import scripted

IEND = 12
"""Bytes of a PNG's last chunk."""
KIBIBYTE = 1024
TYPES = {"jpeg": "image/jpeg", "png": "image/png"}
EXTENSIONS = {"jpeg": "jpg", "png": "png"}


def make(width: int, height: int, hue: int, kilobytes: int, format_: str) -> bytes:
    """Return a gradient of a hue (0-255) in that size, padded to so many kilobytes."""
    made = scripted.jpeg(width, height, hue, kilobytes if format_ == "jpeg" else 0)
    return made if format_ == "jpeg" else _png(made, kilobytes * KIBIBYTE)


@functools.lru_cache(maxsize=64)
def _png(jpeg: bytes, size: int) -> bytes:
    """Return the picture as PNG, padded to a size in bytes."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as picture:
        picture.save(buffer, "PNG")
    data = buffer.getvalue()
    return _pad_png(data, max(0, size - len(data)))


def _pad_png(data: bytes, missing: int) -> bytes:
    """Put empty IDAT chunks before the end: they add nothing to the stream."""
    empty = b"\0\0\0\0IDAT\x35\xaf\x06\x1e"
    return data[:-IEND] + empty * (missing // len(empty) + 1) + data[-IEND:]
