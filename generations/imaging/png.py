"""PNG files: their chunks."""

import struct
import zlib
from collections.abc import Iterator

from generations.imaging.errors import ImageError
from generations.imaging.header import Header, orientation

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 20_000
MAX_PROFILE = 4 * 1024 * 1024
_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ALPHA_TYPES = (4, 6)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the chunk, end of the chunk) up to IEND."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(data):
            raise ImageError("the PNG is cut short")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ImageError("the PNG is cut short")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise ImageError(f"the PNG has more than {MAX_CHUNKS:,} chunks")


def _profile(body: bytes) -> bytes | None:
    _, _, packed = body.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof else None


def read(data: bytes) -> Header:
    """Return the header of a PNG. Raises ImageError where its chunks don't add up."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise ImageError("the PNG does not begin with its header")
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    frames, turn, icc, alpha, end = 1, 1, None, colour in _ALPHA_TYPES, 0
    for kind, start, end in _chunks(data):
        if kind == b"acTL" and end - start >= 16:
            (frames,) = struct.unpack_from(">I", data, start + 8)
        elif kind == b"eXIf":
            turn = orientation(data[start + 8 : end - 4])
        elif kind == b"iCCP":
            icc = _profile(data[start + 8 : end - 4])
        elif kind == b"tRNS":
            alpha = True
    return Header("PNG", width, height, end, max(frames, 1), alpha, turn, icc)


def strip(data: bytes) -> bytes:
    """Return the PNG with the chunks that its pixels need alone; of an animation, its default picture."""
    kept = (data[start:end] for kind, start, end in _chunks(data) if kind in _NEEDED)
    return SIGNATURE + b"".join(kept)
