"""The code on the documentation's pages runs: each file by its own interpreter, against a live server and real workers.

What is run is what a page shows, with the address of the test's server in the place of the installation's.
"""

import contextlib
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.utils import timezone
from PIL import Image
from pytest_django.live_server_helper import LiveServer

from accounts.models import Team
from generations import code_samples
from generations.models import Generation, Webhook
from generations.models.generation import Status
from generations.webhooks import signing
from tests import loopback
from tests.jobs import png
from tests.live import Workers

ROOT = Path(__file__).parent.parent
MODULES = ROOT / "tests" / "node" / "node_modules"
RUN = {"curl": ["bash", "-eu"], "python": [sys.executable], "node": ["node"]}
EVERY = sorted(path for path in code_samples.FOLDER.iterdir() if path.is_file())
VERIFIERS = [path for path in EVERY if path.stem == "verify"]
TOLD = [path for path in EVERY if path.stem == "subscribe"]
"""Code that is run elsewhere: it names an address of the reader's."""
RUNNABLE = [path for path in EVERY if path not in (*VERIFIERS, *TOLD)]

VECTOR: dict[str, Any] = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "headers": {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    "body": '{"test": 2432232314}',
    "now": 1614265331,
}
"""The Standard Webhooks specification's own."""


@pytest.fixture
def site(live_server: LiveServer, settings: LazySettings, workers: Workers) -> str:
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    workers.start("compute")
    workers.ready(1)
    return str(settings.PUBLIC_URL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a reader has it: the pictures that the code names, and what npm installed."""
    made = tmp_path / "reader"
    made.mkdir()
    product = Image.open(io.BytesIO(png(96, 96)))
    product.save(made / "product.jpg")
    Image.open(ROOT / "static" / "demo" / "beach.jpg").resize((96, 96)).save(made / "background.jpg")
    mask = Image.new("RGBA", (96, 96), "white")
    mask.paste((0, 0, 0, 0), (24, 24, 72, 72))
    mask.save(made / "mask.png")
    (made / "node_modules").symlink_to(MODULES)
    return made


def test_the_mask_that_is_offered_fits_the_picture_beside_it() -> None:
    demo = ROOT / "static" / "demo"
    with Image.open(demo / "perfume-mask.png") as mask, Image.open(demo / "perfume.jpg") as picture:
        assert mask.size == picture.size
        kept = mask.getchannel("A").histogram()
    share = kept[255] / sum(kept)
    assert kept[0] + kept[255] == sum(kept)
    assert 0.05 < share < 0.6


def run(path: Path, site: str, key: str, folder: Path) -> None:
    language = code_samples.LANGUAGES[path.suffix][0]
    program = RUN[language]
    if not shutil.which(program[0]) or (language == "curl" and not shutil.which("curl")):
        pytest.skip(f"needs {language} on PATH")
    if language == "node" and not MODULES.exists():
        pytest.skip("needs npm on PATH")
    script = folder / path.name
    script.write_text(code_samples.for_site(path.read_text(), site))
    proxies = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
    done = subprocess.run(
        [*program, script.name],
        cwd=folder,
        env={**os.environ, **proxies, "no_proxy": "*", "SCENESHIFT_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", sorted({path.stem for path in RUNNABLE}))
def test_it_runs_and_leaves_a_picture(name: str, site: str, key: str, folder: Path) -> None:
    """In every language, with one set of workers."""
    for number, path in enumerate(code_samples.files(name), start=1):
        run(path, site, key, folder)
        result = next(folder.glob("result.*"))
        with Image.open(result) as picture:
            picture.load()
            assert picture.size == (96, 96)
        result.unlink()
        assert Generation.objects.filter(status=Status.SUCCEEDED).count() == number


def python_says(path: Path, **given: Any) -> bool:
    verify = runpy.run_path(str(path))["verify"]
    return bool(verify(given["secret"], given["headers"], given["body"].encode(), now=given["now"]))


def node_says(path: Path, **given: Any) -> bool:
    if not shutil.which("node"):
        pytest.skip("needs node on PATH")
    values = ", ".join(json.dumps(given[name]) for name in ("secret", "headers", "body", "now"))
    script = f"import {{ verify }} from {json.dumps(path.as_uri())};\nconsole.log(verify({values}));"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.strip() == "true"


@pytest.mark.parametrize(
    ("answers", "sent", "keys"),
    [
        ([200], 1, 1),
        ([429, 503, 200], 3, 1),
        ([None, 409, 200], 3, 1),
        ([502, 200], 2, 2),
        ([422], 1, 1),
    ],
    ids=["well", "later", "lost", "failed", "wrong"],
)
def test_what_is_sent_again_is_paid_once(
    answers: list[int | None], sent: int, keys: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code on retries, with a server of which nothing is heard, or that is busy, or whose job fails."""
    seen = []

    def post(*_: Any, headers: dict[str, str], **__: Any) -> requests.Response:
        seen.append(headers["Idempotency-Key"])
        answer = requests.Response()
        status = answers[len(seen) - 1]
        if status is None:
            raise requests.ConnectionError
        answer.status_code = status
        answer._content = b"a picture"
        return answer

    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("SCENESHIFT_API_KEY", "a key")
    monkeypatch.chdir(folder)
    with contextlib.suppress(requests.HTTPError):
        runpy.run_path(str(code_samples.FOLDER / "retry.py"))
    assert (len(seen), len(set(seen))) == (sent, keys)


SAYS = {".py": python_says, ".mjs": node_says}


@pytest.mark.parametrize("path", VERIFIERS, ids=lambda path: path.suffix)
def test_a_delivery_is_verified(path: Path) -> None:
    says = SAYS[path.suffix]
    signature = VECTOR["headers"]["webhook-signature"]
    old_key_too = {**VECTOR["headers"], "webhook-signature": f"v1,AAAA {signature}"}
    assert says(path, **VECTOR)
    assert says(path, **{**VECTOR, "headers": old_key_too})


@pytest.mark.parametrize("path", VERIFIERS, ids=lambda path: path.suffix)
@pytest.mark.parametrize(
    "change",
    [
        {"body": '{"test": 2432232315}'},
        {"secret": "whsec_AfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        {"now": 1614265330 + 301},
        {"headers": {**VECTOR["headers"], "webhook-id": "msg_other"}},
        {"headers": {**VECTOR["headers"], "webhook-signature": "v1,"}},
    ],
    ids=["body", "secret", "late", "id", "signature"],
)
def test_a_delivery_that_is_not_ours_or_old_is_refused(path: Path, change: dict[str, Any]) -> None:
    assert not SAYS[path.suffix](path, **{**VECTOR, **change})


@pytest.mark.django_db
@pytest.mark.parametrize("path", VERIFIERS, ids=lambda path: path.suffix)
def test_what_we_sign_is_verified_before_and_after_a_new_secret(path: Path, team: Team) -> None:
    old, now, body = signing.secret(team.pk), timezone.now(), '{"status": "succeeded"}'
    signing.rotate(team.pk)
    headers = signing.headers(team.pk, "evt_1", now, body)
    for secret in (old, signing.secret(team.pk)):
        assert SAYS[path.suffix](path, secret=secret, headers=headers, body=body, now=int(now.timestamp()))
    assert not SAYS[path.suffix](path, secret=signing.secret(team.pk + 1), headers=headers, body=body, now=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines", "unpublished")
@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.name)
def test_a_webhook_is_asked_for(
    path: Path, live_server: LiveServer, settings: LazySettings, key: str, folder: Path, tmp_path: Path
) -> None:
    """The reader's own addresses are on a server of this test's; the job is left waiting."""
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    picture = loopback.answer(png(), "Content-Type: image/png", f"Content-Length: {len(png())}", "Connection: close")
    with loopback.serving(lambda connection, _: connection.sendall(picture)) as shop:
        settings.OUTBOUND_ALLOW = [shop.place]
        told = tmp_path / path.name
        told.write_text(path.read_text().replace("https://shop.example", f"http://{shop.place}"))
        run(told, settings.PUBLIC_URL, key, folder)
        hook = Webhook.objects.get()
        assert (hook.url, hook.events) == (f"http://{shop.place}/hooks/sceneshift", ["completed"])
    assert Generation.objects.get().model == "bg-replace"


@pytest.mark.parametrize("name", code_samples.BEFORE)
def test_only_base_url_and_key_differ_from_before(name: str, settings: LazySettings) -> None:
    blocks = code_samples.blocks(name)
    assert blocks
    for block in blocks:
        changed = [line.text for line in block.lines if line.is_new]
        assert 1 <= len(changed) <= 2
        assert all("SCENESHIFT_API_KEY" in line or settings.PUBLIC_URL in line for line in changed)


def test_the_demonstrations_are_all_there() -> None:
    assert {path.stem for path in EVERY} == {
        *("poll", "retry", "verify", "subscribe"),
        *("from-segmind", "hosts-segmind", "from-replicate", "from-openai"),
    }
    assert all("ss_" not in path.read_text() for path in EVERY)
