"""LiteLLM's proxy beside Sceneshift, on the same machine in the same run: its images/edits, before a bare stub.

LITELLM names its executable, else the `litellm` on PATH is taken; it lives in an environment of its own, since its
requirements are not ours. It is told to fetch and to report nothing.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from urllib3 import encode_multipart_formdata

from benchmarks import load, pictures, servers

START_SECONDS = 120.0
KEY = "sk-bench"
MODEL = "edit"
PICTURE = 200 * 1024
PUBLISHED = (
    "Published on another machine with two cores: images/edits without a database 12.1 ms p50, 82/s and 12.1 CPU-ms at"
    " 1 caller; 613 ms, 62/s and 16.3 CPU-ms at 50. Ratios against these set our time here against its time there:"
    " orientation, no comparison."
)
SILENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
    "LITELLM_LOG": "ERROR",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """What to be measured against. added: milliseconds on top of the bare stub at 1 caller. best: answers per s."""

    added: float
    best: float
    source: str

    @classmethod
    def measured(cls, outcomes: Sequence[load.Outcome], bare: float) -> "Peer":
        """Return what windows with 1 and more callers gave; bare: the stub's own milliseconds."""
        return cls(outcomes[0].percentile(0.5) - bare, max(outcome.rate for outcome in outcomes), "measured")


PEER = Peer(added=12.1 - 0.12, best=82.0, source="published, on another machine")


@contextlib.contextmanager
def started(upstream: int, folder: Path) -> Iterator[tuple[int, int]]:
    """Yield the port and the process number of a proxy before the stub on port `upstream`; its files go to `folder`.

    Raises servers.Missing, RuntimeError.
    """
    program = shutil.which(os.environ.get("LITELLM", "litellm"))
    if program is None:
        raise servers.Missing("LITELLM names no executable, and no litellm is on PATH")
    port = servers.free_port()
    (folder / "config.yaml").write_text(json.dumps(_config(upstream)))  # JSON is YAML
    with _process(program, port, folder) as process:
        yield port, process.pid


def plan(port: int, folder: Path, *, callers: int, seconds: float) -> load.Plan:
    """Return a plan that edits two pictures of 64² and takes a picture of 200 KB in base64 for the answer."""
    body, content_type = _request()
    bodies = folder / "bodies.json"
    bodies.write_text(json.dumps([body]))
    return load.Plan(
        port,
        "/v1/images/edits",
        callers,
        seconds,
        str(bodies),
        keys=(KEY,),
        expected=len(base64.b64encode(bytes(PICTURE))),
        content_type=content_type,
        expected_type="application/json",
    )


@contextlib.contextmanager
def _process(program: str, port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [program, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **SILENT}
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--telemetry", "False"], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        servers.wait_for_port(port, process, START_SECONDS)
        yield process
    finally:
        servers.stop(process)


def _config(upstream: int) -> dict[str, object]:
    model = {"model": "openai/gpt-image-1", "api_base": f"http://127.0.0.1:{upstream}", "api_key": "none"}
    return {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": KEY},
    }


def _request() -> tuple[str, str]:
    """Return a multipart body as Latin-1, and its content type."""
    images = [("image", (f"{number}.jpg", pictures.jpeg(64, number), "image/jpeg")) for number in range(2)]
    fields: list[tuple[str, str | tuple[str, bytes, str]]] = [("model", MODEL), ("prompt", "a bottle"), *images]
    body, content_type = encode_multipart_formdata(fields, boundary="sceneshift")
    return body.decode("latin-1"), content_type
