"""The stand-in of the hosted API where nothing goes wrong: what it answers, what it charges, how it is steered."""

import base64
import http.client
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import segmind
from PIL import Image
from segmind.exceptions import SegmindError
from segmind.v2 import InferenceFailed

from generations import catalogue
from tests import upstream
from tests.jobs import given, mask, png
from tests.test_segmind_client import ToHost
from tests.upstream import published

HEADERS = {"x-api-key": upstream.KEY}


def body(model: str = "bg-replace", **more: Any) -> dict[str, Any]:
    """Return the least that the API takes, with a seed as we always send one."""
    raw = given(model, seed=7, **{"cn_processor": "canny"} if model == "inpaint-auto" else {})
    encoded = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in raw.items()}
    return {**encoded, **more}


def post(server: upstream.Control, path: str = "/v2/bg-replace", **more: Any) -> requests.Response:
    model = path.rpartition("/")[2]
    fields = body(model if model in published.MODELS else "bg-replace", **more)
    return requests.post(server.origin + path, json=fields, headers=HEADERS, timeout=30)


def get(url: str) -> requests.Response:
    return requests.get(url, headers=HEADERS, timeout=30, allow_redirects=False)


@pytest.fixture
def server() -> Iterator[upstream.Server]:
    with upstream.running() as server:
        yield server


# --- jobs ---------------------------------------------------------------------------------------------------


def test_submit_poll_result_and_pictures(server: upstream.Server) -> None:
    submitted = post(server, samples=2)
    job = submitted.json()
    assert job["status"] == "QUEUED"
    assert submitted.headers["x-request-id"] == job["request_id"]
    assert (submitted.headers["x-cost"], submitted.headers["x-remaining-credits"]) == ("0.020000", "999.980000")
    done = get(job["status_url"]).json()
    assert done["status"] == "COMPLETED"
    assert set(done["metrics"]) >= {"cost", "remaining_credits", "inference_time", "queue_time", "total_time"}
    result = get(job["response_url"]).json()
    assert (result["output"], result["seed"], result["prompt"]) == (result["images"][0]["url"], 7, "a beach")
    pictures = [requests.get(image["url"], timeout=30) for image in result["images"]]
    assert [Image.open(io.BytesIO(picture.content)).size for picture in pictures] == [(64, 64)] * 2
    assert pictures[0].content != pictures[1].content
    assert [len(picture.content) for picture in pictures] == [image["file_size"] for image in result["images"]]
    assert get(job["poll_url"]).json() == {**done, **result}


def test_a_job_takes_its_time() -> None:
    with upstream.running(delay=3600) as server:
        job = post(server).json()
        assert get(job["status_url"]).json()["status"] == "QUEUED"
        server.account.jobs[job["request_id"]].at -= 1800
        assert get(job["status_url"]).json()["status"] == "PROCESSING"
        assert "output" not in get(job["response_url"]).json()
        server.account.jobs[job["request_id"]].at -= 1801
        assert get(job["response_url"]).json()["status"] == "COMPLETED"


def test_v1_answers_the_picture_or_json(server: upstream.Server) -> None:
    answer = post(server, "/v1/sd1.5-inpainting", img_width=768)
    assert Image.open(io.BytesIO(answer.content)).size == (768, 512)
    assert answer.headers["x-output-metadata"] == '{"height": 512, "width": 768, "samples": 1}'
    assert (answer.headers["content-type"], answer.headers["x-seed-value"]) == ("image/jpeg", "7")
    inline = post(server, "/v1/bg-replace", base64=True).json()
    assert base64.b64decode(inline["image"])[:2] == b"\xff\xd8"
    several = post(server, "/v1/bg-replace", samples=3).json()
    assert (several["outputs"], several["seeds"]) == (3, [7, 8, 9])
    assert requests.get(several["images"][2], timeout=30).ok


def test_multipart_is_taken_as_well(server: upstream.Server) -> None:
    files = {"image": ("a.png", png(40, 24)), "mask": ("m.png", mask(40, 24))}
    url = f"{server.origin}/v1/sdxl-inpaint"
    answer = requests.post(url, files=files, data={"prompt": "ä sofa", "seed": "3"}, headers=HEADERS, timeout=30)
    assert Image.open(io.BytesIO(answer.content)).size == (40, 24)
    assert server.submits() == {"3 ä sofa": 1}


@pytest.mark.parametrize(("format_", "kilobytes"), [("jpeg", 200), ("png", 200), ("png", 0)])
def test_the_same_bytes_for_measurements(format_: str, kilobytes: int) -> None:
    with upstream.running(fixed=True, kilobytes=kilobytes, format=format_) as server:
        first, second = (post(server, "/v1/bg-replace", image="no picture", seed=seed).content for seed in (1, 2))
    assert first == second
    assert len(first) >= kilobytes * 1024
    picture = Image.open(io.BytesIO(first))
    picture.load()
    assert (picture.format, picture.size) == (format_.upper(), (64, 64))


