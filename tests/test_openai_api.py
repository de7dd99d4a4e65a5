"""OpenAI's dialect: image edits as forms and as JSON, and every field of the answer."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts import ledger
from accounts.credits import MICRO
from accounts.models import Team
from generations import delivery, inputs
from generations.api import bodies, openai_options
from generations.engines import base
from generations.engines.scripted import ScriptedEngine
from generations.imaging import decode, encode
from generations.models import Asset, Generation, Output
from generations.models.generation import Door, Status
from tests.jobs import Configure, png

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = pytest.mark.django_db
"""Nothing is accepted, so that nothing waits for a commit."""

PATH = "/v1/images/edits"
Form = Callable[..., Any]


def transparent(width: int = 64, height: int = 64) -> bytes:
    """Return a mask as OpenAI's clients make them: opaque black, with a hole that is to be repainted."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def uri(data: bytes) -> dict[str, str]:
    return {"image_url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}


def file(data: bytes, name: str = "x.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/png")


@pytest.fixture
def form(client: Client, key: str, engines: Configure) -> Form:
    """Return a function that posts a form with the member's key; bytes are files."""

    def do(**fields: Any) -> Any:
        headers = fields.pop("headers", {})
        sent = {
            name.replace("__", "[]"): [file(each) if isinstance(each, bytes) else each for each in value]
            if isinstance(value, list)
            else (file(value) if isinstance(value, bytes) else value)
            for name, value in fields.items()
        }
        return client.post(PATH, data=sent, headers={"authorization": f"Bearer {key}", **headers})

    return do


@pytest.fixture
def send(client: Client, key: str, engines: Configure) -> Form:
    """Return a function that posts JSON with the member's key."""

    def do(**body: Any) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        return client.post(PATH, data=json.dumps(body), content_type="application/json", headers=headers)

    return do


def picture(answer: Any, number: int = 0) -> Image.Image:
    assert answer.status_code == 200, answer.content
    return Image.open(io.BytesIO(base64.b64decode(answer.json()["data"][number]["b64_json"])))


def param(answer: Any) -> str:
    assert answer.status_code == 400, answer.content
    return str(answer.json()["error"]["param"])


# --- the answer ---------------------------------------------------------------------------------------------


def test_two_pictures_replace_the_background(form: Form, inline: list[int], team: Team) -> None:
    subject, beach = png(), png(96, 64, (10, 90, 200))
    answer = form(image__=[subject, beach], prompt="@cost=0.01 a beach")
    generation = Generation.objects.get()
    assert (generation.door, generation.model, generation.status) == (Door.OPENAI, "bg-replace", Status.SUCCEEDED)
    stored = {name: delivery.read(Asset.objects.get(id=asset).file) for name, asset in generation.inputs.items()}
    assert stored == {"image": subject, "ref_image": beach}
    body = answer.json()
    assert body | {"data": []} == {
        "created": int(generation.created_at.timestamp()),
        "background": "opaque",
        "data": [],
        "output_format": "png",
        "size": "64x64",
        "usage": {
            "input_tokens": 0,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
            "total_tokens": 0,
            "cost": (generation.cost or 0) / MICRO,
            "remaining_credits": ledger.balance(team.pk).available / MICRO,
        },
    }
    assert generation.cost
    assert picture(answer).format == "PNG"
    assert answer["Content-Type"] == "application/json"
    assert answer["x-request-id"] == str(generation.id)
    assert float(answer["x-cost"]) * MICRO == generation.cost
    assert answer["x-engine"] == "scripted"
    assert answer["RateLimit"].startswith('"default";r=999;t=')
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_mask_repaints_what_is_transparent(form: Form, inline: list[int]) -> None:
    answer = form(image=png(), mask=transparent(), prompt="a sofa")
    assert picture(answer).size == (64, 64)
    generation = Generation.objects.get()
    assert generation.model == "sdxl-inpaint"
    mask = decode.decode_mask(delivery.read(Asset.objects.get(id=generation.inputs["mask"]).file), 64, 64)
    assert (mask[16:48, 16:48] == 255).all()
    assert (mask > 0).sum() == 32 * 32


def test_half_transparent_is_the_rest_of_255(form: Form, inline: list[int]) -> None:
    pixels = decode.decode(transparent(), alpha=True)
    pixels[:32, :, 3], pixels[32:, :, 3] = 100, 200
    form(image=png(), mask=encode.png(pixels), prompt="a sofa")
    stored = Image.open(io.BytesIO(delivery.read(Asset.objects.get(id=Generation.objects.get().inputs["mask"]).file)))
    assert (stored.mode, stored.getpixel((0, 0)), stored.getpixel((0, 63))) == ("L", 155, 55)


def test_n_and_our_own_parameters(form: Form, inline: list[int]) -> None:
    answer = form(
        image=png(), ref_image=png(96, 64), prompt="a beach", n="2", seed="5", scheduler="DDIM", strength="0.5"
    )
    assert len(answer.json()["data"]) == 2
    generation = Generation.objects.get()
    assert (generation.model, generation.seed) == ("bg-replace", 5)
    wanted = {"samples": 2, "seed": 5, "scheduler": "DDIM", "strength": 0.5}
    assert {name: generation.params[name] for name in wanted} == wanted


@pytest.mark.parametrize("slug", ["inpaint-auto", "sdxl-inpaint", "sd1.5-inpainting"])
def test_every_model_by_its_slug(form: Form, inline: list[int], slug: str) -> None:
    more = {"base_model": "SDXL", "cn_processor": "auto"} if slug == "inpaint-auto" else {}
    assert picture(form(model=slug, image__=[png()], mask=transparent(), prompt="a sofa", **more))
    assert Generation.objects.get().model == slug


@pytest.mark.parametrize("form_", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("master", ["PNG", "JPEG"])
def test_formats_of_either_master_without_metadata(
    form: Form, inline: list[int], monkeypatch: pytest.MonkeyPatch, form_: str, master: str
) -> None:
    if master == "PNG":
        made = base.Picture(png(), "image/png", 64, 64, seed=1)
        monkeypatch.setattr(ScriptedEngine, "_picture", lambda *_: made)
    answer = form(image__=[png(), png(96, 64)], prompt="x", output_format=form_)
    shown = picture(answer)
    shown.load()
    assert (shown.format, answer.json()["output_format"]) == (form_.upper(), form_)
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(shown.info)
    output = Output.objects.get()
    assert output.content_type == f"image/{master.lower()}"
    if form_.upper() == master:
        assert base64.b64decode(answer.json()["data"][0]["b64_json"]) == delivery.read(output.file)


def test_a_quality_is_honoured(form: Form, inline: list[int], engines: Configure) -> None:
    def size(**fields: str) -> int:
        answer = form(image__=[png(300, 300), png(96, 64)], prompt="@kilobytes=300", seed="1", **fields)
        return len(answer.json()["data"][0]["b64_json"])

    for name in ("jpeg", "webp"):
        low, high = (size(output_format=name, output_compression=each) for each in ("5", "100"))
        assert low < high
    assert size(output_compression="100")


@pytest.mark.parametrize(("form_", "extension"), [("png", "png"), ("jpeg", "jpg"), ("webp", "webp")])
def test_links_of_the_format_that_was_asked_for(
    form: Form, inline: list[int], client: Client, settings: LazySettings, form_: str, extension: str
) -> None:
    answer = form(image__=[png(), png(96, 64)], prompt="x", n="2", response_format="url", output_format=form_)
    links = [each["url"] for each in answer.json()["data"]]
    assert all(list(each) == ["url"] for each in answer.json()["data"])
    outputs = [str(output.id) for output in Output.objects.order_by("number")]
    assert [link.partition("?")[0] for link in links] == [
        f"{settings.PUBLIC_URL}/outputs/{each}.{extension}" for each in outputs
    ]
    shown = client.get(links[0].removeprefix(settings.PUBLIC_URL))
    assert shown["Content-Type"] == f"image/{form_}"
    assert Image.open(io.BytesIO(shown.content)).format == form_.upper()


def test_a_picture_is_made_once_in_a_while(
    form: Form, inline: list[int], client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = form(image__=[png(), png(96, 64)], prompt="x", response_format="url", output_format="webp")
    link = answer.json()["data"][0]["url"].removeprefix(settings.PUBLIC_URL)
    first = client.get(link).content
    monkeypatch.setattr(decode, "decode", lambda *_, **__: pytest.fail("decoded again"))
    assert client.get(link).content == first


def test_what_changes_nothing_is_named(form: Form, inline: list[int]) -> None:
    answer = form(
        image__=[png(), png(96, 64)],
        prompt="x",
        quality="high",
        background="opaque",
        user="a customer",
        input_fidelity="high",
        moderation="auto",
        stream="false",
        partial_images="0",
        size="auto",
    )
    assert answer.status_code == 200
    assert answer["x-ignored-parameters"] == "background, quality, input_fidelity, user"


@pytest.mark.parametrize(
    "name", ["gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "chatgpt-image-latest", "dall-e-2", "dall-e-3"]
)
@pytest.mark.parametrize("model", ["bg-replace", "sdxl-inpaint"])
def test_a_model_of_openais_counts_as_none(form: Form, inline: list[int], name: str, model: str) -> None:
    pictures = {"image__": [png(), png(96, 64)]} if model == "bg-replace" else {"image": png(), "mask": transparent()}
    answer = form(model=name, prompt="x", quality="high", **pictures)
    assert (answer.status_code, answer["x-model"]) == (200, model)
    assert answer["x-ignored-parameters"] == "model, quality"
    assert Generation.objects.get().model == model


@QUICK
def test_a_model_of_openais_alone_says_nothing_of_what_is_to_be_done(form: Form) -> None:
    answer = form(model="gpt-image-1", image=png(), prompt="x")
    assert answer.status_code == 400
    assert "Without it, or with one of OpenAI's own, two pictures" in answer.json()["error"]["message"]


def test_size_where_the_model_has_one_to_choose(form: Form, inline: list[int]) -> None:
    answer = form(model="sd1.5-inpainting", image=png(), mask=transparent(), prompt="x", size="768x512")
    params = Generation.objects.get().params
    assert answer.status_code == 200
    assert (params["img_width"], params["img_height"]) == (768, 512)


@QUICK
def test_a_size_that_is_wrong_twice_is_said_once(form: Form) -> None:
    answer = form(model="sd1.5-inpainting", image=png(), mask=transparent(), prompt="x", size="640x640")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].count("size must be one of") == 1


def test_size_where_the_image_has_it(form: Form, inline: list[int]) -> None:
    assert form(image__=[png(80, 64), png()], prompt="x", size="80x64").status_code == 200
    answer = form(image__=[png(80, 64), png()], prompt="x", size="1024x1024")
    assert param(answer) == "size"
    assert answer.json()["error"]["message"] == (
        'size must be "auto" or the size of the image, 80x64, which bg-replace keeps; got "1024x1024"'
    )
    assert Generation.objects.count() == 1


# --- JSON ---------------------------------------------------------------------------------------------------


def test_json(send: Form, inline: list[int]) -> None:
    answer = send(images=[uri(png()), uri(png(96, 64))], prompt="a beach", n=2, seed=3, response_format=None)
    assert len(answer.json()["data"]) == 2
    assert Generation.objects.get().params["seed"] == 3
    answer = send(images=[uri(png())], mask=uri(transparent()), prompt="x", stream=False, mask_=None)
    assert param(answer) == "mask_"
    assert picture(send(images=[uri(png())], mask=uri(transparent()), prompt="x", stream=False))
    assert Generation.objects.filter(model="sdxl-inpaint").count() == 1


def test_json_names_uploads_and_links(send: Form, form: Form, inline: list[int], client: Client, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    upload = client.post("/v1/files", data={"content": file(png())}, headers=headers).json()
    link = form(image__=[png(), png(96, 64)], prompt="x", response_format="url").json()["data"][0]["url"]
    images = [{"file_id": upload["id"], "image_url": None}, {"image_url": link}]
    assert picture(send(images=images, prompt="x"))
    assert picture(send(images=[{"image_url": upload["urls"]["get"]}], mask=uri(transparent()), prompt="x"))


def test_a_url_is_fetched_once_where_its_size_matters(
    send: Form, inline: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def fetch(team_id: int, url: str) -> inputs.Source:
        fetched.append(url)
        return inputs.Source(png() if "image" in url else transparent())

    monkeypatch.setitem(inputs._READERS, "https://", fetch)
    images = [{"image_url": "https://example.com/image.png"}]
    assert picture(send(images=images, mask={"image_url": "https://example.com/mask.png"}, prompt="x", size="64x64"))
    assert sorted(fetched) == ["https://example.com/image.png", "https://example.com/mask.png"]


def test_long_base64_is_decoded_where_it_lies(send: Form, inline: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((200, 200), 100).save(buffer, "PNG")
    noise = buffer.getvalue()
    assert len(noise) > 2 * bodies.LONG
    monkeypatch.setitem(inputs._READERS, "data:", lambda *_: pytest.fail("it was made a text of"))
    assert picture(send(images=[uri(noise), uri(noise)], prompt="x"))
    assert delivery.read(Asset.objects.get().file) == noise


@QUICK
@pytest.mark.parametrize(
    ("images", "where"),
    [
        ("x", "images"),
        ({}, "images"),
        (["data:…"], "images"),
        ([{}], "images[0]"),
        ([{"image_url": 1}], "images[0]"),
        ([{"image_url": "a", "file_id": "b"}], "images[0]"),
        ([{"url": "https://example.com"}], "images[0]"),
        ([uri(png()), {"file_id": "file-123"}], "images[1]"),
        ([uri(png()), {"image_url": "nonsense!"}], "images[1]"),
        ([uri(png()), {"file_id": "00000000-0000-0000-0000-000000000001"}], "images[1]"),
        ([uri(png())] * 3, "image"),
        ([], "model"),
    ],
)
def test_json_pictures_that_are_none(send: Form, unpublished: list[int], images: Any, where: str) -> None:
    assert param(send(images=images, prompt="x")) == where
    assert not Generation.objects.exists()


# --- what does not go together ------------------------------------------------------------------------------


@QUICK
@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"image": png()}, "model", ["bg-replace", "sdxl-inpaint", "mask"]),
        ({"prompt": "x", "model": "bg-replace"}, "image", ["image is required"]),
        ({"image": png(), "mask": transparent()}, "prompt", ["prompt is required"]),
        ({"image": png(), "model": "bg-replace"}, "ref_image", ["ref_image is required"]),
        ({"image__": [png()] * 3}, "image", ["bg-replace takes 2 at most; got 3"]),
        ({"image__": [png()] * 2, "model": "sdxl-inpaint"}, "image", ["sdxl-inpaint takes 1 at most; got 2"]),
        ({"image__": [png()] * 2, "mask": transparent()}, "mask", ['"mask" is not a parameter of bg-replace']),
        ({"image__": [png()] * 2, "ref_image": png()}, "ref_image", ["twice"]),
        ({"image__": [png(), b"no picture"]}, "image[1]", ["image[1]: the file is not a picture"]),
        ({"image": b"no picture", "mask": transparent()}, "image", ["image: the file is not a picture"]),
        ({"image": png(), "mask": b"no picture"}, "mask", ["mask: the file is not a picture"]),
        ({"image": png(), "mask": transparent()[:-40]}, "mask", ["mask:"]),
        ({"image": png(), "mask": png()}, "mask", ["no transparency", "alpha 0"]),
        ({"image": png(), "mask": transparent(65, 64)}, "mask", ["65 × 64", "64 × 64", "one size"]),
        ({"image": png()}, "", []),
        ({"image__": [png()] * 2, "n": "9"}, "n", ["n must be a whole number from 1 to 4", '"9"']),
        ({"image__": [png()] * 2, "n": "2", "samples": "2"}, "n", ["n and samples say the same"]),
        ({"image__": [png()] * 2, "stream": "true"}, "stream", ["stream must be false"]),
        ({"image__": [png()] * 2, "partial_images": "2"}, "partial_images", ["partial_images"]),
        ({"image__": [png()] * 2, "background": "transparent"}, "background", ["auto", "opaque", '"transparent"']),
        ({"image__": [png()] * 2, "output_format": "gif"}, "output_format", ["png", "jpeg", "webp", '"gif"']),
        ({"image__": [png()] * 2, "output_compression": "50"}, "output_compression", ["must be 100", "png"]),
        ({"image__": [png()] * 2, "output_compression": "101"}, "output_compression", ["0 to 100"]),
        (
            {"image__": [png()] * 2, "output_compression": "5", "output_format": "webp", "response_format": "url"},
            "output_compression",
            ["b64_json"],
        ),
        ({"image__": [png()] * 2, "response_format": "json"}, "response_format", ["b64_json", "url"]),
        ({"image__": [png()] * 2, "size": "large"}, "size", ["512x512", '"large"']),
        ({"image__": [png()] * 2, "quality": "best"}, "quality", ["auto", '"best"']),
        ({"image__": [png()] * 2, "markup": png()}, "markup", ['"markup" is not a parameter of bg-replace']),
        ({"image__": [png()] * 2, "svg[model]": "x"}, "svg[model]", ["not a parameter"]),
        ({"image__": [png()] * 2, "strength": "2"}, "strength", ["strength must be a number from 0 to 1"]),
        (
            {"model": "sd1.5-inpainting", "image": png(), "mask": transparent(), "size": "1024x1024"},
            "size",
            ["size must be", "512, 768"],
        ),
        (
            {"model": "sd1.5-inpainting", "image": png(), "mask": transparent(), "size": "512x512", "img_width": "512"},
            "size",
            ["size and img_width say the same"],
        ),
    ],
)
def test_400_names_the_field(
    form: Form, unpublished: list[int], team: Team, fields: dict[str, Any], where: str, words: list[str]
) -> None:
    if not where:  # it is transparent, but nowhere by half
        fields["mask"] = encode.png(np.full((64, 64, 4), 200, np.uint8))
        where, words = "mask", ["nothing of it is transparent"]
    prompt = {} if "prompt is required" in words else {"prompt": "x"}
    answer = form(**{**prompt, **fields})
    assert param(answer) == where, answer.json()
    error = answer.json()["error"]
    assert all(word in error["message"] for word in words), error
    assert (error["type"], answer["x-should-retry"]) == ("invalid_request_error", "false")
    assert not Generation.objects.exists()
    assert ledger.balance(team.pk).held == 0


@QUICK
def test_every_error_at_once(form: Form, unpublished: list[int]) -> None:
    message = form(image__=[png()] * 2, n="9", seed="x", strength="7").json()["error"]["message"]
    assert all(word in message for word in ("prompt is required", "n must be", "seed must be", "strength must be"))


@QUICK
def test_every_option_is_in_the_text() -> None:
    """The table that the module shows names every field that it knows."""
    text = openai_options.__doc__ or ""
    assert all(name in text for name in openai_options.OPTIONS)


# --- once, and how much it costs ----------------------------------------------------------------------------


def test_the_same_key_is_the_same_job(form: Form, inline: list[int]) -> None:
    fields = {"image__": [png(), png(96, 64)], "prompt": "x", "headers": {"idempotency-key": "order-1"}}
    first, second = form(**fields), form(**fields)
    assert first.json()["data"] == second.json()["data"]
    assert Generation.objects.count() == 1
    other = form(**{**fields, "prompt": "y"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    with_mask = {"image": png(), "mask": transparent(), "prompt": "x", "headers": {"idempotency-key": "order-2"}}
    assert form(**with_mask).json()["data"] == form(**with_mask).json()["data"]
    assert Generation.objects.count() == 2


def test_an_edit_costs_the_queries_of_a_run(
    form: Form, client: Client, key: str, inline: list[int], engines: Configure
) -> None:
    """A mask or a size that has to be looked at costs none."""

    def queries(ask: Callable[[], Any]) -> int:
        for _ in range(2):  # the pictures are stored, then found, and known from here on
            ask()
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        # Who asks is known for two seconds.
        return sum("accounts_apikey" not in str(each["sql"]) for each in captured.captured_queries)

    pair = [png(), png(96, 64)]
    run = queries(
        lambda: client.post(
            "/v1/bg-replace",
            data={"image": file(pair[0]), "ref_image": file(pair[1]), "prompt": "x"},
            headers={"x-api-key": key},
        )
    )
    assert queries(lambda: form(image__=pair, prompt="x")) == run
    assert queries(lambda: form(image__=pair, prompt="x", size="64x64")) == run
    assert queries(lambda: form(image=png(), mask=transparent(), prompt="x")) == run
