"""The unmodified `replicate` clients from PyPI and npm, against a live server and real workers."""

import asyncio
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from PIL import Image
from pytest_django.live_server_helper import LiveServer
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.pagination import paginate

from generations.models import Asset, Generation
from generations.models.generation import Door, Status
from tests.jobs import png
from tests.live import Workers

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

SCRIPT = Path(__file__).parent / "node" / "replicate.mjs"
MODEL = "official/bg-replace"
Inputs = Callable[..., dict[str, Any]]


@pytest.fixture
def base(live_server: LiveServer, settings: LazySettings, workers: Workers) -> str:
    """A server whose jobs real workers do; its address is PUBLIC_URL, as it is in an installation."""
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    workers.start("compute")
    workers.ready(1)
    return str(settings.PUBLIC_URL)


@pytest.fixture
def client(base: str, key: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.1")
    return Client(api_token=key, base_url=base)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Return a function that gives an input as people write it: open files, paths, buffers."""
    (tmp_path / "subject.png").write_bytes(png(80, 60))

    def make(prompt: str = "a beach", **more: Any) -> dict[str, Any]:
        image = (tmp_path / "subject.png").open("rb")
        return {"image": image, "ref_image": io.BytesIO(png(96, 64)), "prompt": prompt, **more}

    return make


def size(url: str) -> tuple[int, int]:
    answer = httpx.get(url)
    assert answer.headers["content-type"] == "image/jpeg"
    return Image.open(io.BytesIO(answer.content)).size


def test_run_uploads_waits_and_returns_the_output(client: Client, inputs: Inputs) -> None:
    assert size(run(client, MODEL, inputs(seed=7))) == (80, 60)
    generation = Generation.objects.get()
    assert (generation.door, generation.seed) == (Door.JOBS, 7)


def run(client: Client, ref: str, given: dict[str, Any], **more: Any) -> str:
    """Return the only output of a run."""
    output: Any = client.run(ref, input=given, **more)
    assert len(output) == 1
    return str(output[0])


def test_run_of_a_version_and_without_waiting(client: Client, inputs: Inputs) -> None:
    version = client.models.get(MODEL).latest_version
    assert version
    assert size(run(client, f"{MODEL}:{version.id}", inputs())) == (80, 60)
    assert size(run(client, MODEL, inputs("@delay=0.5"), wait=False)) == (80, 60)
    assert client.models.get(MODEL).versions.list()[0] == version


def test_run_that_outlasts_its_wait_goes_on_by_polling(client: Client, inputs: Inputs) -> None:
    assert size(run(client, MODEL, inputs("@delay=1.5"), wait=1)) == (80, 60)
    assert Generation.objects.count() == 1


def test_create_wait_reload(client: Client, inputs: Inputs) -> None:
    made = client.predictions.create(model=MODEL, input=inputs("@delay=0.5"))
    assert made.status == "starting"
    assert made.urls
    made.reload()
    assert made.status in {"starting", "processing"}
    made.wait()
    assert (made.status, made.error) == ("succeeded", None)
    assert made.metrics
    assert made.metrics["cost"] > 0
    assert made.completed_at
    again = client.predictions.get(made.id)
    assert (again.input, again.logs) == (made.input, made.logs)


def test_a_failed_run_is_the_client_s_model_error(client: Client, inputs: Inputs) -> None:
    with pytest.raises(ModelError, match="the script says unavailable") as caught:
        client.run(MODEL, input=inputs("@fail=unavailable"))
    assert caught.value.prediction.status == "failed"


def test_cancel(client: Client, inputs: Inputs) -> None:
    made = client.predictions.create(version=MODEL, input=inputs("@delay=20"))
    made.cancel()
    assert made.status == "canceled"
    assert client.predictions.get(made.id).status == "canceled"
    assert Generation.objects.get().status == Status.CANCELED


def test_lists_and_pages(client: Client, inputs: Inputs, base: str) -> None:
    raw = inputs()
    made = [client.predictions.create(model=MODEL, input=raw).id for _ in range(3)]
    assert [each.id for each in client.predictions.list()] == made[::-1]
    pages = list(paginate(lambda cursor: client.predictions.list(_small(cursor, base))))
    assert [each.id for page in pages for each in page] == made[::-1]
    assert len(pages) == 2
    back = client.predictions.list(pages[1].previous)
    assert [each.id for each in back] == made[:0:-1]
    assert client.models.list()[0].name == "bg-replace"
    assert client.accounts.current().type == "organization"


def _small(cursor: Any, base: str) -> Any:
    return f"{base}/v1/predictions?limit=2" if cursor is ... else cursor


def test_files(client: Client, tmp_path: Path, inputs: Inputs) -> None:
    path = tmp_path / "beach.png"
    path.write_bytes(png(50, 40))
    file = client.files.create(path, metadata={"shelf": 7})
    assert (file.name, file.content_type, file.metadata) == ("beach.png", "image/png", {"shelf": 7})
    assert client.files.get(file.id) == file
    assert client.files.list() == [file]
    client.run(MODEL, input=inputs(ref_image=file.urls["get"]))
    assert Generation.objects.get().inputs["ref_image"] == str(Asset.objects.get(width=50).id)
    assert client.files.delete(file.id) is True
    with pytest.raises(ReplicateError) as caught:
        client.run(MODEL, input=inputs(ref_image=file.urls["get"]))
    assert caught.value.status == 422


def test_errors_are_the_client_s_own(client: Client, inputs: Inputs, base: str) -> None:
    with pytest.raises(ReplicateError) as caught:
        client.run(MODEL, input=inputs(promt="x"))
    assert (caught.value.status, caught.value.title) == (422, "Invalid input")
    assert "did you mean prompt" in str(caught.value.detail)
    with pytest.raises(ReplicateError) as caught:
        client.models.get("nobody/nothing")
    assert caught.value.status == 404
    with pytest.raises(ReplicateError) as caught:
        Client(api_token="ss_wrong", base_url=base).predictions.list()
    assert caught.value.status == 401
    assert str(caught.value.type).startswith(f"{base}/docs/errors#")


def test_the_asynchronous_client(client: Client, inputs: Inputs) -> None:
    with ThreadPoolExecutor(1) as pool:  # a browser test may have left a loop running in this thread
        output: Any = pool.submit(lambda: asyncio.run(client.async_run(MODEL, input=inputs()))).result()
    assert size(output[0]) == (80, 60)


def test_the_node_client(base: str, key: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (SCRIPT.parent / "node_modules" / "replicate").exists():
        pytest.skip("needs node on PATH, and npm for its clients")
    for name, width in (("subject.png", 80), ("beach.png", 96)):
        (tmp_path / name).write_bytes(png(width, 60))
    done = subprocess.run(
        [node, SCRIPT, base, tmp_path / "subject.png", tmp_path / "beach.png"],
        env={"PATH": "", "SCENESHIFT_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["run"] == {"outputs": 1, "type": "image/jpeg", "last": "succeeded"}
    assert said["pinned"] == 1
    assert said["slow"] == {"first": "starting", "last": "succeeded"}
    assert said["wait"] == {"status": "succeeded", "same": True, "cost": True}
    assert said["failure"] == "Prediction failed: the script says unavailable"
    assert said["cancel"] == {"status": "canceled", "again": "canceled"}
    assert said["list"] == Generation.objects.count() == 6
    assert said["models"][0] == "bg-replace"
    assert said["account"] == "organization"
    assert said["file"] == {"name": "subject.png", "metadata": {"shelf": 7}, "listed": True}
    assert said["deleted"] is True
    assert (said["error"]["name"], said["error"]["status"]) == ("ApiError", 422)
    assert "did you mean prompt" in said["error"]["message"]
