"""Bytes from strangers into arrays: limits first, then one full decode, upright and in sRGB."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from generations.imaging import colour, formats
from generations.imaging.errors import ImageError
from generations.imaging.header import Header
from generations.imaging.limits import API, API_SIDE, DEFAULT, Limits
from generations.imaging.pixels import Mask, Pixels

__all__ = ["API", "API_SIDE", "DEFAULT", "Limits", "Probe", "decode", "decode_feather", "decode_mask", "load", "probe"]

NEARLY_WHITE = 240
"""From here on a mask is white: a JPEG's noise is no feather."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file says of itself.

    format: PNG, JPEG, GIF or WEBP. width, height: pixels, upright (EXIF applied).
    has_alpha: the file has a way to be transparent, used or not.
    """

    format: str
    content_type: str
    width: int
    height: int
    frames: int
    has_alpha: bool


def probe(data: bytes, limits: Limits = DEFAULT) -> Probe:
    """Return what the header says, decoding nothing. Raises ImageError as `decode` but for damaged pixels."""
    found = formats.read(data, limits)
    width, height = (found.height, found.width) if found.turned else (found.width, found.height)
    return Probe(found.format, formats.CONTENT_TYPES[found.format], width, height, found.frames, found.has_alpha)


def load(data: bytes, header: Header, *, draft: int | None = None) -> Image.Image:
    """Return the first frame, fully decoded, upright, as RGB or RGBA in sRGB, without metadata.

    draft: a JPEG may come out smaller, but with no side under so many pixels. Raises ImageError where the
    pixels are damaged or cut short.
    """
    try:
        with Image.open(io.BytesIO(data), formats=(header.format,)) as opened:
            _check_same(opened, header)
            if draft is not None:
                opened.draft(None, (draft, draft))
            opened.load()
            image = colour.to_srgb(opened, header.icc)
    except ImageError:
        raise
    except Exception as error:
        # Pillow's decoders raise whatever a damaged file leads them to: OSError, SyntaxError, struct.error, …
        raise ImageError(f"the {header.format} is damaged or cut short") from error
    turn = _TURNS.get(header.orientation)
    image.info.clear()
    return image if turn is None else image.transpose(turn)


def _check_same(opened: Image.Image, header: Header) -> None:
    if opened.size != (header.width, header.height):
        raise ImageError(f"the {header.format} gives its size in two ways that differ")


def decode(data: bytes, *, alpha: bool = False, limits: Limits = DEFAULT) -> Pixels:
    """Return the picture's first frame, upright, sRGB: (H, W, 3), transparency flattened on white.

    With alpha: (H, W, 4) where any pixel is not opaque, else (H, W, 3). Raises ImageError, before anything is
    decoded where the format is not allowed or a limit is passed.
    """
    image = load(data, formats.read(data, limits))
    if image.mode == "RGB":
        return np.array(image)
    opacity = image.getchannel("A")
    if alpha and opacity.getextrema() != (255, 255):
        return np.array(image)
    return np.array(_flattened(image, "white"))


def _flattened(image: Image.Image, background: str) -> Image.Image:
    result = Image.new("RGB", image.size, background)
    result.paste(image, mask=image.getchannel("A"))
    return result


def decode_mask(data: bytes, width: int, height: int, *, limits: Limits = DEFAULT) -> Mask:
    """Return a mask of (height, width): 255 where the file is lighter than half, else 0.

    Another size is brought to this one by the nearest pixel. What is transparent counts as black. Raises
    ImageError as `decode` does; a mask that holds nowhere is the caller's to refuse.
    """
    return np.where(_grey(data, width, height, limits) >= 128, np.uint8(255), np.uint8(0))


def decode_feather(data: bytes, width: int, height: int, *, limits: Limits = DEFAULT) -> Mask:
    """Return how much of each pixel a mask lets change, (height, width): 0 where `decode_mask` is 0, and rising from
    there with the mask's lightness to 255 at what is as good as white. Raises ImageError."""
    grey = _grey(data, width, height, limits).astype(np.float32)
    share = np.clip((grey - 127) / (NEARLY_WHITE - 127), 0, 1)
    return np.rint(share * 255).astype(np.uint8)


def _grey(data: bytes, width: int, height: int, limits: Limits) -> Mask:
    image = load(data, formats.read(data, limits))
    grey = np.asarray((image if image.mode == "RGB" else _flattened(image, "black")).convert("L"))
    if grey.shape != (height, width):
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    return grey
