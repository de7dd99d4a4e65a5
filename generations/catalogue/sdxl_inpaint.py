"""SDXL Inpainting: repaints the white part of a mask."""

from dataclasses import replace
from datetime import date

from generations.catalogue import vocabulary
from generations.catalogue.model import ImageModel

SDXL_INPAINT = ImageModel(
    slug="sdxl-inpaint",
    title="SDXL Inpainting",
    summary="Repaints the masked part of a picture at its full size.",
    description=(
        "White in the mask marks what should change: a blemish, a label, an object on the table. Everything outside "
        "the mask is returned pixel for pixel."
    ),
    typical_seconds=8.55,
    typical_price=6_900,
    published=date(2026, 11, 20),
    parameters=(
        vocabulary.IMAGE,
        vocabulary.MASK,
        replace(vocabulary.PROMPT, example="a sprig of fresh lavender beside the bottle"),
        vocabulary.NEGATIVE_PROMPT,
        vocabulary.SAMPLES,
        vocabulary.STRENGTH,
        vocabulary.SCHEDULER,
        vocabulary.STEPS,
        vocabulary.GUIDANCE,
        vocabulary.SEED,
        vocabulary.BASE64,
    ),
)