# --- what it refuses ----------------------------------------------------------------------------------------


def test_keys_paths_and_methods(server: upstream.Server) -> None:
    url = f"{server.origin}/v2/bg-replace"
    none = requests.post(url, json=body(), timeout=30)
    assert (none.status_code, none.json()["error"]) == (401, "Missing Authorization or x-api-key in header")
    wrong = requests.post(url, json=body(), headers={"x-api-key": "no"}, timeout=30)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "Unauthorized. API key is invalid or may have expired.")
    assert post(server, "/v2/other").status_code == 404
    assert get(f"{server.origin}/v2/requests/unknown").status_code == 404
    assert get(url).status_code == 405
    assert requests.post(url, data="{", headers={**HEADERS, "content-type": "application/json"}).status_code == 400
    assert requests.post(url, data="x", headers=HEADERS).status_code == 406
    assert server.submits() == {}


def test_credits_run_out() -> None:
    with upstream.running(credits=0.011) as server:
        assert post(server).status_code == 200
        assert get(f"{server.origin}/v1/get-user-credits").json() == {"credits": 0.001, "free-credits": 0}
        refused = post(server)
        assert refused.status_code == 406
        assert "0.001" in refused.json()["error"]
        assert (server.submits(), server.report()["posts"]) == ({"7 a beach": 1}, {"7 a beach": 2})


@pytest.mark.parametrize("model", published.MODELS)
def test_each_model_takes_the_least_input_and_insists_on_it(server: upstream.Server, model: str) -> None:
    assert post(server, f"/v2/{model}").status_code == 200
    for name in published.MODELS[model].required:
        refused = post(server, f"/v2/{model}", **{name: None})
        assert (refused.status_code, name in refused.json()["error"]) == (400, True)


BAD = [
    ("bg-replace", "samples", 5),
    ("bg-replace", "samples", 1.5),
    ("bg-replace", "num_inference_steps", 19),
    ("bg-replace", "guidance_scale", "much"),
    ("bg-replace", "cn_weight", 1.1),
    ("bg-replace", "scheduler", "Restart"),
    ("bg-replace", "prompt", ""),
    ("bg-replace", "prompt", "x" * 4001),
    ("bg-replace", "seed", -2),
    ("bg-replace", "base64", "perhaps"),
    ("bg-replace", "ref_image", "no picture"),
    ("bg-replace", "image", base64.b64encode(png(2049, 8)).decode()),
    ("inpaint-auto", "strength", 1),
    ("inpaint-auto", "cn_processor", "auto"),
    ("inpaint-auto", "base_model", "SD 3"),
    ("sdxl-inpaint", "mask", 7),
    ("sdxl-inpaint", "guidance_scale", 0.5),
    ("sd1.5-inpainting", "strength", 0),
    ("sd1.5-inpainting", "img_width", 640),
]


@pytest.mark.parametrize(("model", "name", "value"), BAD)
def test_ranges_and_choices(server: upstream.Server, model: str, name: str, value: Any) -> None:
    refused = post(server, f"/v2/{model}", **{name: value})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith(name)
    assert server.submits() == {}


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("bg-replace", {"samples": "4", "seed": "12", "strength": 0, "unknown": 1}),
        ("bg-replace", {"image": "https://example.com/a.jpg"}),
        ("bg-replace", {"image": "data:image/png;base64," + base64.b64encode(png()).decode()}),
        ("inpaint-auto", {"cn_processor": "DPM++ 2M SDE Karras", "scheduler": "Restart", "strength": 0.99}),
        ("sd1.5-inpainting", {"guidance_scale": 0.1, "img_height": "768"}),
    ],
)
def test_what_the_pages_allow(server: upstream.Server, model: str, more: dict[str, Any]) -> None:
    assert post(server, f"/v2/{model}", **more).status_code == 200


def test_the_catalogue_offers_nothing_that_is_refused() -> None:
    """Two independent readings of the published pages; `auto` is ours, and has to be translated."""
    for slug, model in catalogue.MODELS.items():
        rules = published.MODELS[slug].rules
        assert set(model.by_name) == set(rules)
        assert model.required_names == tuple(name for name in model.by_name if name in published.MODELS[slug].required)
        for parameter in model.parameters:
            offered = [v for v in (parameter.minimum, parameter.maximum, *parameter.choices) if v is not None]
            refused = [value for value in offered if not rules[parameter.name].fits(value)]
            assert refused == (["auto"] if parameter.name == "cn_processor" else [])


# --- billing and control ------------------------------------------------------------------------------------


