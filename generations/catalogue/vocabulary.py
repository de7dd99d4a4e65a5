"""What several models share, described once; a model overrides with `dataclasses.replace`."""

from generations.catalogue.parameters import Kind, Parameter

SCHEDULERS = (
    "DDIM",
    "DPM Multi",
    "DPM Single",
    "Euler a",
    "Euler",
    "Heun",
    "DPM2 a Karras",
    "DPM2 Karras",
    "LMS",
    "PNDM",
    "DDPM",
    "UniPC",
)

IMAGE = Parameter(
    name="image",
    kind=Kind.IMAGE,
    title="Image",
    help="The photograph to edit: PNG, JPEG, GIF (first frame) or WebP, up to 2048 px on the longer side.",
    required=True,
    example="product.jpg",
)
MASK = Parameter(
    name="mask",
    kind=Kind.IMAGE,
    title="Mask",
    help="White is repainted, black stays exactly as it is. The mask is fitted to the image's size.",
    required=True,
    example="mask.png",
)
PROMPT = Parameter(
    name="prompt",
    kind=Kind.TEXT,
    title="Prompt",
    help="What the new part of the picture should show: place, surface, light, mood.",
    required=True,
    max_length=4000,
    example="on a pale marble counter, soft morning light from the left",
)
NEGATIVE_PROMPT = Parameter(
    name="negative_prompt",
    kind=Kind.TEXT,
    title="Negative prompt",
    help="What should not appear.",
    default="",
    max_length=4000,
    example="text, watermark, people, extra objects",
)
SAMPLES = Parameter(
    name="samples",
    kind=Kind.INTEGER,
    title="Samples",
    help="How many variants to make; time and price grow with them, and the seed grows by one each time.",
    default=1,
    minimum=1,
    maximum=4,
    step=1,
    affects_price=True,
)
SCHEDULER = Parameter(
    name="scheduler",
    kind=Kind.CHOICE,
    title="Scheduler",
    help="The method that turns noise into a picture. Euler is quick and soft, the Karras ones are crisp.",
    default="DPM2 Karras",
    choices=SCHEDULERS,
    advanced=True,
)
STEPS = Parameter(
    name="num_inference_steps",
    kind=Kind.INTEGER,
    title="Steps",
    help="More steps give finer detail and take proportionally longer.",
    default=25,
    minimum=20,
    maximum=100,
    step=1,
    affects_price=True,
    advanced=True,
)
GUIDANCE = Parameter(
    name="guidance_scale",
    kind=Kind.NUMBER,
    title="Guidance scale",
    help="How closely to follow the prompt. Low is freer, high is more literal and harsher.",
    default=7.5,
    minimum=1,
    maximum=25,
    step=0.1,
    advanced=True,
)
STRENGTH = Parameter(
    name="strength",
    kind=Kind.NUMBER,
    title="Strength",
    help="How much of the repainted part may change: 0 leaves it as it is, 1 starts afresh.",
    default=0.9,
    minimum=0,
    maximum=1,
    step=0.01,
    advanced=True,
)
SEED = Parameter(
    name="seed",
    kind=Kind.INTEGER,
    title="Seed",
    help="The same seed and input give the same picture. -1 picks one at random; the one used is reported.",
    default=-1,
    minimum=-1,
    maximum=999_999_999_999_999,
    step=1,
    advanced=True,
)
BASE64 = Parameter(
    name="base64",
    kind=Kind.BOOLEAN,
    title="Base64",
    help="Answer with JSON that holds the pictures as base64, instead of the picture's bytes.",
    default=False,
    in_form=False,
)
