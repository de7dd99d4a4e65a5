"""The unmodified `openai` clients, from PyPI and from npm, against a live server and real workers."""

import base64
import io
import json
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from django.conf import LazySettings
from openai.types import ImagesResponse
from PIL import Image
from pytest_django.live_server_helper import LiveServer

from accounts import keys, ledger
from accounts.credits import MICRO
from accounts.models import Membership, Team
from generations import catalogue
from generations.models import Generation
from generations.models.generation import Door, Status
from tests.jobs import png
from tests.live import Workers, all_ended, until
from tests.test_openai_api import transparent, uri

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

SCRIPT = Path(__file__).parent / "node" / "openai.mjs"
SUBJECT, BEACH = png(), png(96, 64, (10, 90, 200))


@pytest.fixture
def base(live_server: LiveServer, settings: LazySettings, workers: Workers) -> str:
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    workers.start("compute")
    workers.ready(1)
    return str(settings.PUBLIC_URL)


@pytest.fixture
def client(base: str, key: str) -> openai.OpenAI:
    """The client as anyone makes it: base URL and key, its own timeouts and its own two retries."""
    return openai.OpenAI(api_key=key, base_url=f"{base}/v1")


def picture(answer: ImagesResponse, number: int = 0) -> Image.Image:
    assert answer.data
    return Image.open(io.BytesIO(base64.b64decode(answer.data[number].b64_json or "")))


def test_edits(client: openai.OpenAI) -> None:
    answer = client.images.edit(image=[SUBJECT, BEACH], prompt="@cost=0.01 a beach")
    assert (picture(answer).format, picture(answer).size) == ("PNG", (64, 64))
    assert (answer.output_format, answer.size, answer.background) == ("png", "64x64", "opaque")
    assert answer.usage
    assert answer.usage.total_tokens == 0
    row = Generation.objects.get()
    assert (row.model, row.door, answer.usage.to_dict()["cost"]) == ("bg-replace", Door.OPENAI, (row.cost or 0) / MICRO)
    with_mask = client.images.edit(image=("sofa.png", io.BytesIO(SUBJECT)), mask=transparent(), prompt="a sofa")
    assert picture(with_mask).size == (64, 64)
    assert Generation.objects.filter(model="sdxl-inpaint").count() == 1


