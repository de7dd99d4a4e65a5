"""The documentation's table of parameters."""

import pytest

from generations import catalogue
from generations.catalogue import reference


def by_name(slug: str) -> dict[str, reference.Row]:
    return {row.name: row for row in reference.rows(catalogue.get(slug))}


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_a_row_for_every_parameter(slug: str) -> None:
    assert list(by_name(slug)) == list(catalogue.get(slug).by_name)
    assert all(row.note for row in reference.rows(catalogue.get(slug)))


@pytest.mark.parametrize(
    ("slug", "name", "type_", "default", "range_"),
    [
        ("bg-replace", "prompt", "text", "", "up to 4,000 characters"),
        ("bg-replace", "negative_prompt", "text", "", "up to 4,000 characters"),
        ("bg-replace", "samples", "integer", "1", "1 to 4"),
        ("bg-replace", "strength", "number", "1", "0 to 1"),
        ("bg-replace", "seed", "integer", "-1", "-1 to 999999999999999"),
        ("bg-replace", "base64", "boolean", "false", "true or false"),
        ("bg-replace", "image", "image", "", "an http(s) URL, base64, a data: URI or an uploaded file"),
        ("inpaint-auto", "strength", "number", "0.9", "0 to 0.99"),
        ("inpaint-auto", "cn_processor", "choice", "auto", "one of 57 names"),
        ("sd1.5-inpainting", "img_width", "choice", "512", "one of 512, 768"),
        ("sd1.5-inpainting", "guidance_scale", "number", "7.5", "0.1 to 25"),
    ],
)
def test_rows(slug: str, name: str, type_: str, default: str, range_: str) -> None:
    row = by_name(slug)[name]
    assert (row.type, row.default, row.range) == (type_, default, range_)


def test_price_and_values() -> None:
    rows = by_name("inpaint-auto")
    assert rows["samples"].note.endswith("Affects the price.")
    assert "Affects the price." not in rows["seed"].note
    assert len(rows["scheduler"].values) == 29
    assert "PLMS" not in rows["scheduler"].values
