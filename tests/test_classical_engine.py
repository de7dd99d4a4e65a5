"""The CPU engine keeps its word: exact where exact is promised, repeatable, honest about what it does not read."""

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from generations.engines import base
from generations.engines.classical.engine import RECIPES, ClassicalEngine
from generations.imaging import decode, encode

IMAGES = Path(__file__).parent / "images"
ENGINE = ClassicalEngine("classical", rate=0.0015)


def quiet(share: float, words: str) -> None:
    assert 0 <= share <= 1
    assert words


@cache
def photo(name: str = "subjects/perfume_white.jpg", side: int = 320) -> bytes:
    pixels = decode.decode((IMAGES / name).read_bytes())
    square = min(pixels.shape[:2])
    small: Any = cv2.resize(pixels[:square, :square], (side, side), interpolation=cv2.INTER_AREA)
    return encode.png(small)


@cache
def cut_photo() -> bytes:
    """The same with the subject as its alpha."""
    pixels = decode.decode(photo())
    alpha: Any = cv2.imread(str(IMAGES / "subjects/perfume_white_alpha.png"), cv2.IMREAD_GRAYSCALE)
    alpha = cv2.resize(alpha, pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
    return encode.png(np.dstack([pixels, alpha]))


@cache
def hole(side: int = 320) -> bytes:
    mask = np.zeros((side, side), np.uint8)
    mask[120:170, 100:190] = 255
    return encode.png(mask)


def run(model: str, params: dict[str, Any] | None = None, /, *, seed: int = 7, **images: Any) -> base.Result:
    if model == "bg-replace":
        images.setdefault("ref_image", photo("backgrounds/marble.jpg"))
    images.setdefault("image", photo())
    result = ENGINE.submit(base.Job(model, params or {}, images, seed), quiet)
    assert isinstance(result, base.Result)
    return result


def pixels_of(result: base.Result, index: int = 0) -> Any:
    return decode.decode(result.pictures[index].data)


def kept(result: base.Result) -> Any:
    assert result.keep is not None
    return cv2.imdecode(np.frombuffer(result.keep, np.uint8), cv2.IMREAD_GRAYSCALE) == 255


@pytest.mark.parametrize("model", RECIPES)
def test_every_model_runs_with_next_to_no_parameters(model: str) -> None:
    result = run(model, {"prompt": "on marble"}, mask=hole())
    (picture,) = result.pictures
    assert picture.content_type == "image/png"
    assert pixels_of(result).shape == (picture.height, picture.width, 3)
    assert kept(result).shape == (picture.height, picture.width)
    assert result.cost == ENGINE.price(result.seconds) > 0


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5])
def test_up_to_half_the_weight_opaque_pixels_are_exact(weight: float) -> None:
    result = run("bg-replace", {"ip_adapter_weight": weight, "strength": 1.0})
    keep = kept(result)
    assert 0.05 < keep.mean() < 0.9
    np.testing.assert_array_equal(pixels_of(result)[keep], decode.decode(photo())[keep])


def test_above_half_the_weight_the_subject_takes_on_the_light() -> None:
    night = photo("backgrounds/night.jpg")
    result = run("bg-replace", {"ip_adapter_weight": 1.0}, ref_image=night)
    keep = kept(result)
    change = pixels_of(result)[keep].astype(float) - decode.decode(photo())[keep]
    assert -60 < change.mean() < -1


def test_strength_blends_with_the_old_background() -> None:
    corner = (slice(0, 40), slice(0, 40))
    old = decode.decode(photo())[corner].astype(float)
    full = pixels_of(run("bg-replace", {"strength": 1.0}))[corner].astype(float)
    half = pixels_of(run("bg-replace", {"strength": 0.5}))[corner].astype(float)
    none = pixels_of(run("bg-replace", {"strength": 0.0}))[corner]
    np.testing.assert_allclose(half, (old + full) / 2, atol=1)
    np.testing.assert_array_equal(none, old.astype(np.uint8))


def test_an_alpha_in_the_input_is_the_subject() -> None:
    keep = kept(run("bg-replace", image=cut_photo()))
    alpha = decode.decode(cut_photo(), alpha=True)[:, :, 3]
    np.testing.assert_array_equal(keep, alpha == 255)


