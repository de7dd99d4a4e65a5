"""Pictures that tests of imaging are made with: good ones, and ones that mean harm."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from generations.imaging.pixels import Pixels

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret>xmp-secret</secret></x:xmpmeta>'
COMMENT = "comment-secret"
SECRETS = (
    b"secret",
    b"Exif",
    b"xmpmeta",
    b"GPS",
    b"ICC_PROFILE",
    b"iCCP",
    b"ICCP",
    b"eXIf",
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"EXIF",
    b"XMP ",
)


def gradient(width: int = 48, height: int = 32) -> Pixels:
    """Return a picture whose corners differ, so that turning it shows."""
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return np.stack((x, y, (x + y) / 2), axis=-1).astype(np.uint8)


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, format_, **options)
    return target.getvalue()


def exif(orientation: int = 1) -> bytes:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010E] = "exif-secret"
    found.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    return found.tobytes()


def swapped_profile() -> bytes:
    """Return an RGB profile that exchanges red and green, so that ignoring it shows."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    tags = {bytes(profile[at : at + 4]): at + 4 for at in range(132, 132 + 12 * count, 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    return bytes(profile)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def laden(format_: str, orientation: int = 1, icc: bytes | None = None) -> bytes:
    """Return the gradient with all the metadata that the format can carry."""
    options: dict[str, Any] = {"exif": exif(orientation), "icc_profile": icc}
    if format_ == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", COMMENT)
        text.add_text("Packed", COMMENT, zip=True)
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = text
    elif format_ == "JPEG":
        options |= {"comment": COMMENT, "xmp": XMP, "quality": 95, "subsampling": 0}
    elif format_ == "WEBP":
        options |= {"xmp": XMP, "lossless": True}
    else:
        options = {"comment": COMMENT.encode()}
    return saved(Image.fromarray(gradient()), format_, **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side: int = 12_000) -> bytes:
    """Return a PNG of side² pixels of one bit, all black: about 17 KiB for 12,000²."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def frames(count: int, format_: str = "GIF", side: int = 64) -> bytes:
    pictures = [Image.new("P", (side, side), index % 256) for index in range(count)]
    for index, picture in enumerate(pictures):
        picture.putpalette([index % 256, 0, 0] * 256)
    options = {"lossless": True} if format_ == "WEBP" else {}
    rgb = [picture.convert("RGB") for picture in pictures]
    return saved(rgb[0], format_, save_all=True, append_images=rgb[1:], duration=20, **options)


def eps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"
