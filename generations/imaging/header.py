"""What the file itself says of a picture, read without decoding a pixel."""

import struct
from dataclasses import dataclass

from generations.imaging.errors import ImageError
from generations.imaging.limits import Limits

_ORIENTATION = 0x0112
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture is, by its file.

    format: PNG, JPEG, GIF or WEBP. width, height: as stored, before `orientation` (EXIF, 1 to 8) is applied.
    end: where the picture ends in the file. icc: the embedded colour profile. cmyk: in the colours of print.
    """

    format: str
    width: int
    height: int
    end: int
    frames: int = 1
    has_alpha: bool = False
    orientation: int = 1
    icc: bytes | None = None
    cmyk: bool = False

    @property
    def turned(self) -> bool:
        """Whether the orientation exchanges width and height."""
        return self.orientation >= 5


def check(header: Header, limits: Limits) -> None:
    """Raise ImageError where the picture is larger than `limits` allow."""
    width, height = header.width, header.height
    size = f"the picture has {width:,} × {height:,} pixels"
    if width < 1 or height < 1:
        raise ImageError(f"{size}; both sides must be at least 1")
    if limits.side is not None and max(width, height) > limits.side:
        raise ImageError(f"{size}; the longer side may have at most {limits.side:,}")
    if width * height > limits.pixels:
        raise ImageError(f"{size}, {width * height:,} in all; at most {limits.pixels:,} are allowed")
    if header.frames > limits.frames:
        raise ImageError(f"the picture has {header.frames:,} frames; at most {limits.frames:,} are allowed")


def orientation(exif: bytes) -> int:
    """Return the orientation (1 to 8) of an EXIF block, 1 where it has none or can't be read."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    count = min(count, (len(tiff) - start - 2) // 12)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at)
        if tag == _ORIENTATION and kind == _SHORT:
            return value if 1 <= value <= 8 else 1
    return 1
