"""The published facts of the four models, written down a second time: a slip in a declaration fails here."""

from typing import Any

import pytest

from generations import catalogue
from generations.catalogue import inpaint_auto
from generations.catalogue.parameters import Kind

SCHEDULERS = [
    *("DDIM", "DPM Multi", "DPM Single", "Euler a", "Euler", "Heun", "DPM2 a Karras", "DPM2 Karras"),
    *("LMS", "PNDM", "DDPM", "UniPC"),
]
# fmt: off
SAMPLERS = [
    "DPM++ SDE Karras", "DPM++ 2M Karras", "DPM++ 2M SDE Exponential", "DPM++ 2M SDE Karras", "Euler a",
    "Euler", "Heun", "LMS", "DPM2", "DPM2 a", "DPM++ 2S a", "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE",
    "DPM++ 2M SDE Heun", "DPM++ 2M SDE Heun Karras", "DPM++ 2M SDE Heun Exponential", "DPM++ 3M SDE",
    "DPM++ 3M SDE Karras", "DPM++ 3M SDE Exponential", "DPM fast", "DPM adaptive", "LMS Karras",
    "DPM2 Karras", "DPM2 a Karras", "DPM++ 2S a Karras", "Restart", "DDIM", "UniPC",
]
PROCESSORS = [
    "none", "canny", "depth", "depth_leres", "depth_leres++", "hed", "hed_safe", "mediapipe_face", "mlsd",
    "normal_map", "openpose", "openpose_hand", "openpose_face", "openpose_faceonly", "openpose_full",
    "dw_openpose_full", "animal_openpose", "clip_vision", "revision_clipvision", "revision_ignore_prompt",
    "ip-adapter_clip_sd15", "ip-adapter_clip_sdxl_plus_vith", "ip-adapter_clip_sdxl", "color", "pidinet",
    "pidinet_safe", "pidinet_sketch", "pidinet_scribble", "scribble_xdog", "scribble_hed", "segmentation",
    "threshold", "depth_zoe", "normal_bae", "oneformer_coco", "oneformer_ade20k", "lineart",
    "lineart_coarse", "lineart_anime", "lineart_standard", "shuffle", "tile_resample", "invert",
    "lineart_anime_denoise", "reference_only", "reference_adain", "reference_adain+attn", "inpaint",
    "inpaint_only", "inpaint_only+lama", "tile_colorfix", "tile_colorfix+sharp", "recolor_luminance",
    "recolor_intensity", "blur_gaussian", "anime_face_segment",
]
# fmt: on

COMMON: dict[str, tuple[Any, Any, Any]] = {
    "samples": (1, 1, 4),
    "num_inference_steps": (25, 20, 100),
    "guidance_scale": (7.5, 1, 25),
    "seed": (-1, -1, 999999999999999),
}
BOUNDED: dict[str, dict[str, tuple[Any, Any, Any]]] = {
    "bg-replace": COMMON | {"strength": (1, 0, 1), "cn_weight": (0.9, 0, 1), "ip_adapter_weight": (0.5, 0, 1)},
    "inpaint-auto": COMMON | {"strength": (0.9, 0, 0.99)},
    "sdxl-inpaint": COMMON | {"strength": (0.9, 0, 1)},
    "sd1.5-inpainting": COMMON
    | {"num_inference_steps": (20, 20, 100), "guidance_scale": (7.5, 0.1, 25), "strength": (1, 0.1, 1)},
}
CHOICES: dict[str, dict[str, tuple[Any, list[Any]]]] = {
    "bg-replace": {"scheduler": ("DPM2 Karras", SCHEDULERS)},
    "inpaint-auto": {
        "base_model": ("Real Vision XL", ["Real Vision XL", "SDXL", "Juggernaut XL", "DreamShaper XL"]),
        "cn_processor": ("auto", ["auto", *PROCESSORS]),
        "cn_model": ("Canny", ["Canny", "Depth", "SoftEdge", "Openpose"]),
        "scheduler": ("DPM++ 2M SDE Karras", SAMPLERS),
    },
    "sdxl-inpaint": {"scheduler": ("DPM2 Karras", SCHEDULERS)},
    "sd1.5-inpainting": {
        "scheduler": ("DDIM", SCHEDULERS[:-1]),
        "img_width": (512, [512, 768]),
        "img_height": (512, [512, 768]),
    },
}
IMAGES = {
    "bg-replace": {"image", "ref_image"},
    "inpaint-auto": {"image", "mask"},
    "sdxl-inpaint": {"image", "mask"},
    "sd1.5-inpainting": {"image", "mask"},
}
REQUIRED = {
    "bg-replace": {"image", "ref_image", "prompt"},
    "inpaint-auto": {"image", "prompt", "base_model", "cn_processor"},
    "sdxl-inpaint": {"image", "mask", "prompt"},
    "sd1.5-inpainting": {"image", "mask", "prompt"},
}
each_model = pytest.mark.parametrize("model", catalogue.MODELS.values(), ids=catalogue.MODELS)


def test_there_are_the_four_models() -> None:
    assert list(catalogue.MODELS) == ["bg-replace", "inpaint-auto", "sdxl-inpaint", "sd1.5-inpainting"]
    assert catalogue.get("bg-replace").title == "Background Replace"
    assert (len(SAMPLERS), len(PROCESSORS), len(SCHEDULERS)) == (29, 56, 12)


def test_an_unknown_model_is_told_what_there_is() -> None:
    with pytest.raises(catalogue.UnknownModel, match=r'"sdxl".*bg-replace.*sd1\.5-inpainting'):
        catalogue.get("sdxl")


