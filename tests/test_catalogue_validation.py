"""Every default, bound, choice and ruling, through `catalogue.validate`."""

import json
from typing import Any

import pytest

from generations import catalogue
from generations.catalogue import Kind, Parameter

GIVEN: dict[str, Any] = {
    "image": "https://example.org/a.png",
    "ref_image": "https://example.org/b.png",
    "mask": "https://example.org/m.png",
    "prompt": "on a table",
    "base_model": "SDXL",
    "cn_processor": "canny",
}
FULL_LIST = 12


def raw_for(model: catalogue.ImageModel, **changes: Any) -> dict[str, Any]:
    return {name: GIVEN[name] for name in model.required_names} | changes


def accept(slug: str, **changes: Any) -> catalogue.Input:
    model = catalogue.get(slug)
    return catalogue.validate(model, raw_for(model, **changes), unknown="refuse")


def refuse(slug: str, **changes: Any) -> str:
    """Return the message of the one error, which must be about the one change."""
    with pytest.raises(catalogue.InvalidInput) as caught:
        accept(slug, **changes)
    (error,) = caught.value.errors
    assert error.field in changes
    assert str(caught.value) == error.message
    return error.message


def walk(*kinds: Kind) -> list[Any]:
    return [
        pytest.param(slug, parameter, id=f"{slug}-{parameter.name}")
        for slug, model in catalogue.MODELS.items()
        for parameter in model.parameters
        if parameter.kind in kinds
    ]


@pytest.mark.parametrize(("slug", "parameter"), walk(*Kind))
def test_left_out_or_null(slug: str, parameter: Parameter) -> None:
    if parameter.required:
        message = refuse(slug, **{parameter.name: None})
        assert message.startswith(f"{parameter.name} is required: ")
        return
    for result in (accept(slug), accept(slug, **{parameter.name: None})):
        if parameter.is_image:
            assert parameter.name not in result.images
        else:
            assert result.params[parameter.name] == parameter.default


@pytest.mark.parametrize(("slug", "parameter"), walk(*Kind))
def test_a_default_is_itself_accepted(slug: str, parameter: Parameter) -> None:
    if parameter.default is not None:
        result = accept(slug, **{parameter.name: parameter.default})
        assert result.params[parameter.name] == parameter.default
        assert type(result.params[parameter.name]) is type(parameter.default)


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.INTEGER, Kind.NUMBER))
def test_bounds_and_just_outside(slug: str, parameter: Parameter) -> None:
    low, high = parameter.minimum, parameter.maximum
    assert low is not None
    assert high is not None
    wanted = int if parameter.kind is Kind.INTEGER else float
    outside = 1 if wanted is int else 0.001
    for good in (low, high, str(low), str(high), float(low)):
        value = accept(slug, **{parameter.name: good}).params[parameter.name]
        assert value == float(good)
        assert type(value) is wanted
    for bad in (low - outside, high + outside, str(high + outside), 10**400, -(10**400)):
        message = refuse(slug, **{parameter.name: bad})
        assert message.startswith(f"{parameter.name} must be a ")
        assert " from " in message


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.INTEGER, Kind.NUMBER))
@pytest.mark.parametrize(
    "bad",
    [
        *(True, False, "", " ", "abc", "1_0", "0x10", "nan", "NaN", "inf", "1e999", "٣", [], {}, b"25"),
        *("9" * 5000, float("nan"), float("inf"), float("-inf")),
    ],
    ids=lambda bad: repr(bad)[:12],
)
def test_what_is_no_number(slug: str, parameter: Parameter, bad: Any) -> None:
    message = refuse(slug, **{parameter.name: bad})
    assert len(message) < 200


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.INTEGER))
def test_whole_numbers(slug: str, parameter: Parameter) -> None:
    name = parameter.name
    top = int(parameter.maximum or 0)
    for good in (float(top), f"{top}.0", f" {top} "):
        value = accept(slug, **{name: good}).params[name]
        assert value == top
        assert type(value) is int
    for bad in (top - 0.5, f"{top - 1}.5"):
        assert "a whole number" in refuse(slug, **{name: bad})


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.CHOICE))
def test_every_choice_and_no_other(slug: str, parameter: Parameter) -> None:
    for choice in (*parameter.choices, *parameter.unlisted):
        assert accept(slug, **{parameter.name: choice}).params[parameter.name] == choice
    first = str(parameter.choices[0])
    bads: list[Any] = [
        f"{first} x",
        f"not {first}",
        first.swapcase() + "!",
        "",
        True,
        0,
        1.5,
        [first],
        {},
        float("nan"),
    ]
    for bad in bads:
        message = refuse(slug, **{parameter.name: bad})
        if len(parameter.choices) <= FULL_LIST:
            assert all(str(choice) in message for choice in parameter.choices)
        else:
            assert f"one of {len(parameter.choices)} names" in message


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.TEXT))
def test_text(slug: str, parameter: Parameter) -> None:
    name = parameter.name
    for good in ("x" * 4000, " both ends ", "ünï 🎉\nsecond line"):
        assert accept(slug, **{name: good}).params[name] == good
    assert refuse(slug, **{name: "x" * 4001}).endswith("got 4,001 characters")
    for bad in (5, True, ["a"], {"a": 1}, b"a"):
        assert "must be text of at most 4,000 characters" in refuse(slug, **{name: bad})
    for broken in ("a\x00b", "half \ud83d"):
        assert refuse(slug, **{name: broken}).encode()
    for blank in ("", " \n\t"):
        if parameter.required:
            assert "not empty" in refuse(slug, **{name: blank})
        else:
            assert accept(slug, **{name: blank}).params[name] == blank


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.BOOLEAN))
def test_booleans(slug: str, parameter: Parameter) -> None:
    name = parameter.name
    for value in (True, "true", 1, "1", "True"):
        assert accept(slug, **{name: value}).params[name] is True
    for value in (False, "false", 0, "0", "False"):
        assert accept(slug, **{name: value}).params[name] is False
    bads: list[Any] = ["yes", "on", "", 2, -1, 0.5, [], {}, float("nan")]
    for bad in bads:
        assert "must be true or false" in refuse(slug, **{name: bad})


