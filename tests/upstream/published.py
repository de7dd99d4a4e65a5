"""The four models as their published pages describe them.

Written out on purpose beside generations.catalogue: a stand-in that asked our own declarations would agree with
every mistake in them. It is as strict as the pages: what is a ruling of ours ("auto", 768 × 512, …) has to be
translated before it is sent.
"""

import base64
import binascii
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

LONGEST_SIDE = 2048
DEFAULT_SIZE = (64, 64)
URL = re.compile(r"https?://\S+")

Check = Callable[[Any], bool]


class Invalid(ValueError):
    """The API answers 400 with this message."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one parameter takes: a check, and the same in words."""

    fits: Check
    allowed: str


@dataclass(frozen=True, slots=True)
class Published:
    """price in credits, for the defaults."""

    price: float
    steps: int
    required: tuple[str, ...]
    rules: Mapping[str, Rule]
    sized: bool = False


def number(low: float, high: float, *, whole: bool = False) -> Rule:
    def fits(value: Any) -> bool:
        try:
            read = float(value)
        except (TypeError, ValueError):
            return False
        return not isinstance(value, bool) and low <= read <= high and (not whole or read == int(read))

    return Rule(fits, f"{'an integer' if whole else 'a number'} from {low:g} to {high:.0f}")


def one_of(*names: str | int) -> Rule:
    texts = frozenset(str(name) for name in names)
    return Rule(lambda value: str(value) in texts, f"one of {', '.join(map(str, names))}")


def text(shortest: int = 0) -> Rule:
    return Rule(lambda value: isinstance(value, str) and shortest <= len(value) <= 4000, "text of 4,000 characters")


BOOLEANS = ("true", "false", "1", "0")
BOOLEAN = Rule(lambda value: str(value).lower() in BOOLEANS, "true or false")
IMAGE = Rule(lambda value: isinstance(value, str | bytes) and len(value) > 0, "a URL or a base64 image")

COMMON = {
    "image": IMAGE,
    "prompt": text(1),
    "negative_prompt": text(),
    "samples": number(1, 4, whole=True),
    "num_inference_steps": number(20, 100, whole=True),
    "guidance_scale": number(1, 25),
    "seed": number(-1, 999_999_999_999_999, whole=True),
    "base64": BOOLEAN,
}
# fmt: off
SCHEDULERS = (
    "DDIM", "DPM Multi", "DPM Single", "Euler a", "Euler", "Heun", "DPM2 a Karras", "DPM2 Karras", "LMS", "PNDM",
    "DDPM", "UniPC",
)
SAMPLERS = (
    "DPM++ SDE Karras", "DPM++ 2M Karras", "DPM++ 2M SDE Exponential", "DPM++ 2M SDE Karras", "Euler a", "Euler",
    "Heun", "LMS", "DPM2", "DPM2 a", "DPM++ 2S a", "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun",
    "DPM++ 2M SDE Heun Karras", "DPM++ 2M SDE Heun Exponential", "DPM++ 3M SDE", "DPM++ 3M SDE Karras",
    "DPM++ 3M SDE Exponential", "DPM fast", "DPM adaptive", "LMS Karras", "DPM2 Karras", "DPM2 a Karras",
    "DPM++ 2S a Karras", "Restart", "DDIM", "UniPC", "PLMS",
)
PREPROCESSORS = (
    "none", "canny", "depth", "depth_leres", "depth_leres++", "hed", "hed_safe", "mediapipe_face", "mlsd",
    "normal_map", "openpose", "openpose_hand", "openpose_face", "openpose_faceonly", "openpose_full",
    "dw_openpose_full", "animal_openpose", "clip_vision", "revision_clipvision", "revision_ignore_prompt",
    "ip-adapter_clip_sd15", "ip-adapter_clip_sdxl_plus_vith", "ip-adapter_clip_sdxl", "color", "pidinet",
    "pidinet_safe", "pidinet_sketch", "pidinet_scribble", "scribble_xdog", "scribble_hed", "segmentation",
    "threshold", "depth_zoe", "normal_bae", "oneformer_coco", "oneformer_ade20k", "lineart", "lineart_coarse",
    "lineart_anime", "lineart_standard", "shuffle", "tile_resample", "invert", "lineart_anime_denoise",
    "reference_only", "reference_adain", "reference_adain+attn", "inpaint", "inpaint_only", "inpaint_only+lama",
    "tile_colorfix", "tile_colorfix+sharp", "recolor_luminance", "recolor_intensity", "blur_gaussian",
    "anime_face_segment",
    "DPM++ 2M SDE Karras",  # the published default
)
# fmt: on