def test_every_kind_of_argument(client: openai.OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "subject.png"
    path.write_bytes(SUBJECT)
    with path.open("rb") as opened:
        answer = client.images.edit(
            model="sd1.5-inpainting",
            image=opened,
            mask=transparent(),
            prompt="a sofa",
            n=2,
            size="768x512",
            output_format="webp",
            output_compression=60,
            quality="high",
            background="auto",
            input_fidelity="high",
            user="a customer",
            stream=False,
            extra_body={"seed": 7, "guidance_scale": 6.5, "scheduler": "DDIM", "negative_prompt": "people"},
        )
    assert answer.data
    assert len(answer.data) == 2
    assert (picture(answer, 1).format, picture(answer, 1).size, answer.size) == ("WEBP", (768, 512), "768x512")
    params = Generation.objects.get().params
    wanted = {"seed": 7, "guidance_scale": 6.5, "scheduler": "DDIM", "negative_prompt": "people", "samples": 2}
    assert {name: params[name] for name in wanted} == wanted


def test_links_and_headers(client: openai.OpenAI) -> None:
    raw = client.images.with_raw_response.edit(
        image=[SUBJECT, BEACH], prompt="x", response_format="url", output_format="jpeg", quality="low"
    )
    answer = raw.parse()
    assert answer.data
    shown = httpx.get(answer.data[0].url or "")
    assert (shown.headers["content-type"], Image.open(io.BytesIO(shown.content)).format) == ("image/jpeg", "JPEG")
    assert raw.headers["x-ignored-parameters"] == "quality"
    assert raw.headers["x-request-id"] == str(Generation.objects.get().id)


def test_an_app_that_names_a_model_of_openais(client: openai.OpenAI) -> None:
    pictures: list[tuple[dict[str, Any], str]] = [
        ({"model": "gpt-image-1", "image": [SUBJECT, BEACH]}, "bg-replace"),
        ({"model": "dall-e-2", "image": SUBJECT, "mask": transparent()}, "sdxl-inpaint"),
    ]
    for arguments, model in pictures:
        raw = client.images.with_raw_response.edit(prompt="x", **arguments)
        assert picture(raw.parse()).format == "PNG"
        assert (raw.headers["x-model"], raw.headers["x-ignored-parameters"]) == (model, "model")


def test_json_as_the_reference_of_openai_has_it(client: openai.OpenAI) -> None:
    body = {"images": [uri(SUBJECT), uri(BEACH)], "prompt": "x", "n": 1}
    assert picture(client.post("/images/edits", body=body, cast_to=ImagesResponse)).format == "PNG"


def test_models(client: openai.OpenAI) -> None:
    assert {model.id for model in client.models.list()} >= set(catalogue.MODELS)
    assert client.models.retrieve("bg-replace").owned_by


REFUSED: list[tuple[dict[str, Any], type[openai.APIStatusError], str | None, str]] = [
    ({"prompt": ""}, openai.BadRequestError, "prompt", "invalid_value"),
    ({"mask": png(), "image": SUBJECT}, openai.BadRequestError, "mask", "invalid_value"),
    ({"mask": transparent(60, 60), "image": SUBJECT}, openai.BadRequestError, "mask", "invalid_value"),
    ({"extra_body": {"colour": "red"}}, openai.BadRequestError, "colour", "invalid_value"),
    ({"background": "transparent"}, openai.BadRequestError, "background", "invalid_value"),
    ({"stream": True}, openai.BadRequestError, "stream", "invalid_value"),
    ({"model": "gpt-5"}, openai.NotFoundError, "model", "model_not_found"),
    ({"prompt": "@fail=rejected"}, openai.BadRequestError, None, "rejected"),
]


def test_errors_are_the_clients_own(client: openai.OpenAI) -> None:
    for arguments, kind, param, code in REFUSED:
        with pytest.raises(kind) as caught:
            client.images.edit(**{"image": [SUBJECT, BEACH], "prompt": "x", **arguments})
        said = (caught.value.param, caught.value.code, caught.value.type)
        assert said == (param, code, "invalid_request_error"), arguments
        assert caught.value.request_id


def test_who_may_not(client: openai.OpenAI, base: str, membership: Membership, team: Team) -> None:
    def edit(key: str) -> None:
        openai.OpenAI(api_key=key, base_url=f"{base}/v1").images.edit(image=[SUBJECT, BEACH], prompt="x")

    with pytest.raises(openai.AuthenticationError) as wrong:
        edit("sk-wrong")
    assert wrong.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError):
        edit(keys.create(membership, name="reader", scopes=["read"])[1])
    ledger.adjust(team.pk, -25 * MICRO + 1, reference=uuid.uuid4(), note="spent")
    with pytest.raises(openai.RateLimitError) as poor:
        edit(client.api_key)
    assert (poor.value.code, poor.value.type) == ("insufficient_quota", "insufficient_quota")


def test_a_client_waits_for_its_turn(client: openai.OpenAI, settings: LazySettings, base: str) -> None:
    """A 429 that says when to come back is obeyed by the client itself."""
    settings.TEAM_JOBS_IN_FLIGHT = 1
    quick = openai.OpenAI(api_key=client.api_key, base_url=f"{base}/v1", timeout=0.5, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        quick.images.edit(image=[SUBJECT, BEACH], prompt="@delay=3 first")
    raw = client.images.with_raw_response.edit(image=[SUBJECT, BEACH], prompt="second")
    assert (raw.status_code, raw.retries_taken) == (200, 1)
    assert Generation.objects.filter(status=Status.SUCCEEDED).count() == 2


# --- no answer makes a second job ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "deadline", "kind", "code"),
    [
        ("@fail=unavailable", 180, openai.InternalServerError, "engine_failed"),
        ("@fail=unknown", 180, openai.InternalServerError, "engine_failed"),
        ("@delay=1.5", 0.5, openai.InternalServerError, "out_of_time"),
    ],
    ids=["failed", "unknown", "late"],
)
def test_a_job_that_was_accepted_is_never_asked_for_again(
    client: openai.OpenAI,
    settings: LazySettings,
    team: Team,
    prompt: str,
    deadline: float,
    kind: type[openai.APIStatusError],
    code: str,
) -> None:
    settings.V1_DEADLINE = deadline
    with pytest.raises(kind) as caught:
        client.images.edit(image=[SUBJECT, BEACH], prompt=prompt)
    row = Generation.objects.get()
    assert (caught.value.code, caught.value.request_id) == (code, str(row.id))
    until(all_ended, 20)
    row = Generation.objects.get()
    assert row.status == (Status.SUCCEEDED if code == "out_of_time" else Status.FAILED)
    assert ledger.balance(team.pk).held == 0


