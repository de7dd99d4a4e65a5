"""ControlNet Inpainting: repaints a masked part, or all but the subject, held in shape by a ControlNet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from generations.catalogue import vocabulary
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter

SAMPLERS = (
    "DPM++ SDE Karras",
    "DPM++ 2M Karras",
    "DPM++ 2M SDE Exponential",
    "DPM++ 2M SDE Karras",
    "Euler a",
    "Euler",
    "Heun",
    "LMS",
    "DPM2",
    "DPM2 a",
    "DPM++ 2S a",
    "DPM++ 2M",
    "DPM++ SDE",
    "DPM++ 2M SDE",
    "DPM++ 2M SDE Heun",
    "DPM++ 2M SDE Heun Karras",
    "DPM++ 2M SDE Heun Exponential",
    "DPM++ 3M SDE",
    "DPM++ 3M SDE Karras",
    "DPM++ 3M SDE Exponential",
    "DPM fast",
    "DPM adaptive",
    "LMS Karras",
    "DPM2 Karras",
    "DPM2 a Karras",
    "DPM++ 2S a Karras",
    "Restart",
    "DDIM",
    "UniPC",
)

# fmt: off
PREPROCESSORS = (
    "none", "canny", "depth", "depth_leres", "depth_leres++", "hed", "hed_safe", "mediapipe_face", "mlsd",
    "normal_map", "openpose", "openpose_hand", "openpose_face", "openpose_faceonly", "openpose_full",
    "dw_openpose_full", "animal_openpose", "clip_vision", "revision_clipvision", "revision_ignore_prompt",
    "ip-adapter_clip_sd15", "ip-adapter_clip_sdxl_plus_vith", "ip-adapter_clip_sdxl", "color", "pidinet",
    "pidinet_safe", "pidinet_sketch", "pidinet_scribble", "scribble_xdog", "scribble_hed", "segmentation",
    "threshold", "depth_zoe", "normal_bae", "oneformer_coco", "oneformer_ade20k", "lineart", "lineart_coarse",
    "lineart_anime", "lineart_standard", "shuffle", "tile_resample", "invert", "lineart_anime_denoise",
    "reference_only", "reference_adain", "reference_adain+attn", "inpaint", "inpaint_only",
    "inpaint_only+lama", "tile_colorfix", "tile_colorfix+sharp", "recolor_luminance", "recolor_intensity",
    "blur_gaussian", "anime_face_segment",
)
# fmt: on

AUTO = "auto"
BELONGS_TO: Mapping[str, str] = {
    "Canny": "canny",
    "Depth": "depth",
    "SoftEdge": "pidinet",
    "Openpose": "openpose_full",
}
"""ControlNet → the preprocessor that "auto" stands for."""


def resolve_preprocessor(params: Mapping[str, Any]) -> str:
    """Return the preprocessor to run for validated `params`: the named one, or the one cn_model needs."""
    named = str(params["cn_processor"])
    return BELONGS_TO[params["cn_model"]] if named == AUTO else named


INPAINT_AUTO = ImageModel(
    slug="inpaint-auto",
    title="ControlNet Inpainting",
    summary="Repaints what surrounds the product, or what you mask, while a ControlNet holds its shape.",
    description=(
        "With a mask, its white part is repainted and every other pixel stays as it was. Without one the "
        "area is chosen automatically: everything but the subject. The ControlNet reads edges, depth or pose "
        "from the image, so that the new picture follows the old one's lines."
    ),
    typical_seconds=35.95,
    typical_price=10_000,
    published=date(2026, 11, 20),
    parameters=(
        vocabulary.IMAGE,
        replace(
            vocabulary.MASK,
            required=False,
            help="White is repainted, black stays. Without a mask everything but the subject is repainted.",
        ),
        vocabulary.PROMPT,
        vocabulary.NEGATIVE_PROMPT,
        Parameter(
            name="base_model",
            kind=Kind.CHOICE,
            title="Base model",
            help="The image model that paints: photographic (Real Vision), general (SDXL) or stylised.",
            required=True,
            default="Real Vision XL",
            choices=("Real Vision XL", "SDXL", "Juggernaut XL", "DreamShaper XL"),
        ),
        vocabulary.SAMPLES,
        Parameter(
            name="cn_model",
            kind=Kind.CHOICE,
            title="ControlNet",
            help="What is held from the image: edges (Canny), depth, soft outlines, or a person's pose.",
            default="Canny",
            choices=tuple(BELONGS_TO),
            advanced=True,
        ),
        Parameter(
            name="cn_processor",
            kind=Kind.CHOICE,
            title="Preprocessor",
            help='How the image becomes the ControlNet\'s map. "auto" takes what the ControlNet needs.',
            required=True,
            default=AUTO,
            choices=(AUTO, *PREPROCESSORS),
            # The published default and example name a scheduler here, so clients send it.
            aliases={"DPM++ 2M SDE Karras": AUTO},
            advanced=True,
        ),
        # The published page prints 7.5 as the default, outside its own range; its example says 0.9.
        replace(vocabulary.STRENGTH, maximum=0.99),
        replace(vocabulary.SCHEDULER, default="DPM++ 2M SDE Karras", choices=SAMPLERS, unlisted=("PLMS",)),
        vocabulary.STEPS,
        vocabulary.GUIDANCE,
        vocabulary.SEED,
        vocabulary.BASE64,
    ),
)
