"""The pictures that the stand-in answers."""

import functools
import io

from PIL import Image

DQT = b"\xff\xdb"
IEND = 12
"""Bytes of a PNG's last chunk."""
SEGMENT = 65_533
KIBIBYTE = 1024
TYPES = {"jpeg": "image/jpeg", "png": "image/png"}
EXTENSIONS = {"jpeg": "jpg", "png": "png"}


@functools.lru_cache(maxsize=64)
def make(width: int, height: int, hue: int, kilobytes: int, format_: str) -> bytes:
    """Return a gradient of a hue (0-255) in that size, padded to so many kilobytes."""
    gradient = Image.linear_gradient("L").resize((width, height))
    flat = Image.new("L", (width, height), hue)
    picture = Image.merge("HSV", (flat, flat.point(lambda _: 120), gradient)).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, format_, quality=90)
    data = buffer.getvalue()
    missing = kilobytes * KIBIBYTE - len(data)
    return data if missing <= 0 else _pad_jpeg(data, missing) if format_ == "jpeg" else _pad_png(data, missing)


def _pad_jpeg(data: bytes, missing: int) -> bytes:
    """Repeat the first quantisation table: it is valid, and no metadata that would be taken out again."""
    start = data.index(DQT)
    table = data[start + 4 : start + 4 + 65]
    padding = b""
    while len(padding) < missing:
        tables = table * max(1, min(SEGMENT, missing - len(padding)) // len(table))
        padding += DQT + (len(tables) + 2).to_bytes(2) + tables
    return data[:start] + padding + data[start:]


def _pad_png(data: bytes, missing: int) -> bytes:
    """Put empty IDAT chunks before the end: they add nothing to the stream."""
    empty = b"\0\0\0\0IDAT\x35\xaf\x06\x1e"
    return data[:-IEND] + empty * (missing // len(empty) + 1) + data[-IEND:]