class Upload:
    def __init__(self, size: int) -> None:
        self.size = size


@pytest.mark.parametrize(("slug", "parameter"), walk(Kind.IMAGE))
def test_images_pass_as_they_were_given(slug: str, parameter: Parameter) -> None:
    name = parameter.name
    sources: list[Any] = ["http://x/y.png", "data:image/png;base64,AAAA", "iVBORw0KGgo=", b"\x89PNG", Upload(9)]
    for source in sources:
        result = accept(slug, **{name: source})
        assert result.images[name] is source
        assert name not in result.params
    for bad in (1, 1.5, True, ["http://x/y.png"], ("a",), {"url": "http://x"}, {"a"}):
        assert "must be an http(s) URL, base64, a data: URI or an uploaded file" in refuse(slug, **{name: bad})
    for empty in ("", "  ", b"", bytearray(), Upload(0)):
        assert refuse(slug, **{name: empty}).startswith(f"{name} is empty")


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_params_are_complete_and_fit_for_json(slug: str) -> None:
    model = catalogue.get(slug)
    result = accept(slug)
    assert set(result.params) == set(model.by_name) - set(model.image_names)
    assert json.loads(json.dumps(result.params)) == result.params
    assert result.ignored == ()


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_all_errors_are_told_at_once_in_order(slug: str) -> None:
    raw = {"prompt": "", "samples": 5, "seed": -2, "nonsense": 1}
    with pytest.raises(catalogue.InvalidInput) as caught:
        catalogue.validate(catalogue.get(slug), raw, unknown="refuse")
    fields = [error.field for error in caught.value.errors]
    missing = [name for name in catalogue.get(slug).required_names if name != "prompt"]
    assert set(fields) == {"prompt", "samples", "seed", "nonsense", *missing}
    order = [*catalogue.get(slug).by_name, "nonsense"]
    assert fields == sorted(fields, key=order.index)
    by_field = {error.field: error for error in caught.value.errors}
    assert (by_field["samples"].value, by_field["image"].value) == ("5", "")
    assert all(error.message in str(caught.value) for error in caught.value.errors)


