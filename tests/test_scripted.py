"""The scripted engine does what it is told, and takes nothing else for an order."""

import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generations.engines import base
from generations.engines.scripted import FAILURES, ScriptedEngine
from generations.imaging import decode, strip
from tests.jobs import png


def job(prompt: str = "", seed: int = 7, **params: Any) -> base.Job:
    return base.Job("bg-replace", {"prompt": prompt, "samples": 1, **params}, {"image": png(80, 40)}, seed)


def run(prompt: str = "", engine: ScriptedEngine | None = None, **params: Any) -> base.Result:
    made = (engine or ScriptedEngine("test")).submit(job(prompt, **params), lambda share, stage: None)
    assert isinstance(made, base.Result)
    return made


def test_a_picture_of_the_inputs_size_a_sample() -> None:
    made = run(samples=3)
    assert [(p.width, p.height, p.seed, p.content_type) for p in made.pictures] == [
        (80, 40, seed, "image/jpeg") for seed in (7, 8, 9)
    ]
    for picture in made.pictures:
        assert Image.open(io.BytesIO(picture.data)).size == (80, 40)
    assert run().pictures[0].data == run().pictures[0].data != made.pictures[1].data


def test_a_picture_of_the_named_size() -> None:
    picture = run(img_width=512, img_height=768).pictures[0]
    assert (picture.width, picture.height) == (512, 768)


def test_delay_and_steps() -> None:
    told: list[float] = []
    began = time.monotonic()
    made = ScriptedEngine("test").submit(job("@delay=0.2 @steps=4"), lambda share, stage: told.append(share))
    assert 0.2 <= time.monotonic() - began < 1
    assert told == [0.0, 0.25, 0.5, 0.75]
    assert isinstance(made, base.Result)
    assert made.seconds == 0.2


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure(name: str) -> None:
    with pytest.raises(Exception, match=f"the script says {name}") as caught:
        run(f"@fail={name}")
    assert type(caught.value) is type(FAILURES[name](""))
    engine = ScriptedEngine("test", fail=name)
    with pytest.raises(type(caught.value)):
        run(engine=engine)


def test_handoff_is_collected_by_its_id() -> None:
    engine = ScriptedEngine("test", paid=True, handoff=True)
    assert engine.paid
    submitted = engine.submit(job(), lambda share, stage: None)
    assert isinstance(submitted, base.Submitted)
    assert base.sit_out(engine.collect(submitted.request_id, job(), lambda share, stage: None)) == run()
    again = ScriptedEngine("test").submit(job("@handoff=true"), lambda share, stage: None)
    assert isinstance(again, base.Submitted)
    assert again != submitted


def test_a_failure_after_a_handoff_comes_when_it_is_collected() -> None:
    engine = ScriptedEngine("test", handoff=True, fail="unavailable")
    submitted = engine.submit(job(), lambda share, stage: None)
    assert isinstance(submitted, base.Submitted)
    with pytest.raises(base.Unavailable):
        base.sit_out(engine.collect(submitted.request_id, job(), lambda share, stage: None))


def test_cost_by_word_by_option_and_by_the_clock() -> None:
    assert run("@cost=0.01").cost == 10_000
    assert run(engine=ScriptedEngine("test", cost=0.02)).cost == 20_000
    assert run("@delay=0.1", ScriptedEngine("test", rate=2.0)).cost == 200_000
    engine = ScriptedEngine("test", rate=1.0)
    assert engine.estimate("bg-replace", {"samples": 2}, 1) == 200_000
    assert engine.estimate("bg-replace", {"prompt": "@cost=0.5"}, 1) == 500_000


def test_kilobytes_pad_the_picture() -> None:
    data = run("@kilobytes=30").pictures[0].data
    assert 30 * 1024 <= len(data) < 31 * 1024
    assert strip.strip(data) == data
    assert (decode.decode(data) == decode.decode(run().pictures[0].data)).all()


def test_padding_adds_no_quantisation_table() -> None:
    """Pillow reads those in Python, number by number: 200 KB of them make a thumbnail twelve times as dear."""
    plain, padded = (run(f"@kilobytes={kilobytes}").pictures[0].data for kilobytes in (0, 200))
    assert padded.count(b"\xff\xdb") == plain.count(b"\xff\xdb")


def test_a_word_overrides_an_option() -> None:
    assert run("@cost=0.01", ScriptedEngine("test", cost=5.0)).cost == 10_000


@pytest.mark.parametrize(
    "prompt",
    [
        *("@", "@cost", "@cost=", "@cost=nan", "@cost=inf", "@cost=-1", "@cost=1e99", "@delay=soon", "@steps=2.5"),
        *("@steps=-1", "@kilobytes=99999999999", "@unknown=1", "mail me@home=yes", "@paid=true", "@log=/etc/passwd"),
    ],
)
def test_what_is_no_order_is_only_a_prompt(prompt: str) -> None:
    engine = ScriptedEngine("test", cost=0.5)
    assert run(prompt, engine) == run("", engine)
    assert engine.estimate("bg-replace", {"prompt": prompt}, 1) == 500_000


def test_no_step_is_no_work() -> None:
    assert len(run("@steps=0").pictures) == 1


def test_the_log_has_a_line_a_submit(tmp_path: Path) -> None:
    engine = ScriptedEngine("test", log=str(tmp_path / "log"), handoff=True)
    for seed in (1, 2):
        engine.submit(job(seed=seed), lambda share, stage: None)
    base.sit_out(engine.collect("x", job(), lambda share, stage: None))
    assert (tmp_path / "log").read_text() == "1 bg-replace\n2 bg-replace\n"
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


def test_progress_may_stop_it() -> None:
    def stop(share: float, stage: str) -> None:
        raise base.Canceled

    with pytest.raises(base.Canceled):
        ScriptedEngine("test").submit(job("@delay=30"), stop)
