"""The web form's rows."""

import pytest

from generations import catalogue
from generations.catalogue import forms
from generations.catalogue.validation import FieldError

each_slug = pytest.mark.parametrize("slug", catalogue.MODELS)


def by_name(slug: str, **values: object) -> dict[str, forms.Row]:
    return {row.name: row for row in forms.rows(catalogue.get(slug), values)}


@each_slug
def test_a_row_for_each_parameter_that_a_form_shows(slug: str) -> None:
    model = catalogue.get(slug)
    assert list(by_name(slug)) == [name for name in model.by_name if name != "base64"]


@each_slug
def test_a_form_left_as_it_is_validates(slug: str) -> None:
    raw = {row.name: row.value for row in forms.rows(catalogue.get(slug)) if row.value is not None}
    raw |= dict.fromkeys(catalogue.get(slug).image_names, "https://example.org/a.png") | {"prompt": "x"}
    result = catalogue.validate(catalogue.get(slug), raw, unknown="refuse")
    assert {**catalogue.get(slug).defaults, "prompt": "x"} == result.params


@pytest.mark.parametrize(
    ("slug", "name", "widget"),
    [
        ("bg-replace", "image", "image"),
        ("bg-replace", "prompt", "textarea"),
        ("bg-replace", "negative_prompt", "textarea"),
        ("bg-replace", "samples", "range"),
        ("bg-replace", "num_inference_steps", "range"),
        ("bg-replace", "guidance_scale", "range"),
        ("bg-replace", "seed", "number"),
        ("bg-replace", "scheduler", "select"),
        ("sd1.5-inpainting", "img_width", "select"),
    ],
)
def test_widgets(slug: str, name: str, widget: str) -> None:
    assert by_name(slug)[name].widget == widget


def test_widgets_that_no_model_uses_yet() -> None:
    short = catalogue.Parameter(name="label", kind=catalogue.Kind.TEXT, title="", help="", max_length=40)
    flag = catalogue.Parameter(name="tile", kind=catalogue.Kind.BOOLEAN, title="", help="", default=False)
    assert (forms.widget(short), forms.widget(flag)) == ("text", "checkbox")


def test_required_choices_are_preselected() -> None:
    rows = by_name("inpaint-auto")
    for name, default in (("base_model", "Real Vision XL"), ("cn_processor", "auto")):
        assert rows[name].required
        assert [choice.value for choice in rows[name].choices if choice.selected] == [default]


def test_what_is_accepted_but_not_shown_is_not_shown() -> None:
    labels = {choice.label for choice in by_name("inpaint-auto")["scheduler"].choices}
    assert "PLMS" not in labels
    assert "UniPC" not in {choice.label for choice in by_name("sd1.5-inpainting")["scheduler"].choices}
    processors = [choice.label for choice in by_name("inpaint-auto")["cn_processor"].choices]
    assert processors[0] == "auto"
    assert "DPM++ 2M SDE Karras" not in processors


def test_an_earlier_run_is_shown_as_it_was() -> None:
    rows = by_name("inpaint-auto", scheduler="PLMS", cn_processor="DPM++ 2M SDE Karras", samples="3", seed=7)
    assert [c.value for c in rows["scheduler"].choices if c.selected] == ["PLMS"]
    assert rows["cn_processor"].value == "auto"
    assert (rows["samples"].value, rows["seed"].value) == (3, 7)


def test_a_mistake_stays_in_its_field_with_its_error() -> None:
    model = catalogue.get("bg-replace")
    error = FieldError("seed", '"abc"', "seed must be a whole number")
    rows = {row.name: row for row in forms.rows(model, {"seed": "abc", "scheduler": "none such"}, [error])}
    assert (rows["seed"].value, rows["seed"].error) == ("abc", "seed must be a whole number")
    assert (rows["scheduler"].value, rows["scheduler"].error) == ("DPM2 Karras", "")


@each_slug
def test_defaults_lie_on_a_sliders_positions(slug: str) -> None:
    for row in forms.rows(catalogue.get(slug)):
        if row.widget == "range":
            assert row.minimum is not None
            assert row.maximum is not None
            assert row.step
            for value in (row.default, row.maximum):
                positions = (value - row.minimum) / row.step
                assert positions == pytest.approx(round(positions))


def test_price_and_advanced_are_marked() -> None:
    rows = by_name("sd1.5-inpainting")
    assert {name for name, row in rows.items() if row.affects_price} == {
        "samples",
        "num_inference_steps",
        "img_width",
        "img_height",
    }
    assert rows["scheduler"].advanced
    assert not any(rows[name].advanced for name in ("image", "mask", "prompt", "samples"))
    assert rows["prompt"].placeholder == "a wooden shelf with a small potted plant"
    assert (rows["strength"].value, rows["strength"].minimum) == (1, 0.1)