# --- the rulings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_ruling_samples_are_one_to_four(slug: str) -> None:
    assert [accept(slug, samples=n).params["samples"] for n in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert refuse(slug, samples=5) == "samples must be a whole number from 1 to 4; got 5"
    assert refuse(slug, samples=0) == "samples must be a whole number from 1 to 4; got 0"


def test_ruling_inpaint_auto_strength_is_not_its_published_default() -> None:
    assert accept("inpaint-auto").params["strength"] == 0.9
    assert refuse("inpaint-auto", strength=7.5) == "strength must be a number from 0 to 0.99; got 7.5"
    assert refuse("inpaint-auto", strength=1).endswith("got 1")


@pytest.mark.parametrize("name", ["DPM++ 2M SDE Karras", "auto"])
def test_ruling_a_schedulers_name_as_preprocessor_means_auto(name: str) -> None:
    params = accept("inpaint-auto", cn_processor=name, cn_model="SoftEdge").params
    assert params["cn_processor"] == "auto"
    assert catalogue.resolve_preprocessor(params) == "pidinet"


def test_ruling_no_other_scheduler_is_a_preprocessor() -> None:
    assert "one of 57 names" in refuse("inpaint-auto", cn_processor="DPM++ 2M Karras")


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_ruling_base64_is_false_unless_asked_for(slug: str) -> None:
    assert accept(slug).params["base64"] is False
    assert accept(slug, base64=True).params["base64"] is True


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_ruling_numbers_as_text(slug: str) -> None:
    params = accept(slug, samples="2", num_inference_steps="25", guidance_scale="7.5", seed="-1").params
    assert (params["samples"], params["num_inference_steps"], params["guidance_scale"]) == (2, 25, 7.5)
    assert params["seed"] == -1


def test_ruling_the_names_that_are_accepted_but_not_shown() -> None:
    assert accept("sd1.5-inpainting", scheduler="UniPC").params["scheduler"] == "UniPC"
    assert accept("inpaint-auto", scheduler="PLMS").params["scheduler"] == "PLMS"
    assert "UniPC" not in refuse("sd1.5-inpainting", scheduler="Unknown")
    refuse("bg-replace", scheduler="PLMS")


@pytest.mark.parametrize("side", [512, 768, "512", "768", 512.0, "768.0"])
def test_ruling_sizes_are_whole_numbers_or_text(side: Any) -> None:
    params = accept("sd1.5-inpainting", img_width=side, img_height=side).params
    assert params["img_width"] == int(float(side))
    assert type(params["img_width"]) is int


@pytest.mark.parametrize("side", [513, "1024", 640, "512px", 512.5])
def test_ruling_no_other_sizes(side: Any) -> None:
    assert "img_width must be one of 512, 768; got" in refuse("sd1.5-inpainting", img_width=side)


def test_ruling_preselected_but_required() -> None:
    assert refuse("inpaint-auto", base_model=None).startswith("base_model is required: one of Real Vision XL,")
    assert refuse("inpaint-auto", cn_processor=None).endswith("one of 57 names, for example auto")


def test_ruling_a_mask_is_optional_on_inpaint_auto_only() -> None:
    assert accept("inpaint-auto").images.keys() == {"image"}
    refuse("sdxl-inpaint", mask=None)
    refuse("sd1.5-inpainting", mask=None)
    assert "mask" in refuse("bg-replace", mask="https://example.org/m.png")


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_ruling_unknown_keys_are_ignored_and_named(slug: str) -> None:
    model = catalogue.get(slug)
    raw = raw_for(model, zebra=1, negativePrompt="x", **{"line\nbreak": 2})
    result = catalogue.validate(model, raw, unknown="ignore")
    assert result.ignored == ("line\\nbreak", "negativePrompt", "zebra")
    assert result.params["negative_prompt"] == ""
    assert "zebra" not in result.params


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_ruling_unknown_keys_are_refused_with_the_closest_name(slug: str) -> None:
    assert refuse(slug, negativePrompt="x").endswith("did you mean negative_prompt?")
    assert refuse(slug, Steps=3).count("num_inference_steps") == 1
    assert "allowed are image, " in refuse(slug, qqqq=1)


# --- what messages say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("scheduler", "euler A", "closest: Euler a, Euler"),
        ("scheduler", "DPM++2M Karras", "closest: DPM++ 2M Karras"),
        ("cn_processor", "cany", "closest: canny"),
        ("cn_processor", "open pose full", "closest: openpose_full"),
        ("cn_processor", "§§§", "for example auto, none, canny, depth"),
    ],
)
def test_long_lists_name_the_closest(name: str, value: str, hint: str) -> None:
    message = refuse("inpaint-auto", **{name: value})
    assert f'got "{value}"; {hint}' in message


def test_messages_stay_short_and_printable() -> None:
    message = refuse("bg-replace", scheduler="x\r\nset-cookie: a" + "y" * 10_000)
    assert message.isprintable()
    assert len(message) < 300
    assert refuse("bg-replace", scheduler="\ud83d").encode()
    assert refuse("bg-replace", samples=10**30).endswith("got a number of 100 bits")
    assert refuse("bg-replace", samples={"a": 1}).endswith("got an object")
