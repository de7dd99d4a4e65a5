"""WebP files: their chunks."""

import struct
from collections.abc import Iterator

from generations.imaging.errors import ImageError
from generations.imaging.header import Header, orientation

MAX_CHUNKS = 20_000
_ALPHA, _ANIMATION = 0x10, 0x02


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the chunk, end of its payload without the padding byte)."""
    end = end_of_file(data)
    at = 12
    for _ in range(MAX_CHUNKS):
        if at == end:
            return
        if at + 8 > end:
            raise ImageError("the WebP is cut short")
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise ImageError("the WebP is cut short")
        yield kind, at, at + 8 + length
        at = min(at + 8 + length + length % 2, end)
    raise ImageError(f"the WebP has more than {MAX_CHUNKS:,} chunks")


def end_of_file(data: bytes) -> int:
    """Return where the container says that it ends. Raises ImageError where the file is shorter."""
    (length,) = struct.unpack_from("<I", data, 4)
    end: int = length + 8
    if end > len(data):
        raise ImageError("the WebP is cut short")
    return end


def _lossy(body: bytes) -> tuple[int, int, bool]:
    if len(body) < 10 or body[3:6] != b"\x9d\x01\x2a":
        raise ImageError("the WebP is damaged")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF, False


def _lossless(body: bytes) -> tuple[int, int, bool]:
    if len(body) < 5 or body[0] != 0x2F:
        raise ImageError("the WebP is damaged")
    (bits,) = struct.unpack_from("<I", body, 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _extended(body: bytes) -> tuple[int, int, bool]:
    if len(body) < 10:
        raise ImageError("the WebP is damaged")
    width = int.from_bytes(body[4:7], "little") + 1
    height = int.from_bytes(body[7:10], "little") + 1
    return width, height, bool(body[0] & _ALPHA)


def read(data: bytes) -> Header:
    """Return the header of a WebP. Raises ImageError where its chunks don't add up."""
    size: tuple[int, int, bool] | None = None
    frames, turn, icc = 0, 1, None
    for kind, start, end in _chunks(data):
        if size is None and kind == b"VP8X":
            size = _extended(data[start + 8 : end])
        elif size is None and kind == b"VP8L":
            size = _lossless(data[start + 8 : start + 13])
        elif size is None and kind == b"VP8 ":
            size = _lossy(data[start + 8 : start + 18])
        elif kind == b"ANMF":
            frames += 1
        elif kind == b"EXIF":
            turn = orientation(data[start + 8 : end])
        elif kind == b"ICCP":
            icc = data[start + 8 : end]
    if size is None:
        raise ImageError("the WebP has no picture")
    return Header("WEBP", size[0], size[1], end_of_file(data), max(frames, 1), size[2], turn, icc)


def strip(data: bytes) -> bytes:
    """Return a still WebP with its coded pixels, and its alpha, alone."""
    kept = b""
    for kind, start, end in _chunks(data):
        if kind == b"VP8X":
            flags = bytes([data[start + 8] & _ALPHA, 0, 0, 0])
            kept += data[start : start + 8] + flags + data[start + 12 : start + 18]
        elif kind in (b"VP8 ", b"VP8L", b"ALPH"):
            kept += data[start:end] + b"\0" * ((end - start) % 2)
    return b"RIFF" + struct.pack("<I", len(kept) + 4) + b"WEBP" + kept