MODELS: Mapping[str, Published] = {
    "bg-replace": Published(
        0.01,
        25,
        ("image", "ref_image", "prompt"),
        {
            **COMMON,
            "ref_image": IMAGE,
            "scheduler": one_of(*SCHEDULERS),
            "strength": number(0, 1),
            "cn_weight": number(0, 1),
            "ip_adapter_weight": number(0, 1),
        },
    ),
    "inpaint-auto": Published(
        0.01,
        25,
        ("image", "prompt", "base_model", "cn_processor"),
        {
            **COMMON,
            "mask": IMAGE,
            "base_model": one_of("Real Vision XL", "SDXL", "Juggernaut XL", "DreamShaper XL"),
            "cn_model": one_of("Canny", "Depth", "SoftEdge", "Openpose"),
            "cn_processor": one_of(*PREPROCESSORS),
            "scheduler": one_of(*SAMPLERS),
            "strength": number(0, 0.99),
        },
    ),
    "sdxl-inpaint": Published(
        0.0069,
        25,
        ("image", "mask", "prompt"),
        {**COMMON, "mask": IMAGE, "scheduler": one_of(*SCHEDULERS), "strength": number(0, 1)},
    ),
    "sd1.5-inpainting": Published(
        0.002,
        20,
        ("image", "mask", "prompt"),
        {
            **COMMON,
            "mask": IMAGE,
            "scheduler": one_of(*SCHEDULERS),
            "guidance_scale": number(0.1, 25),
            "strength": number(0.1, 1),
            "img_width": one_of(512, 768),
            "img_height": one_of(512, 768),
        },
        sized=True,
    ),
}


def check(slug: str, given: Mapping[str, Any], *, decode: bool = True) -> tuple[int, int]:
    """Return the size in pixels that the output will have. Raises Invalid, which names the parameter.

    decode: look into the pictures; without it the output is 64².
    """
    model = MODELS[slug]
    for name in model.required:
        if given.get(name) is None:
            raise Invalid(f"{name} is required: {model.rules[name].allowed}")
    for name, rule in model.rules.items():
        value = given.get(name)
        if value is not None and not rule.fits(value):
            raise Invalid(f"{name} must be {rule.allowed}; got {str(value)[:60]!r}")
    pictures = [name for name, rule in model.rules.items() if rule is IMAGE and given.get(name) is not None]
    sizes = {name: measure(name, given[name]) for name in pictures} if decode else {}
    if model.sized and decode:
        return int(given.get("img_width") or 512), int(given.get("img_height") or 512)
    return sizes.get("image", DEFAULT_SIZE)


def measure(name: str, source: str | bytes) -> tuple[int, int]:
    """Return the size of a picture; of one behind a URL, which is not fetched, a guess. Raises Invalid."""
    if isinstance(source, str) and URL.fullmatch(source):
        return DEFAULT_SIZE
    try:
        data = source if isinstance(source, bytes) else base64.b64decode(source.rpartition(",")[2], validate=True)
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError) as error:
        raise Invalid(f"{name} is not a picture") from error
    if max(size) > LONGEST_SIDE:
        raise Invalid(f"{name} is {size[0]} x {size[1]} px; up to {LONGEST_SIDE} x {LONGEST_SIDE} px are allowed")
    return size


def price(slug: str, given: Mapping[str, Any]) -> float:
    """Return what a job costs, in credits: the published price × samples × steps ÷ the default steps."""
    model = MODELS[slug]
    steps = int(given.get("num_inference_steps") or model.steps)
    return round(model.price * int(given.get("samples") or 1) * steps / model.steps, 6)
