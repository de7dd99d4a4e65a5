"""The unmodified `segmind` client from PyPI, and the published samples, against a live server and real workers."""

import base64
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import segmind
from django.conf import LazySettings
from PIL import Image
from pytest_django.live_server_helper import LiveServer
from segmind.exceptions import SegmindError
from segmind.v2 import InferenceFailed

from accounts.models import User
from generations import catalogue
from generations.models import Asset, Generation
from tests.jobs import mask, png
from tests.live import Workers

Call = Callable[[segmind.SegmindClient], Any]

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

SAMPLE = Path(__file__).parent / "node" / "sample.mjs"


@pytest.fixture
def base(live_server: LiveServer, settings: LazySettings, workers: Workers) -> str:
    """A server whose jobs real workers do; its address is PUBLIC_URL, as it is in an installation."""
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    workers.start("compute")
    workers.ready(1)
    return str(settings.PUBLIC_URL)


class ToHost(httpx.HTTPTransport):
    """Sends what the client addresses to its maker's hosts to ours."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = httpx.URL(base)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self.base.host, port=self.base.port)
        request.headers["host"] = f"{self.base.host}:{self.base.port}"
        return super().handle_request(request)


@pytest.fixture
def client(base: str, key: str) -> segmind.SegmindClient:
    made = segmind.SegmindClient(api_key=key, base_url=f"{base}/v1")
    made._client = httpx.Client(headers=made._client.headers, base_url=f"{base}/v1", transport=ToHost(base), timeout=30)
    return made


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_run_sync_run_and_files(client: segmind.SegmindClient, pictures: Callable[[str, bytes], Path]) -> None:
    uploaded = client.files.upload([pictures("subject.png", png()), pictures("beach.png", png(96, 64))])
    subject, beach = uploaded["file_urls"]
    answer = client.run_sync("bg-replace", image=subject, ref_image=beach, prompt="a beach", seed="7", samples="1")
    assert Image.open(io.BytesIO(answer.content)).size == (64, 64)
    assert answer.headers["x-seed-value"] == "7"
    done = client.run("bg-replace", image=subject, ref_image=beach, prompt="a beach", negativePrompt="people")
    assert done["status"] == "COMPLETED"
    assert httpx.get(done["output"]).headers["content-type"] == "image/jpeg"


def test_submit_status_wait_and_failure(client: segmind.SegmindClient) -> None:
    images = {"image": b64(png()), "ref_image": b64(png())}
    job = client.submit_async("bg-replace", prompt="@delay=0.5", **images)
    assert job.status()["status"] in {"QUEUED", "PROCESSING"}
    assert job.wait(timeout=30, interval=0.1)["status"] == "COMPLETED"
    with pytest.raises(InferenceFailed, match="the script says unavailable"):
        client.submit_async("bg-replace", prompt="@fail=unavailable", **images).wait(timeout=30, interval=0.1)


def which(answer: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the rows of an answer, without the links in them, which are signed anew at each."""
    rows = answer.get("requests", answer.get("generations", []))
    return [(row["request_id"], row["seed"]) for row in rows]


def test_the_record(client: segmind.SegmindClient, member: User, base: str) -> None:
    images = {"image": b64(png()), "ref_image": b64(png(96, 64))}
    client.run_sync("bg-replace", prompt="@cost=0.01 two", samples=2, seed=3, **images)
    with pytest.raises(SegmindError):
        client.run_sync("bg-replace", prompt="@fail=unavailable", **images)
    failed, first, second = client.generations.history()["requests"]
    assert (failed["model_status"], failed["error"], failed["generation_url"]) == (
        "FAILED",
        "the script says unavailable",
        None,
    )
    pictures = [(first["request_id"], 3), (first["request_id"], 4)]
    assert [(row["model_status"], row["seed"]) for row in (first, second)] == [("COMPLETED", 3), ("COMPLETED", 4)]
    assert first["credits_deduction"] == second["credits_deduction"] > 0
    assert httpx.get(second["generation_url"]).headers["content-type"] == "image/jpeg"
    assert client.generations.get(first["request_id"])["request_body"]["prompt"] == "@cost=0.01 two"
    again = {"image": first["request_body"]["image"], "ref_image": first["request_body"]["ref_image"]}
    assert set(again.values()) == {f"{base}/files/{asset.id}" for asset in Asset.objects.all()}
    assert which(client.generations.list(model_name="bg-replace")) == pictures
    assert which(client.generations.recent("bg-replace")) == pictures
    assert which(client.generations.recent("sdxl-inpaint")) == []
    narrowed = client.generations.history(
        page=1,
        per_page=1,
        status="COMPLETED",
        user_email=member.email,
        sort_by="credits_deduction",
        sort_order="asc",
        model_name="bg-",
    )
    assert (which(narrowed), narrowed["next_page"]) == (pictures[:1], 2)
    account = client.accounts.current()
    assert (account["email"], account["credits"]["total"]) == (member.email, 25.0)
    assert account["credits"]["used"] == first["credits_deduction"]
    assert len(which(client.generations.history(user_id=account["user_id"], status="FAILED"))) == 1
    assert which(client.generations.list(user_id=account["user_id"])) == pictures


