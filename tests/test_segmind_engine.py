"""The hosted engine against a stand-in of the hosted API, a real server on the loopback."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from generations import catalogue
from generations.engines import base
from generations.engines.segmind import client as clients
from generations.engines.segmind import engine as engines
from generations.engines.segmind import polling
from generations.engines.segmind.engine import SegmindEngine
from generations.imaging import decode, encode
from tests import upstream
from tests.jobs import given, mask, png
from tests.servers import free_port

IDLE = 20.0
"""Seconds after which a test has hung."""


@pytest.fixture
def server() -> Iterator[upstream.Server]:
    with upstream.running(delay=0.0) as running:
        yield running


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(polling, "UNSEEN", (0.0, 0.0))
    monkeypatch.setattr(engines, "SETTLING_SECONDS", 0.0)


def engine(server: upstream.Server, **options: Any) -> SegmindEngine:
    return SegmindEngine("segmind", **{"key": upstream.KEY, "base_url": server.origin, **options})


def job(model: str = "bg-replace", seed: int = 7, **more: Any) -> base.Job:
    """Return a job with every parameter at its default, but those of `more`."""
    declared = catalogue.get(model)
    raw = given(model, **more)
    images = {name: raw[name] for name in declared.image_names if name in raw}
    params = catalogue.validate(declared, {**raw, **images}, unknown="refuse").params
    return base.Job(model, params, images, seed)


def told(share: float, stage: str) -> None:
    """Progress that nobody listens to."""


def run(of: base.Engine, what: base.Job) -> base.Result:
    handed = of.submit(what, told)
    assert isinstance(handed, base.Submitted)
    return base.sit_out(of.collect(handed.request_id, what, told))


def sent(server: upstream.Server) -> dict[str, Any]:
    """Return the parameters of the only job, as they arrived."""
    (only,) = server.report()["jobs"]
    params: dict[str, Any] = only["params"]
    return params


# --- what is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", catalogue.MODELS)
def test_every_parameter_arrives_under_its_name(server: upstream.Server, model: str) -> None:
    made = job(model, negative_prompt="blur")
    run(engine(server), made)
    arrived = sent(server)
    ours = {name: value for name, value in made.params.items() if name not in ("base64", "seed", "cn_processor")}
    assert {name: arrived.get(name) for name in ours if ours[name] is not None} == {
        name: value for name, value in ours.items() if value is not None
    }
    assert (arrived["seed"], arrived["base64"]) == (7, False)


def test_the_preprocessor_that_belongs_to_the_controlnet_is_named(server: upstream.Server) -> None:
    run(engine(server), job("inpaint-auto", cn_model="SoftEdge", cn_processor="auto"))
    assert sent(server)["cn_processor"] == "pidinet"


@pytest.mark.parametrize("model", catalogue.MODELS)
def test_pictures_arrive_whole_and_without_metadata(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from generations.engines.segmind import body

    made = job(model)
    read = _decoded(body.encoded(made))
    for name, picture in read.items():
        pixels = decode.decode(picture)
        if model == "sd1.5-inpainting":
            assert pixels.shape[:2] == (512, 512)
        else:
            assert (pixels == decode.decode(made.images[name])).all()
        assert b"Exif" not in picture


def test_a_mask_arrives_in_the_size_of_its_image() -> None:
    from generations.engines.segmind import body

    made = job("sdxl-inpaint", image=png(80, 60), mask=mask(40, 40))
    assert decode.decode(_decoded(body.encoded(made))["mask"]).shape == (60, 80, 3)


def test_an_alpha_arrives_on_the_model_that_reads_it_and_on_no_other() -> None:
    from generations.engines.segmind import body

    pixels = decode.decode(png())
    cut = encode.png(_with_alpha(pixels))
    assert decode.probe(_decoded(body.encoded(job(image=cut)))["image"]).has_alpha
    assert not decode.probe(_decoded(body.encoded(job("sdxl-inpaint", image=cut)))["image"]).has_alpha


def _with_alpha(pixels: Any) -> Any:
    import numpy as np

    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    alpha[:10] = 0
    return np.concatenate([pixels, alpha], axis=2)


def _decoded(body: bytes) -> dict[str, bytes]:
    import base64

    import msgspec

    read = msgspec.json.decode(body)
    images = {name for model in catalogue.MODELS.values() for name in model.image_names}
    return {name: base64.b64decode(read[name], validate=True) for name in images if name in read}


# --- what comes back ----------------------------------------------------------------------------------------


def test_a_result_has_the_pictures_the_cost_and_the_balance(server: upstream.Server) -> None:
    result = run(engine(server, markup=1.5), job(samples=3))
    assert [picture.seed for picture in result.pictures] == [7, 8, 9]
    assert all((picture.width, picture.height) == (64, 64) for picture in result.pictures)
    assert (result.spent, result.cost) == (30_000, 45_000)
    assert result.balance == round((1000 - 0.03) * 1e6)


def test_the_quote_covers_the_dearer_of_price_and_time() -> None:
    made = SegmindEngine("segmind", key="k")
    params = catalogue.get("inpaint-auto").defaults
    assert made.estimate("inpaint-auto", params, 1) == 10_000
    assert made.ceiling("inpaint-auto", params, 1) == pytest.approx(53_925, abs=1)
    assert SegmindEngine("segmind", key="k", markup=2).estimate("inpaint-auto", params, 1) == 20_000


def test_the_prompt_is_read(server: upstream.Server) -> None:
    assert engine(server).unread("bg-replace", job().params) == ()


def test_the_key_goes_to_the_api_and_not_with_pictures(server: upstream.Server) -> None:
    run(engine(server), job())
    assert all(call["authorized"] for call in server.calls("submit", "status", "result"))
    assert [call["authorized"] for call in server.calls("output")] == [False]


def test_a_job_takes_few_questions(server: upstream.Server) -> None:
    server.script(delay=0.6)
    made = engine(server)
    made._timetable.learn("bg-replace × 1", 0.6, 0.6)
    began = time.monotonic()
    run(made, job())
    assert time.monotonic() - began < 3
    assert len(server.calls("status", "result", "output")) <= 12


def test_the_balance_is_asked_for(server: upstream.Server) -> None:
    assert engine(server).client.credits() == 1_000_000_000


# --- a submit that fails ------------------------------------------------------------------------------------

SUBMITS: dict[str, tuple[dict[str, Any], type[base.EngineError], int]] = {
    "rejected": ({"fault": "status", "status": 400}, base.Rejected, 0),
    "unprocessable": ({"fault": "status", "status": 422}, base.Rejected, 0),
    "wrong key": ({"fault": "status", "status": 401}, base.NotConfigured, 0),
    "forbidden": ({"fault": "status", "status": 403}, base.NotConfigured, 0),
    "payment": ({"fault": "status", "status": 402}, base.NotConfigured, 0),
    "no credits": ({"fault": "status", "status": 406}, base.NotConfigured, 0),
    "no such model": ({"fault": "status", "status": 404}, base.Unsupported, 0),
    "too many": ({"fault": "status", "status": 429, "retry_after": 3}, base.RateLimited, 0),
    "internal error": ({"fault": "status", "status": 500, "billed": True}, base.OutcomeUnknown, 1),
    "bad gateway": ({"fault": "status", "status": 502}, base.OutcomeUnknown, 0),
    "gateway timeout": ({"fault": "status", "status": 504, "billed": True}, base.OutcomeUnknown, 1),
    "redirect": ({"fault": "redirect"}, base.OutcomeUnknown, 1),
    "reset": ({"fault": "reset"}, base.OutcomeUnknown, 1),
    "close": ({"fault": "close"}, base.OutcomeUnknown, 1),
    "reset midway": ({"fault": "reset_midway"}, base.OutcomeUnknown, 1),
    "cut": ({"fault": "cut"}, base.OutcomeUnknown, 1),
    "cut without length": ({"fault": "cut", "length": False}, base.OutcomeUnknown, 1),
    "html": ({"fault": "html"}, base.OutcomeUnknown, 1),
    "not an object": ({"fault": "wrong_json"}, base.OutcomeUnknown, 1),
    "gzip bomb": ({"fault": "gzip_bomb"}, base.OutcomeUnknown, 1),
    "huge": ({"fault": "huge"}, base.OutcomeUnknown, 1),
    "no id": ({"fault": "lose_id"}, base.OutcomeUnknown, 1),
    "hang": ({"fault": "hang", "billed": True}, base.OutcomeUnknown, 1),
    "hang, not billed": ({"fault": "hang"}, base.OutcomeUnknown, 0),
    "dripping headers": ({"fault": "drip_headers"}, base.OutcomeUnknown, 1),
    "dripping body": ({"fault": "drip_body"}, base.OutcomeUnknown, 1),
}


@pytest.mark.parametrize("name", SUBMITS)
def test_r7_a_submit_is_sent_once_whatever_comes_back(server: upstream.Server, name: str) -> None:
    rule, error, billed = SUBMITS[name]
    server.script({"on": ["submit"], **rule})
    began = time.monotonic()
    with pytest.raises(error) as caught:
        engine(server, submit_seconds=1.0).submit(job(), told)
    assert type(caught.value) is error
    assert time.monotonic() - began < IDLE
    assert len(server.calls("submit")) == 1
    assert sum(server.submits().values()) == billed


def test_a_refused_connection_is_not_paid() -> None:
    made = SegmindEngine("segmind", key="k", base_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(base.Unavailable):
        made.submit(job(), told)


def test_a_pause_is_as_long_as_the_upstream_asks(server: upstream.Server) -> None:
    server.script({"fault": "status", "status": 429, "reset_after": 30, "on": ["submit"]})
    with pytest.raises(base.RateLimited) as caught:
        engine(server).submit(job(), told)
    assert 25 < caught.value.after <= 31


# --- a job that goes wrong afterwards -----------------------------------------------------------------------

PASSING: dict[str, dict[str, Any]] = {
    "internal error": {"fault": "status", "status": 500},
    "gateway timeout": {"fault": "status", "status": 504},
    "too many": {"fault": "status", "status": 429, "retry_after": 0},
    "not known yet": {"fault": "status", "status": 404},
    "reset": {"fault": "reset"},
    "cut": {"fault": "cut"},
    "half": {"fault": "half"},
    "html": {"fault": "html"},
    "hang": {"fault": "hang"},
    "drip": {"fault": "drip_body", "bytes_per_second": 1},
    "gzip bomb": {"fault": "gzip_bomb"},
}


@pytest.mark.parametrize("on", ["status", "result", "output"])
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_asked_again(server: upstream.Server, name: str, on: str) -> None:
    server.script({"on": [on], "first": 2, **PASSING[name]})
    result = run(engine(server, poll_seconds=0.5, output_seconds=0.5), job())
    assert len(result.pictures) == 1
    assert len(server.calls(on)) == 3


LASTING: dict[str, tuple[dict[str, Any], type[base.EngineError]]] = {
    "status down": ({"fault": "status", "status": 502, "on": ["status"]}, base.Unavailable),
    "status gone": ({"fault": "status", "status": 404, "on": ["status"]}, base.OutcomeUnknown),
    "key revoked": ({"fault": "status", "status": 401, "on": ["status"]}, base.NotConfigured),
    "result unreadable": ({"fault": "html", "on": ["result"]}, base.Unavailable),
    "picture cut": ({"fault": "half", "on": ["output"]}, base.OutcomeUnknown),
    "picture is a page": ({"fault": "html", "on": ["output"]}, base.OutcomeUnknown),
    "picture down": ({"fault": "status", "status": 503, "on": ["output"]}, base.Unavailable),
    "picture redirects": ({"fault": "redirect", "on": ["output"]}, base.OutcomeUnknown),
    "picture gone": ({"fault": "status", "status": 404, "on": ["output"]}, base.OutcomeUnknown),
    "elsewhere": ({"fault": "elsewhere"}, base.OutcomeUnknown),
    "elsewhere, with the origin's name in it": (
        {"fault": "elsewhere", "url": "http://127.0.0.1@10.0.0.1/a.jpg"},
        base.OutcomeUnknown,
    ),
    "elsewhere, a file": ({"fault": "elsewhere", "url": "file:///etc/passwd"}, base.OutcomeUnknown),
    "failed": ({"fault": "failed"}, base.Broken),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_says_what_to_do(server: upstream.Server, name: str) -> None:
    rule, error = LASTING[name]
    server.script(rule)
    with pytest.raises(error) as caught:
        run(engine(server), job())
    assert type(caught.value) is error
    assert caught.value.spent == (10_000 if name.startswith(("picture", "elsewhere", "failed")) else 0)
    assert max(len(server.calls(kind)) for kind in ("status", "result", "output")) <= clients.TRIES
    assert sum(server.submits().values()) == 1


def test_what_was_taken_for_a_picture_that_is_lost_is_known(server: upstream.Server) -> None:
    server.script({"fault": "half", "on": ["output"]})
    with pytest.raises(base.OutcomeUnknown) as caught:
        run(engine(server), job())
    assert caught.value.spent == 10_000


def test_a_failure_that_was_charged_is_known(server: upstream.Server) -> None:
    server.script({"fault": "failed", "error": "CUDA out of memory"})
    with pytest.raises(base.Broken, match="CUDA out of memory") as caught:
        run(engine(server), job())
    assert caught.value.spent == 10_000


@pytest.mark.parametrize(
    ("host", "allowed"), [("segmind.com", True), ("images.segmind.com", True), ("notsegmind.com", False)]
)
def test_pictures_come_from_hosts_that_are_named(
    server: upstream.Server, host: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generations import outbound

    asked: list[str] = []

    def ask(call: Any, target: Any, limit: int) -> outbound.Fetched:
        asked.append(target.url)
        return outbound.Fetched(png(), "image/png")

    monkeypatch.setattr(outbound.fetches, "_ask", ask)
    server.script({"fault": "elsewhere", "url": f"https://{host}/a.png"})
    if allowed:
        assert len(run(engine(server), job()).pictures) == 1
        assert asked == [f"https://{host}/a.png"]
    else:
        with pytest.raises(base.OutcomeUnknown):
            run(engine(server), job())
        assert asked == []


def test_r7_retries_are_a_fifth_of_all_calls_at_most(server: upstream.Server) -> None:
    made = engine(server)
    server.script({"fault": "status", "status": 503, "on": ["status"], "probability": 0.6}, seed=3)

    def ask() -> None:
        for _ in range(25):
            try:
                made.client.status("any")
            except base.EngineError:
                continue

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    budget = made.client.budget
    assert budget.calls == len(server.calls("status"))
    assert budget.retries <= clients.RETRY_FLOOR + clients.RETRY_SHARE * budget.calls + 1


def test_progress_can_end_the_waiting(server: upstream.Server) -> None:
    server.script({"fault": "stuck"})

    def stop(share: float, stage: str) -> None:
        raise base.Canceled

    made = engine(server)
    handed = made.submit(job(), told)
    assert isinstance(handed, base.Submitted)
    with pytest.raises(base.Canceled):
        base.sit_out(made.collect(handed.request_id, job(), stop))