def test_samples_are_variants_and_each_belongs_to_its_seed() -> None:
    two = run("bg-replace", {"samples": 2}, seed=7)
    assert [picture.seed for picture in two.pictures] == [7, 8]
    assert two.pictures[0].data != two.pictures[1].data
    assert run("bg-replace", {"samples": 1}, seed=8).pictures[0].data == two.pictures[1].data


@pytest.mark.parametrize("model", ["inpaint-auto", "sdxl-inpaint"])
@pytest.mark.parametrize("strength", [0.4, 0.9])
def test_outside_a_mask_nothing_changes(model: str, strength: float) -> None:
    result = run(model, {"strength": strength}, mask=hole())
    keep = kept(result)
    np.testing.assert_array_equal(keep, decode.decode_mask(hole(), 320, 320) == 0)
    np.testing.assert_array_equal(pixels_of(result)[keep], decode.decode(photo())[keep])
    assert (pixels_of(result)[~keep] != decode.decode(photo())[~keep]).any()


def test_without_a_mask_the_subject_stays_on_a_smooth_sweep() -> None:
    table = photo("subjects/sneaker_table.jpg")
    result = run("inpaint-auto", {"strength": 0.9}, image=table)
    keep, output = kept(result), pixels_of(result)
    np.testing.assert_array_equal(output[keep], decode.decode(table)[keep])
    wall = output[:60, :60].astype(float)
    assert (
        np.abs(np.diff(wall, axis=1)).mean() < 2 < np.abs(np.diff(decode.decode(table)[:60, :60].astype(float))).mean()
    )


@pytest.mark.parametrize(("width", "height"), [(512, 768), (768, 512), (768, 768)])
def test_sd15_covers_the_wanted_size(width: int, height: int) -> None:
    result = run("sd1.5-inpainting", {"img_width": width, "img_height": height}, mask=hole())
    assert (result.pictures[0].width, result.pictures[0].height) == (width, height)
    assert kept(result).shape == (height, width)


def test_what_was_not_read_is_said() -> None:
    params = {"prompt": "x", "negative_prompt": None, "scheduler": "DDIM", "samples": 1, "ip_adapter_weight": 0.5}
    (note,) = run("sdxl-inpaint", params, mask=hole()).notes
    assert note == ("The CPU engine composites and fills; it does not read: prompt, scheduler, ip_adapter_weight.")
    assert run("sdxl-inpaint", {"samples": 1}, mask=hole()).notes == ()


@pytest.mark.parametrize(
    ("model", "images", "words"),
    [
        ("bg-replace", {"image": encode.png(np.full((200, 200, 3), 240, np.uint8))}, "no subject found"),
        ("bg-replace", {"image": b"not a picture"}, "[Pp]icture|[Ii]mage|format"),
        ("bg-replace", {"ref_image": b"not a picture"}, "[Pp]icture|[Ii]mage|format"),
        ("sdxl-inpaint", {"mask": encode.png(np.zeros((320, 320), np.uint8))}, "nothing to repaint"),
        ("bg-replace", {"image": encode.png(np.zeros((50, 50, 4), np.uint8))}, "alpha"),
    ],
)
def test_pictures_at_fault_are_rejected(model: str, images: dict[str, Any], words: str) -> None:
    with pytest.raises(base.Rejected, match=words):
        run(model, **images)


def test_a_canceled_job_stops() -> None:
    def cancel(share: float, words: str) -> None:
        if share > 0.3:
            raise base.Canceled(words)

    with pytest.raises(base.Canceled):
        ENGINE.submit(base.Job("inpaint-auto", {}, {"image": photo()}, 1), cancel)


def test_progress_goes_up_in_words() -> None:
    seen: list[tuple[float, str]] = []
    images = {"image": photo(), "ref_image": photo("backgrounds/marble.jpg")}
    ENGINE.submit(base.Job("bg-replace", {"samples": 2}, images, 1), lambda *step: seen.append(step))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert len({words for _, words in seen}) >= 5


def test_seconds_grow_with_pixels_and_samples() -> None:
    for model in RECIPES:
        one = ENGINE.seconds(model, {"samples": 1}, 1024**2)
        assert 0 < one < ENGINE.seconds(model, {"samples": 4}, 1024**2)
        assert one < ENGINE.seconds(model, {"samples": 1}, 2048**2)
    assert ENGINE.seconds("unknown", {}, 1) > 0  # a route may name it before it refuses
