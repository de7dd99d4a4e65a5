"""The subject is found on the pictures, to the figures promised, and its absence is said."""

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from generations.engines.classical import cutout, matting, subject

SUBJECTS = Path(__file__).parent / "images" / "subjects"
NAMES = sorted(path.stem for path in SUBJECTS.glob("*.jpg"))
TARGETS = {"white": 0.93, "grey": 0.95, "table": 0.86}


def read(name: str) -> Any:
    picture: Any = cv2.imread(str(SUBJECTS / f"{name}.jpg"))
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def truth(name: str) -> Any:
    return cv2.imread(str(SUBJECTS / f"{name}_alpha.png"), cv2.IMREAD_GRAYSCALE)


@cache
def found(name: str) -> Any:
    cv2.setNumThreads(1)
    return cutout.cutout(read(name))


def overlap(name: str) -> float:
    ours, theirs = found(name) > 127, truth(name) > 127
    return float((ours & theirs).sum() / (ours | theirs).sum())


def kind(name: str) -> str:
    return name.split("_")[1].removesuffix("2048")


def test_there_are_nineteen_pictures() -> None:
    assert len(NAMES) == 19


@pytest.mark.parametrize("name", NAMES)
def test_no_subject_is_missed(name: str) -> None:
    assert overlap(name) >= 0.70


def test_mean_overlap_reaches_the_targets() -> None:
    for wanted, target in TARGETS.items():
        values = [overlap(name) for name in NAMES if kind(name) == wanted]
        assert np.mean(values) >= target, wanted


def noisy(pixels: Any, most: int) -> Any:
    noise = np.random.default_rng(most).integers(-most, most + 1, pixels.shape)
    return np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)


def encoded(pixels: Any, quality: int) -> Any:
    data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    picture: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(picture[:, :, ::-1])


@pytest.mark.parametrize(("name", "least"), [("chair_table", 0.70), ("mug_table", 0.85), ("ring_table", 0.80)])
def test_changes_nobody_sees_do_not_matter_in_a_scene(name: str, least: float) -> None:
    pixels, wanted = read(name), truth(name) > 127
    changed = [noisy(pixels, 1), noisy(pixels, 3), encoded(pixels, 85)]
    masks = [cutout.cutout(each) > 127 for each in changed]
    masks.append(cutout.cutout(np.ascontiguousarray(pixels[:, ::-1]))[:, ::-1] > 127)
    assert min(float((mask & wanted).sum() / (mask | wanted).sum()) for mask in masks) >= least


def test_re_encoding_does_not_matter_before_a_graded_sweep() -> None:
    ours, wanted = cutout.cutout(encoded(read("headphones_grey"), 95)) > 127, truth("headphones_grey") > 127
    assert (ours & wanted).sum() / (ours | wanted).sum() >= 0.90


def test_alpha_is_close_to_the_geometric_one() -> None:
    errors = [np.abs(found(name).astype(float) - truth(name)).mean() / 255 for name in NAMES]
    assert np.mean(errors) <= 0.018


@pytest.mark.parametrize("size", [256, 512])
def test_small_pictures_are_cut_too(size: int) -> None:
    for name in ("perfume_white", "sneaker_grey"):
        small: Any = cv2.resize(read(name), (size, size), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(truth(name), (size, size), interpolation=cv2.INTER_AREA) > 127
        ours = cutout.cutout(small) > 127
        assert (ours & mask).sum() / (ours | mask).sum() > 0.85


def test_it_is_the_same_every_time() -> None:
    picture: Any = cv2.resize(read("plant_table"), (384, 384), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(cutout.cutout(picture), cutout.cutout(picture))


def test_a_picture_need_not_be_square() -> None:
    picture = read("mug_white")[100:700, :]
    assert cutout.cutout(picture).shape == picture.shape[:2]


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_no_subject(level: int) -> None:
    with pytest.raises(subject.NoSubject, match="no subject found"):
        cutout.cutout(np.full((300, 400, 3), level, np.uint8))


def test_tiny_pictures_are_answered_not_crashed_on() -> None:
    for shape in ((1, 1), (3, 200), (16, 16)):
        with pytest.raises(subject.NoSubject):
            cutout.cutout(np.full((*shape, 3), 200, np.uint8))


def test_the_shares_that_a_subject_may_take() -> None:
    subject.check(0.005)
    subject.check(0.9)
    with pytest.raises(subject.NoSubject, match="no subject"):
        subject.check(0.0049)
    with pytest.raises(subject.NoSubject, match="no background"):
        subject.check(0.91)


def test_opaque_colours_are_kept_and_soft_ones_are_freed_of_white() -> None:
    pixels, alpha = read("plant_white"), truth("plant_white")
    front = matting.foreground(pixels, alpha)
    np.testing.assert_array_equal(front[alpha == 255], pixels[alpha == 255])
    leaves = (alpha > 60) & (alpha < 200)
    assert front[leaves].mean() < pixels[leaves].mean() - 25


def test_a_texture_that_fills_the_frame_has_no_subject() -> None:
    rows, columns = np.mgrid[:400, :400]
    checks = ((rows // 20 + columns // 20) % 2 * 120 + 60).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    for texture in (np.dstack([checks] * 3), noise):
        with pytest.raises(subject.NoSubject):
            cutout.cutout(texture)
