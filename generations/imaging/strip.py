"""Take everything out of a file that is not its pixels."""

import numpy as np

from generations.imaging import colour, decode, encode, formats, jpeg, png, webp
from generations.imaging.header import Header
from generations.imaging.limits import DEFAULT, Limits

_STRIPPERS = {"PNG": png.strip, "JPEG": jpeg.strip, "WEBP": webp.strip}
_QUALITY = 95


def strip(data: bytes, limits: Limits = DEFAULT) -> bytes:
    """Return the picture without EXIF, GPS, XMP, comments, profiles, previews and whatever follows its end.

    The coded pixels stay as they are, bit for bit, where they show upright sRGB without their metadata;
    otherwise the picture is encoded anew: JPEG as JPEG, all else, GIF always, as PNG of the first frame (so
    look at the content type again). Raises ImageError as `decode.probe` does; damaged pixels may pass.
    """
    header = formats.read(data, limits)
    stripper = _STRIPPERS.get(header.format)
    if stripper is not None and _is_plain(header):
        return stripper(data)
    pixels = np.array(decode.load(data, header))
    return encode.jpeg(pixels, _QUALITY) if header.format == "JPEG" else encode.png(pixels)


def _is_plain(header: Header) -> bool:
    """Return whether the picture looks the same once its metadata is gone."""
    if header.orientation != 1 or header.cmyk or (header.format == "WEBP" and header.frames > 1):
        return False
    return header.icc is None or colour.is_srgb(header.icc)