def test_the_models(client: segmind.SegmindClient) -> None:
    assert {model["slug"] for model in client.models.list()["models"]} == set(catalogue.MODELS)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.generations.history(sort_by="price"),
        lambda client: client.generations.get("no-such-request"),
        lambda client: client.webhooks.get(),
        lambda client: client.webhooks.add("https://example.com", ["PIXELFLOW"]),
        lambda client: client.pixelflows.run(workflow_id="mine-v1", data={}),
        lambda client: client.pixelflows.get_status(poll_id="1"),
        lambda client: client.finetune.list(),
    ],
    ids=["sort", "request", "webhooks", "webhook", "workflow", "run", "finetune"],
)
def test_what_there_is_not_is_the_clients_own_error(client: segmind.SegmindClient, call: Call) -> None:
    with pytest.raises(SegmindError) as caught:
        call(client)
    assert caught.value.status in {400, 404}
    assert caught.value.detail


def test_errors_are_the_clients_own(client: segmind.SegmindClient) -> None:
    with pytest.raises(SegmindError) as caught:
        client.run_sync("bg-replace", prompt="a beach")
    assert caught.value.status == 400
    assert "image" in str(caught.value.detail)
    client._client.headers["x-api-key"] = "ss_wrong"
    with pytest.raises(SegmindError) as caught:
        client.run_sync("bg-replace", prompt="a beach")
    assert caught.value.status == 401


@pytest.fixture
def sample(base: str, key: str) -> Callable[[str, dict[str, Any]], requests.Response]:
    """The published Python sample: its `data`, its `requests.post`, with host and key changed."""

    def run(slug: str, data: dict[str, Any]) -> requests.Response:
        return requests.post(f"{base}/v1/{slug}", json=data, headers={"x-api-key": key}, timeout=60)

    return run


def test_the_published_samples(sample: Callable[[str, dict[str, Any]], requests.Response]) -> None:
    data = {
        "image": b64(png()),
        "ref_image": b64(png()),
        "prompt": "Perfume bottle placed on top of a rock, in a jungle",
        "negative_prompt": "bad quality, painting, blur",
        "samples": 1,
        "scheduler": "DDIM",
        "num_inference_steps": 25,
        "guidance_scale": 7.5,
        "seed": 12467,
        "strength": 1,
        "cn_weight": 0.9,
        "ip_adapter_weight": 0.5,
        "base64": False,
    }
    assert Image.open(io.BytesIO(sample("bg-replace", data).content)).format == "JPEG"
    assert base64.b64decode(sample("bg-replace", {**data, "base64": True}).json()["image"])[:2] == b"\xff\xd8"
    inpaint = {
        "prompt": "a sofa",
        "image": b64(png()),
        "mask": b64(mask()),
        "base_model": "Real Vision XL",
        "cn_model": "Canny",
        "cn_processor": "DPM++ 2M SDE Karras",
        "scheduler": "DPM++ 2M SDE Karras",
    }
    assert sample("inpaint-auto", inpaint).status_code == 200
    assert Generation.objects.filter(params__cn_processor="auto").exists()


@pytest.mark.parametrize(("inline", "content_type"), [("", "image/jpeg"), ("base64", "application/json")])
def test_the_published_axios_sample(
    base: str, key: str, pictures: Callable[[str, bytes], Path], tmp_path: Path, inline: str, content_type: str
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node on PATH")
    out = tmp_path / "out.jpg"
    arguments: list[str | Path] = [
        base,
        pictures("subject.png", png()),
        pictures("beach.png", png(96, 64)),
        out,
        inline,
    ]
    done = subprocess.run(
        [node, SAMPLE, *arguments],
        env={"PATH": "", "SCENESHIFT_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == content_type
    assert Image.open(out).format == "JPEG"
