"""How values are told to people."""

import pytest

from generations.catalogue import wording


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (7, "7"),
        (7.5, "7.5"),
        (None, "null"),
        ([], "a list"),
        ({}, "an object"),
        (b"x", "a file"),
        ("a\tb", '"a\\tb"'),
        ("half \ud83d", '"half \\ud83d"'),
        (1 << 100, "a number of 101 bits"),
    ],
)
def test_shown(value: object, expected: str) -> None:
    assert wording.shown(value) == expected


def test_long_text_is_cut() -> None:
    assert wording.printable("x" * 100) == "x" * 59 + "…"


@pytest.mark.parametrize(
    ("value", "expected"), [(7.0, "7"), (0.99, "0.99"), (-1, "-1"), (999999999999999, "999999999999999")]
)
def test_number(value: float, expected: str) -> None:
    assert wording.number(value) == expected


def test_closest_ignores_case_and_separators() -> None:
    assert wording.closest("negativePrompt", ["prompt", "negative_prompt"])[0] == "negative_prompt"
    assert wording.closest("DPM2-KARRAS", ["DPM2 Karras", "DPM2 a Karras"])[0] == "DPM2 Karras"
    assert wording.closest("§", ["a"]) == []


def test_closest_prefers_a_name_that_holds_the_word() -> None:
    names = ["samples", "num_inference_steps", "scheduler"]
    assert wording.closest("Steps", names) == ["num_inference_steps", "samples"]
    assert wording.closest("open", ["openpose_full", "openpose"], count=1) == ["openpose"]
