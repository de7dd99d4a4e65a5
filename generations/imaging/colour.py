"""Colours: whatever mode and profile a picture has, sRGB of 8 bit comes out."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_STEPS = (0, 64, 128, 191, 255)
_TOLERANCE = 2
_PROFILE_BYTES = 4 * 1024 * 1024
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _open(icc: bytes) -> ImageCms.ImageCmsProfile | None:
    if len(icc) > _PROFILE_BYTES:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (OSError, ImageCms.PyCMSError):
        return None


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """Return `image` (RGB, L or CMYK) as sRGB, None where the profile is not made for it or can't be used."""
    if profile.profile.xcolor_space != _SPACES[image.mode]:
        return None
    try:
        return ImageCms.profileToProfile(image, profile, _srgb(), outputMode="RGB")
    except ImageCms.PyCMSError:
        return None


@lru_cache(maxsize=16)
def is_srgb(icc: bytes) -> bool:
    """Return whether the profile shows colours as sRGB does, judged by what it does to them, not by its name.

    A profile that can't be read changes nothing, so it counts as sRGB.
    """
    profile = _open(icc)
    if profile is None:
        return True
    grid = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), axis=-1).astype(np.uint8).reshape(5, 25, 3)
    shown = _converted(Image.fromarray(grid), profile)
    if shown is None:
        return profile.profile.xcolor_space == "RGB "
    return int(np.abs(np.asarray(shown, np.int16) - grid).max()) <= _TOLERANCE


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return a greyscale of 16 or 32 bit as L, or LA where one of its values stands for transparent."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        grey = np.clip(values, 0, 255).astype(np.uint8)
    else:
        grey = (np.clip(values, 0, 65535) >> 8).astype(np.uint8)
    result = Image.fromarray(grey)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        result.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return result


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture as RGB, L or CMYK, and its alpha where it has one."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bit(image)
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        return whole.convert("RGB"), whole.getchannel("A")
    if image.mode in _SPACES:
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Return a loaded picture of any mode as RGB, or RGBA where some of it may be transparent.

    A foreign profile is converted from; one that is damaged or made for another mode is ignored.
    """
    body, alpha = _split(image)
    profile = None if icc is None or (body.mode == "RGB" and is_srgb(icc)) else _open(icc)
    shown = None if profile is None else _converted(body, profile)
    result = body.convert("RGB") if shown is None else shown
    if alpha is not None:
        result.putalpha(alpha)
    return result
