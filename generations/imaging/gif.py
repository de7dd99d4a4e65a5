"""GIF files: their blocks."""

import struct

from generations.imaging.errors import ImageError
from generations.imaging.header import Header

MAX_SUB_BLOCKS = 200_000
_EXTENSION, _PICTURE, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9
_CUT = "the GIF is cut short"


class _Blocks:
    """A walk over the blocks: frames counted, nothing decoded."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 13 + _palette(data[10])
        self._left = MAX_SUB_BLOCKS
        self.frames = 0
        self.has_alpha = False

    def walk(self) -> int:
        """Go through to the trailer; return where the file ends."""
        while (kind := self._byte()) != _TRAILER:
            if kind == _EXTENSION:
                self._extension()
            elif kind == _PICTURE:
                self._picture()
            else:
                raise ImageError("the GIF is damaged")
        return self._at

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise ImageError(_CUT)
        self._at += 1
        return self._data[self._at - 1]

    def _extension(self) -> None:
        if self._byte() == _CONTROL and self.frames == 0 and self._at + 1 < len(self._data):
            self.has_alpha = bool(self._data[self._at + 1] & 1)
        self._sub_blocks()

    def _picture(self) -> None:
        self._at += 8
        palette = _palette(self._byte())
        self._at += palette + 1
        self.frames += 1
        self._sub_blocks()

    def _sub_blocks(self) -> None:
        while length := self._byte():
            self._at += length
            self._left -= 1
            if self._left < 0:
                raise ImageError(f"the GIF has more than {MAX_SUB_BLOCKS:,} data blocks")


def _palette(flags: int) -> int:
    """Return the bytes of the colour table that `flags` announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def read(data: bytes) -> Header:
    """Return the header of a GIF. Raises ImageError where its blocks don't add up."""
    if len(data) < 14:
        raise ImageError(_CUT)
    width, height = struct.unpack_from("<HH", data, 6)
    blocks = _Blocks(data)
    end = blocks.walk()
    if blocks.frames == 0:
        raise ImageError("the GIF has no picture")
    return Header("GIF", width, height, end, blocks.frames, blocks.has_alpha)
