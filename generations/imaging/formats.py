"""Which files are read here, known by their first bytes and never by their name."""

from collections.abc import Callable

from generations.imaging import gif, header, jpeg, png, webp
from generations.imaging.errors import ImageError
from generations.imaging.header import Header
from generations.imaging.limits import Limits

CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
ALLOWED = "PNG, JPEG, GIF and WebP"

_ZIP_END = b"PK\x05\x06"
_PADDING = b"\0\r\n\t "


def _reader(data: bytes) -> Callable[[bytes], Header] | None:
    if data.startswith(png.SIGNATURE):
        return png.read
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.read
    if data.startswith((b"GIF87a", b"GIF89a")):
        return gif.read
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return webp.read
    return None


def read(data: bytes, limits: Limits) -> Header:
    """Return what the file says of itself; nothing is decoded.

    Raises ImageError where it isn't of an allowed format, is cut short, is a file of another kind as well, or
    is larger than `limits` allow.
    """
    if len(data) > limits.bytes:
        raise ImageError(f"the file has {len(data):,} bytes; at most {limits.bytes:,} are allowed")
    if not data:
        raise ImageError(f"the file is empty; {ALLOWED} are read")
    reader = _reader(data)
    if reader is None:
        raise ImageError(f"the file is not a picture that is read here; {ALLOWED} are")
    found = reader(data)
    header.check(found, limits)
    _check_single(data, found)
    return found


def _check_single(data: bytes, found: Header) -> None:
    """Refuse a file that other programs would take for something else.

    Phones append a film or a second picture to a JPEG, so that what follows one is only looked at for an
    archive; in the other formats nothing may follow.
    """
    if found.format != "JPEG" and data[found.end :].strip(_PADDING):
        raise ImageError(f"the {found.format} is followed by {len(data) - found.end:,} bytes that are no picture")
    if b"%PDF-" in data[:1024] or _is_archive(data):
        raise ImageError(f"the {found.format} is a file of another kind at the same time")


def _is_archive(data: bytes) -> bool:
    at = data.rfind(_ZIP_END)
    return at >= 0 and at + 22 <= len(data) and at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") == len(data)
