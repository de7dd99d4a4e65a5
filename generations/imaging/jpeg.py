"""JPEG files: their segments."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from generations.imaging.errors import ImageError
from generations.imaging.header import Header, orientation

SIGNATURE = b"\xff\xd8\xff"
MAX_SEGMENTS = 20_000
MAX_SCANS = 64
"""A progressive picture has about ten; each scan costs a pass over all pixels."""

_SOI, _EOI, _SOS, _DAC, _DHT = 0xD8, 0xD9, 0xDA, 0xCC, 0xC4
_APP0, _APP1, _APP2, _APP14, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_ALL_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ICC = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class _Segment:
    """marker: its code. start, end: of the whole segment, a scan's coded data included."""

    marker: int
    start: int
    end: int
    payload: bytes


def _segment(data: bytes, start: int, marker: int, body: int) -> _Segment:
    if marker == _EOI:
        return _Segment(marker, start, body, b"")
    if body + 2 > len(data):
        raise ImageError("the JPEG is cut short")
    (length,) = struct.unpack_from(">H", data, body)
    end = body + length
    if length < 2 or end > len(data):
        raise ImageError("the JPEG is cut short")
    payload = data[body + 2 : end]
    if marker == _SOS:
        following = _AFTER_SCAN.search(data, end)
        if following is None:
            raise ImageError("the JPEG is cut short")
        end = following.start()
    return _Segment(marker, start, end, payload)


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments after SOI, up to and with EOI."""
    at, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.match(data, at)
        if found is None:
            raise ImageError("the JPEG is cut short" if at >= len(data) else "the JPEG is damaged")
        segment = _segment(data, at, data[found.start(1)], found.end())
        scans += segment.marker == _SOS
        if scans > MAX_SCANS:
            raise ImageError(f"the JPEG has more than {MAX_SCANS} scans")
        yield segment
        if segment.marker == _EOI:
            return
        at = segment.end
    raise ImageError(f"the JPEG has more than {MAX_SEGMENTS:,} segments")


def _frame(segment: _Segment) -> tuple[int, int, int]:
    """Return width, height and the number of colours."""
    if segment.marker not in _FRAMES or len(segment.payload) < 6 or segment.payload[0] != 8:
        raise ImageError("the JPEG is of a kind that is not read here; baseline and progressive of 8 bit are")
    height, width = struct.unpack_from(">HH", segment.payload, 1)
    return width, height, segment.payload[5]


def _join(parts: list[bytes]) -> bytes | None:
    """Return the colour profile from its numbered parts."""
    whole = b"".join(part[14:] for part in sorted(parts, key=lambda part: part[12:13]))
    return whole or None


def read(data: bytes) -> Header:
    """Return the header of a JPEG. Raises ImageError where its segments don't add up."""
    size: tuple[int, int, int] | None = None
    turn, parts, end = 1, list[bytes](), 0
    for segment in _segments(data):
        end = segment.end
        if segment.marker in _ALL_FRAMES:
            if size is not None:
                raise ImageError("the JPEG has two frame headers")
            size = _frame(segment)
        elif segment.marker == _APP1 and segment.payload.startswith(b"Exif\0\0"):
            turn = orientation(segment.payload)
        elif segment.marker == _APP2 and segment.payload.startswith(_ICC):
            parts.append(segment.payload)
    if size is None:
        raise ImageError("the JPEG has no frame header")
    return Header("JPEG", *size[:2], end, orientation=turn, icc=_join(parts), cmyk=size[2] == 4)


def _bare(data: bytes, segment: _Segment) -> bytes:
    """Return what the pixels need of the segment; of application data, only which colours are coded."""
    if segment.marker == _APP0 and segment.payload.startswith(b"JFIF\0"):
        return _JFIF
    if segment.marker == _APP14 and segment.payload.startswith(b"Adobe") and len(segment.payload) >= 12:
        return b"\xff\xee\x00\x0e" + segment.payload[:12]
    if _APP0 <= segment.marker <= 0xEF or segment.marker == _COM:
        return b""
    return data[segment.start : segment.end]


def strip(data: bytes) -> bytes:
    """Return the JPEG without application data and comments, its coded pixels untouched."""
    return data[:2] + b"".join(_bare(data, segment) for segment in _segments(data))
