"""Masks that come in."""

import io

import numpy as np
import pytest
from PIL import Image

from accounts.models import Team
from generations import catalogue, inputs, masks
from generations.catalogue.validation import InvalidInput
from generations.imaging import encode
from generations.models import Asset
from tests.jobs import mask, png

pytestmark = pytest.mark.django_db


def stored(team: Team, data: bytes) -> Asset:
    return inputs.store(team.pk, data)


def transparent_white() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (16, 16), (255, 255, 255, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "share"),
    [
        (mask(64, 64), 0.25),
        (png(64, 64, 127, "L"), 0.0),
        (png(64, 64, 128, "L"), 0.25),
        (png(64, 64, (255, 255, 255)), 1.0),
        (transparent_white(), 0.0),
    ],
)
def test_what_is_lighter_than_half_is_repainted(team: Team, data: bytes, share: float) -> None:
    assert painted(team, data) == share


def painted(team: Team, data: bytes, model: str = "sdxl-inpaint", image: bytes = b"") -> float:
    return masks.painted(catalogue.get(model), {}, assets(team, data, image))


def assets(team: Team, data: bytes, image: bytes = b"") -> dict[str, Asset]:
    return {"image": stored(team, image or png()), "mask": stored(team, data)}


def test_what_the_crop_leaves_counts(team: Team) -> None:
    """sd1.5 takes the middle square: white at the far left of a wide picture is not in it."""
    wide = np.zeros((100, 400), np.uint8)
    wide[:, :40] = 255
    picture = png(400, 100)
    assert painted(team, encode.png(wide), image=picture) == 0.1
    assert painted(team, encode.png(wide), "sd1.5-inpainting", picture) == 0.0


def test_nothing_to_repaint_is_refused_by_name(team: Team) -> None:
    black = assets(team, png(colour=0, mode="L"))
    with pytest.raises(InvalidInput, match="mask: nothing of it is white") as caught:
        masks.check(catalogue.get("sdxl-inpaint"), {}, black)
    assert caught.value.errors[0].field == "mask"


def test_a_black_picture_may_be_anything_but_a_mask(team: Team) -> None:
    declared = catalogue.get("sdxl-inpaint")
    masks.check(declared, {}, {"image": stored(team, png(colour=0, mode="L"))})
    masks.check(declared, {}, assets(team, mask()))
