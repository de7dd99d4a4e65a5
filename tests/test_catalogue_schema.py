"""The JSON Schema says what `validate` does."""

import json
from typing import Any

import pytest

from generations import catalogue
from generations.catalogue import schema

each_model = pytest.mark.parametrize("model", catalogue.MODELS.values(), ids=catalogue.MODELS)


def properties(slug: str) -> dict[str, Any]:
    found: dict[str, Any] = schema.input_schema(catalogue.get(slug))["properties"]
    return found


def is_valid(model: catalogue.ImageModel, name: str, value: Any) -> bool:
    raw: dict[str, Any] = dict.fromkeys(model.required_names, "x") | {
        name: parameter.default for name, parameter in model.by_name.items() if parameter.choices
    }
    try:
        catalogue.validate(model, raw | {name: value}, unknown="refuse")
    except catalogue.InvalidInput:
        return False
    return True


@each_model
def test_it_is_json_with_every_parameter_in_order(model: catalogue.ImageModel) -> None:
    whole = json.loads(json.dumps(schema.input_schema(model)))
    assert (whole["type"], whole["title"]) == ("object", model.title)
    assert list(whole["properties"]) == list(model.by_name)
    assert [prop["x-order"] for prop in whole["properties"].values()] == list(range(len(model.parameters)))
    assert whole["required"] == list(model.required_names)
    assert all(prop["title"] and prop["description"] for prop in whole["properties"].values())


@each_model
def test_unknown_keys(model: catalogue.ImageModel) -> None:
    assert schema.input_schema(model)["additionalProperties"] is False
    assert schema.input_schema(model, unknown="ignore")["additionalProperties"] is True


@each_model
def test_bounds_and_names_are_those_that_validation_keeps(model: catalogue.ImageModel) -> None:
    for name, prop in schema.input_schema(model)["properties"].items():
        for good in (*prop.get("enum", ()), *(prop[key] for key in ("minimum", "maximum") if key in prop)):
            assert is_valid(model, name, good), (name, good)
        if "minimum" in prop:
            assert not is_valid(model, name, prop["minimum"] - 1)
            assert not is_valid(model, name, prop["maximum"] + 1)
        if "maxLength" in prop:
            assert is_valid(model, name, "x" * prop["maxLength"])
            assert not is_valid(model, name, "x" * (prop["maxLength"] + 1))
        if "default" in prop:
            assert is_valid(model, name, prop["default"])


def test_the_extensions() -> None:
    props = properties("sd1.5-inpainting")
    assert {name for name, prop in props.items() if prop.get("x-affects-price")} == {
        "samples",
        "num_inference_steps",
        "img_width",
        "img_height",
    }
    assert {name for name, prop in props.items() if prop.get("x-image")} == {"image", "mask"}
    assert props["scheduler"]["x-unlisted"] == ["UniPC"]
    assert props["seed"]["x-advanced"] is True
    assert properties("inpaint-auto")["cn_processor"]["x-unlisted"] == ["DPM++ 2M SDE Karras"]


def test_types() -> None:
    props = properties("sd1.5-inpainting")
    types = {name: props[name]["type"] for name in ("image", "prompt", "samples", "strength", "img_width", "base64")}
    assert types == {
        "image": "string",
        "prompt": "string",
        "samples": "integer",
        "strength": "number",
        "img_width": "integer",
        "base64": "boolean",
    }
    assert props["prompt"]["pattern"] == r"\S"
    assert "pattern" not in props["negative_prompt"]
