"""Stable Diffusion 1.5 Inpainting: small, quick, at a size of your choice."""

from dataclasses import replace
from datetime import date

from generations.catalogue import vocabulary
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter


def _side(name: str, title: str) -> Parameter:
    return Parameter(
        name=name,
        kind=Kind.CHOICE,
        title=title,
        help="In pixels. Image and mask are cropped to this shape, around the middle, and scaled to it.",
        default=512,
        choices=(512, 768),
        affects_price=True,
    )


SD15_INPAINTING = ImageModel(
    slug="sd1.5-inpainting",
    title="Stable Diffusion Inpainting",
    summary="The quickest and cheapest repaint, at 512 or 768 pixels a side.",
    description=(
        "Repaints the white part of a mask with Stable Diffusion 1.5. Image and mask are cropped to the size "
        "that you choose; time and price follow the number of pixels."
    ),
    typical_seconds=2.88,
    typical_price=2_000,
    published=date(2026, 11, 20),
    size_from=("img_width", "img_height"),
    parameters=(
        vocabulary.IMAGE,
        vocabulary.MASK,
        replace(vocabulary.PROMPT, example="a wooden shelf with a small potted plant"),
        vocabulary.NEGATIVE_PROMPT,
        vocabulary.SAMPLES,
        _side("img_width", "Width"),
        _side("img_height", "Height"),
        replace(vocabulary.STRENGTH, default=1.0, minimum=0.1),
        # An official client sends UniPC, which this model's page does not offer.
        replace(
            vocabulary.SCHEDULER,
            default="DDIM",
            choices=vocabulary.SCHEDULERS[:-1],
            unlisted=vocabulary.SCHEDULERS[-1:],
        ),
        replace(vocabulary.STEPS, default=20),
        replace(vocabulary.GUIDANCE, minimum=0.1),
        vocabulary.SEED,
        vocabulary.BASE64,
    ),
)