@each_model
def test_parameters_are_exactly_the_published_ones(model: catalogue.ImageModel) -> None:
    text = {"prompt", "negative_prompt", "base64"}
    assert set(model.by_name) == text | IMAGES[model.slug] | set(BOUNDED[model.slug]) | set(CHOICES[model.slug])
    assert len(model.by_name) == len(model.parameters)
    assert set(model.image_names) == IMAGES[model.slug]
    assert set(model.required_names) == REQUIRED[model.slug]


@each_model
def test_defaults_and_bounds_are_the_published_ones(model: catalogue.ImageModel) -> None:
    found = {p.name: (p.default, p.minimum, p.maximum) for p in model.parameters if p.minimum is not None}
    assert found == BOUNDED[model.slug]
    assert (model.by_name["base64"].default, model.by_name["negative_prompt"].default) == (False, "")


@each_model
def test_choices_are_the_published_ones_in_order(model: catalogue.ImageModel) -> None:
    found = {p.name: (p.default, list(p.choices)) for p in model.parameters if p.kind is Kind.CHOICE}
    assert found == CHOICES[model.slug]


@each_model
def test_every_parameter_tells_people_what_it_is(model: catalogue.ImageModel) -> None:
    assert model.summary
    assert model.description
    assert all(p.title and p.help.endswith(".") for p in model.parameters)
    assert set(model.required_names) <= set(model.example) | {p.name for p in model.parameters if p.choices}


@pytest.mark.parametrize(
    ("slug", "seconds", "price", "words"),
    [
        ("bg-replace", 8.95, 10_000, "8.95 s and 0.01 credits"),
        ("inpaint-auto", 35.95, 10_000, "35.95 s and 0.01 credits"),
        ("sdxl-inpaint", 8.55, 6_900, "8.55 s and 0.0069 credits"),
        ("sd1.5-inpainting", 2.88, 2_000, "2.88 s and 0.002 credits"),
    ],
)
def test_published_time_and_price(slug: str, seconds: float, price: int, words: str) -> None:
    model = catalogue.get(slug)
    assert (model.typical_seconds, model.typical_price, model.typical) == (seconds, price, words)
    assert (model.scale(model.defaults), model.price(model.defaults)) == (1.0, price)
    assert model.seconds(model.defaults) == seconds


@pytest.mark.parametrize(
    ("slug", "params", "scale", "price"),
    [
        ("bg-replace", {"samples": 4}, 4, 40_000),
        ("bg-replace", {"num_inference_steps": 50}, 2, 20_000),
        ("bg-replace", {"samples": 3, "num_inference_steps": 26}, 3.12, 31_200),
        ("bg-replace", {"guidance_scale": 20.0, "strength": 0.1}, 1, 10_000),
        ("sdxl-inpaint", {"num_inference_steps": 33}, 1.32, 9_108),
        ("sd1.5-inpainting", {"num_inference_steps": 100}, 5, 10_000),
        ("sd1.5-inpainting", {"img_width": 768}, 1.5, 3_000),
        ("sd1.5-inpainting", {"img_width": 768, "img_height": 768, "samples": 2}, 4.5, 9_000),
    ],
)
def test_scale_follows_samples_steps_and_pixels(slug: str, params: dict[str, Any], scale: float, price: int) -> None:
    model = catalogue.get(slug)
    assert model.scale(model.defaults | params) == pytest.approx(scale)
    assert model.price(model.defaults | params) == price


def test_price_is_rounded_up_to_a_whole_millionth() -> None:
    model = catalogue.get("inpaint-auto")
    assert model.price(model.defaults | {"num_inference_steps": 27}) == 10_800
    assert model.price({"samples": 1, "num_inference_steps": 25.0001}) == 10_001


@each_model
def test_only_what_affects_the_price_says_so(model: catalogue.ImageModel) -> None:
    sizes = {"img_width", "img_height"} & set(model.by_name)
    assert set(model.price_names) == {"samples", "num_inference_steps"} | sizes


def test_steps_masks_and_sizes() -> None:
    assert {slug: model.default_steps for slug, model in catalogue.MODELS.items()} == {
        "bg-replace": 25,
        "inpaint-auto": 25,
        "sdxl-inpaint": 25,
        "sd1.5-inpainting": 20,
    }
    assert [model.mask_name for model in catalogue.MODELS.values()] == [None, "mask", "mask", "mask"]
    assert catalogue.get("bg-replace").output_size({}, 300, 200) == (300, 200)
    small = catalogue.get("sd1.5-inpainting")
    assert small.output_size({"img_width": 768, "img_height": 512}, 300, 200) == (768, 512)
    assert small.output_size({}, 300, 200) == (512, 512)


@pytest.mark.parametrize(
    ("cn_model", "expected"),
    [("Canny", "canny"), ("Depth", "depth"), ("SoftEdge", "pidinet"), ("Openpose", "openpose_full")],
)
def test_auto_is_the_preprocessor_of_the_controlnet(cn_model: str, expected: str) -> None:
    params = {"cn_model": cn_model, "cn_processor": "auto"}
    assert catalogue.resolve_preprocessor(params) == expected
    assert catalogue.resolve_preprocessor(params | {"cn_processor": "mlsd"}) == "mlsd"


def test_every_controlnet_has_a_preprocessor_that_exists() -> None:
    assert set(inpaint_auto.BELONGS_TO.values()) <= set(PROCESSORS)
