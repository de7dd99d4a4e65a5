"""S3: what is refused from the header alone, fast and in little memory."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from generations.imaging import decode, formats
from generations.imaging.errors import ImageError
from generations.imaging.limits import API, DEFAULT, Limits
from tests import pictures

MEASURE = """
import json, resource, sys, time
from generations.imaging import decode
from generations.imaging.errors import ImageError
data = open(sys.argv[1], "rb").read()
started = time.perf_counter()
try:
    decode.decode(data)
    said = ""
except ImageError as error:
    said = str(error)
seconds = time.perf_counter() - started
if sys.platform == "linux":  # where ru_maxrss begins with what the process that started this one had
    peak = 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([said, seconds, peak]))
"""


def zipped() -> bytes:
    """Return an archive to append to a picture."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return target.getvalue()


def harm() -> dict[str, tuple[bytes, str]]:
    """Return name → (file, what the refusal says)."""
    png = pictures.saved(Image.fromarray(pictures.gradient()), "PNG")
    jpeg = pictures.saved(Image.fromarray(pictures.gradient(640, 480)), "JPEG")
    gif = pictures.frames(1)
    return {
        "PNG of 12,000² pixels": (pictures.png_bomb(), "144,000,000 in all"),
        "GIF of 300 frames": (pictures.frames(300), "300 frames; at most 100"),
        "APNG of 300 frames": (pictures.frames(300, "PNG", 8), "300 frames"),
        "WebP of 300 frames": (pictures.frames(300, "WEBP", 8), "300 frames"),
        "half a JPEG": (jpeg[: len(jpeg) // 2], "cut short"),
        "half a PNG": (png[: len(png) // 2], "cut short"),
        "half a GIF": (gif[: len(gif) // 2], "cut short"),
        "EPS": (pictures.eps(), "PNG, JPEG, GIF and WebP"),
        "EPS behind a PNG's first bytes": (b"\x89PNG\r\n\x1a\n" + pictures.eps(), "PNG"),
        "EPS behind a JPEG's first bytes": (b"\xff\xd8\xff\xe0" + pictures.eps(), "JPEG"),
        "script in a GIF's clothes": (b"GIF89a/*" + bytes(64) + b"*/=1;alert(1)//", "GIF"),
        "PNG with a PDF behind it": (png + b"%PDF-1.7\n", "no picture"),
        "PNG with HTML behind it": (png + b"<script>alert(1)</script>", "no picture"),
        "GIF with a page behind it": (gif + b"<html>", "no picture"),
        "JPEG with an archive behind it": (jpeg + zipped(), "another kind"),
        "JPEG with a PDF in front": (jpeg[:2] + b"\xff\xfe\x00\x0b%PDF-1.7\n" + jpeg[2:], "another kind"),
        "TIFF": (pictures.saved(Image.new("RGB", (8, 8)), "TIFF"), "is not a picture"),
        "BMP": (pictures.saved(Image.new("RGB", (8, 8)), "BMP"), "is not a picture"),
        "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture"),
        "text": (b"hello", "is not a picture"),
        "nothing": (b"", "empty"),
        "JPEG of 100 scans": (_scans(100), "more than 64 scans"),
    }


def _scans(count: int) -> bytes:
    jpeg = pictures.saved(Image.fromarray(pictures.gradient()), "JPEG", progressive=True)
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:start] + jpeg[start:-2] * count + jpeg[-2:]


HARM = harm()


@pytest.mark.parametrize("name", HARM)
def test_harm_is_refused(name: str) -> None:
    data, said = HARM[name]
    for reader in (decode.decode, decode.probe):
        with pytest.raises(ImageError, match=said):
            reader(data)


@pytest.mark.parametrize("name", ["PNG of 12,000² pixels", "GIF of 300 frames", "half a JPEG", "EPS"])
def test_harm_is_refused_in_a_second_and_512_mib(name: str, tmp_path: Path) -> None:
    path = tmp_path / "harm"
    path.write_bytes(HARM[name][0])
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    said, seconds, peak = json.loads(done.stdout)
    assert HARM[name][1] in said
    assert seconds < 1
    assert peak < 512 * 2**20


def test_the_bomb_is_a_small_file() -> None:
    assert len(HARM["PNG of 12,000² pixels"][0]) < 20 * 1024


def test_every_limit_names_itself() -> None:
    data = pictures.saved(Image.new("RGB", (2049, 4)), "PNG")
    with pytest.raises(ImageError, match=r"2,049 × 4 pixels; the longer side may have at most 2,048"):
        decode.decode(data, limits=API)
    assert decode.decode(data).shape == (4, 2049, 3)
    with pytest.raises(ImageError, match=r"8,196 in all; at most 8,195 are allowed"):
        decode.decode(data, limits=Limits(pixels=8195))
    with pytest.raises(ImageError, match=rf"{len(data)} bytes; at most {len(data) - 1} are allowed"):
        decode.decode(data, limits=Limits(bytes=len(data) - 1))
    assert decode.decode(data, limits=Limits(bytes=len(data), pixels=8196, side=2049)).shape == (4, 2049, 3)


def test_an_animation_up_to_the_limit_is_read_by_its_first_frame() -> None:
    assert formats.read(pictures.frames(100), DEFAULT).frames == 100
    assert decode.decode(pictures.frames(100)).shape == (64, 64, 3)


def test_what_a_phone_puts_behind_a_jpeg_is_not_looked_at() -> None:
    jpeg = pictures.saved(Image.fromarray(pictures.gradient()), "JPEG")
    assert decode.decode(jpeg + b"\0\0\0\x18ftypmp42" + bytes(100)).shape == (32, 48, 3)


def test_padding_behind_a_png_is_not_looked_at() -> None:
    png = pictures.saved(Image.fromarray(pictures.gradient()), "PNG")
    assert decode.decode(png + b"\n\0\0").shape == (32, 48, 3)