def test_prices_follow_what_affects_them(server: upstream.Server) -> None:
    def cost(model: str, **more: Any) -> float:
        return float(post(server, f"/v2/{model}", **more).headers["x-cost"])

    assert cost("bg-replace") == 0.01
    assert cost("sdxl-inpaint", num_inference_steps=50, samples=2) == pytest.approx(0.0276)
    assert cost("sd1.5-inpainting", num_inference_steps=20) == 0.002
    server.script(cost=0.5)
    assert cost("inpaint-auto", samples=4) == 0.5


def test_submits_are_counted_by_job(server: upstream.Server) -> None:
    for seed in (1, 2, 2):
        job = post(server, seed=seed).json()
    post(server, "/v1/bg-replace", seed=1, prompt="a rock")
    get(job["status_url"])
    get(job["status_url"])
    assert server.submits() == {"1 a beach": 1, "2 a beach": 2, "1 a rock": 1}
    assert server.report()["gets"] == {job["request_id"]: 2}
    last = server.calls("status")[-1]
    assert (last["key"], last["status"], last["authorized"], last["billed"]) == ("2 a beach", 200, True, False)
    server.forget()
    assert server.calls() == []


def test_control_from_another_process() -> None:
    with upstream.spawned([{"fault": "status", "on": ["submit"], "first": 1}], fixed=True, cost=0.25) as server:
        assert post(server).status_code == 500
        assert post(server).headers["x-cost"] == "0.250000"
        assert server.submits() == {upstream.job_key({"seed": 7, "prompt": "a beach"}): 1}
        assert [call["fault"] for call in server.calls("submit")] == ["status", ""]
        server.script({"fault": "status", "status": 429}, credits=3)
        assert post(server).status_code == 429
        assert server.report()["credits"] == 3
        with pytest.raises(ValueError, match="no such fault: earthquake"):
            server.script({"fault": "earthquake"})
        assert post(server).status_code == 429
    with pytest.raises(requests.ConnectionError):
        post(server)


def test_an_outage_keeps_jobs(server: upstream.Server) -> None:
    job = post(server).json()
    server.stop()
    with pytest.raises(requests.ConnectionError):
        get(job["status_url"])
    server.start()
    assert get(job["status_url"]).json()["status"] == "COMPLETED"


def test_connections_are_kept(server: upstream.Server) -> None:
    connection = http.client.HTTPConnection(server.origin.removeprefix("http://"), timeout=30)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/v1/get-user-credits", headers=HEADERS)
        assert json.loads(connection.getresponse().read())["credits"] == 1000
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()


# --- the official client ------------------------------------------------------------------------------------


@pytest.fixture
def client(server: upstream.Server) -> segmind.SegmindClient:
    made = segmind.SegmindClient(api_key=upstream.KEY, base_url=f"{server.origin}/v1")
    made._client = httpx.Client(
        headers=made._client.headers, base_url=f"{server.origin}/v1", transport=ToHost(server.origin)
    )
    return made


def test_the_official_client(client: segmind.SegmindClient, server: upstream.Server) -> None:
    assert Image.open(io.BytesIO(client.run_sync("bg-replace", **body()).content)).size == (64, 64)
    done = client.run("bg-replace", **body(seed=8))
    assert (done["status"], requests.get(done["output"], timeout=30).headers["content-type"]) == (
        "COMPLETED",
        "image/jpeg",
    )
    job = client.submit_async("bg-replace", **body(seed=9))
    assert job.status()["status"] == "COMPLETED"
    assert job.wait(timeout=30, interval=0.01)["seed"] == 9
    server.script({"fault": "failed", "error": "no luck"})
    with pytest.raises(InferenceFailed, match="no luck"):
        client.run("bg-replace", **body())
    with pytest.raises(SegmindError) as caught:
        client.submit_async("bg-replace", **body(samples=9))
    assert (caught.value.status, "samples" in str(caught.value.detail)) == (400, True)


def test_the_official_clients_history(client: segmind.SegmindClient, server: upstream.Server) -> None:
    done = post(server, samples=3).json()["request_id"]
    server.script({"fault": "failed", "error": "no luck", "cost": 0})
    failed = post(server, "/v2/sdxl-inpaint").json()["request_id"]
    first, last = (client.generations.history(page=page, per_page=3, sort_order="asc") for page in (1, 2))
    assert [row["request_id"] for row in (*first["data"], *last["data"])] == [done] * 3 + [failed]
    assert (first["data"][0]["credits_deduction"], last["data"][0]["credits_deduction"]) == (0.03, 0)
    assert [row["error"] for row in client.generations.history(status="FAILED")["data"]] == ["no luck"]
    assert client.generations.history(model_name="sdxl")["total"] == 1
    assert client.generations.history(to_date="2020-01-01")["data"] == []
    assert client.generations.get(done)["request_body"]["prompt"] == "a beach"
