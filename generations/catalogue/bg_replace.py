"""Background Replace: the subject is found by itself and set before a new background."""

from dataclasses import replace
from datetime import date

from generations.catalogue import vocabulary
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter

BG_REPLACE = ImageModel(
    slug="bg-replace",
    title="Background Replace",
    summary="Puts a product in front of a new background, without a mask.",
    description=(
        "Give a photograph of the product, best on a plain white background, and a picture of the background "
        "that you want. The subject is found automatically; an image with transparency brings its own "
        "outline. The ControlNet (Canny) keeps the product's composition, the reference image sets its mood."
    ),
    typical_seconds=8.95,
    typical_price=10_000,
    published=date(2026, 11, 20),
    parameters=(
        replace(
            vocabulary.IMAGE,
            help=(
                "The subject, best on a white background; transparency, where there is any, is its outline. "
                "PNG, JPEG, GIF (first frame) or WebP, up to 2048 px on the longer side."
            ),
        ),
        Parameter(
            name="ref_image",
            kind=Kind.IMAGE,
            title="Reference image",
            help="The new background, or a picture in its style. It is cropped to the shape of the image.",
            required=True,
            example="background.jpg",
        ),
        vocabulary.PROMPT,
        vocabulary.NEGATIVE_PROMPT,
        vocabulary.SAMPLES,
        Parameter(
            name="ip_adapter_weight",
            kind=Kind.NUMBER,
            title="Reference weight",
            help="How much the reference image counts. Too high, and its colours bleed into the subject.",
            default=0.5,
            minimum=0,
            maximum=1,
            step=0.01,
        ),
        Parameter(
            name="cn_weight",
            kind=Kind.NUMBER,
            title="ControlNet weight",
            help="How firmly the subject's outline is held (ControlNet, Canny). High keeps its composition.",
            default=0.9,
            minimum=0,
            maximum=1,
            step=0.01,
            advanced=True,
        ),
        replace(vocabulary.STRENGTH, default=1.0),
        vocabulary.SCHEDULER,
        vocabulary.STEPS,
        vocabulary.GUIDANCE,
        vocabulary.SEED,
        vocabulary.BASE64,
    ),
)