def test_what_a_caller_abandons_is_kept(client: openai.OpenAI, base: str) -> None:
    quick = openai.OpenAI(api_key=client.api_key, base_url=f"{base}/v1", timeout=0.6, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        quick.images.edit(image=[SUBJECT, BEACH], prompt="@delay=1.5")
    until(all_ended, 20)
    assert Generation.objects.get().outputs.count() == 1


def test_a_key_makes_one_job_of_a_client_that_times_out_and_tries_again(client: openai.OpenAI, base: str) -> None:
    quick = openai.OpenAI(api_key=client.api_key, base_url=f"{base}/v1", timeout=1.5)
    answer = quick.images.edit(image=[SUBJECT, BEACH], prompt="@delay=2", extra_headers={"Idempotency-Key": "order-17"})
    assert picture(answer).size == (64, 64)
    assert Generation.objects.count() == 1


# --- npm ----------------------------------------------------------------------------------------------------


@pytest.fixture
def node(base: str, key: str, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that has the Node client edit pictures, and returns what it saw."""
    binary = shutil.which("node")
    if binary is None:
        pytest.skip("needs node on PATH")
    if not (SCRIPT.parent / "node_modules" / "openai").exists():
        pytest.skip("needs npm's openai in tests/node")
    paths = {}
    for name, data in {"subject": SUBJECT, "beach": BEACH, "mask": transparent()}.items():
        paths[name] = tmp_path / f"{name}.png"
        paths[name].write_bytes(data)

    def run(*pictures: str, **fields: Any) -> dict[str, Any]:
        asked = {"pictures": [str(paths[name]) for name in pictures if name != "mask"], "fields": fields}
        if "mask" in pictures:
            asked["mask"] = str(paths["mask"])
        done = subprocess.run(
            [binary, SCRIPT, base, json.dumps(asked)],
            env={"PATH": "", "SCENESHIFT_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def test_node_edits(node: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    seen = node("subject", "beach", prompt="a beach", n=2, seed=9, output_format="webp")
    assert (seen["output_format"], seen["size"], len(seen["data"])) == ("webp", "64x64", 2)
    assert Image.open(io.BytesIO(base64.b64decode(seen["data"][0]["b64_json"]))).format == "WEBP"
    assert Generation.objects.get().seed == 9
    seen = node("subject", "mask", prompt="a sofa", response_format="url")
    assert httpx.get(seen["data"][0]["url"]).headers["content-type"] == "image/png"
    assert Generation.objects.filter(model="sdxl-inpaint", status=Status.SUCCEEDED).count() == 1
    assert set(seen["models"]) >= set(catalogue.MODELS)


def test_node_errors_are_the_clients_own_and_make_one_job_at_most(
    node: Callable[..., dict[str, Any]], settings: LazySettings
) -> None:
    def ask(**fields: Any) -> tuple[str, str, int, int]:
        before = Generation.objects.count()
        seen = node("subject", "beach", **fields)
        return seen["error"], seen["code"], seen["status"], Generation.objects.count() - before

    assert ask(prompt="@fail=unavailable") == ("InternalServerError", "engine_failed", 502, 1)
    assert ask(prompt="@fail=rejected") == ("BadRequestError", "rejected", 400, 1)
    assert ask(prompt="x", model="gpt-5") == ("NotFoundError", "model_not_found", 404, 0)
    assert ask(prompt="x", n=9) == ("BadRequestError", "invalid_value", 400, 0)
    settings.V1_DEADLINE = 0.5
    assert ask(prompt="@delay=1.5") == ("InternalServerError", "out_of_time", 504, 1)
    until(all_ended, 20)
