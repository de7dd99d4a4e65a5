"""The command line: generate and cutout, with files on the disk and words for people."""

import io
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from PIL import Image, ImageDraw

from accounts import ledger
from accounts.credits import MICRO
from accounts.models import Team, User
from generations import catalogue, execution, leases
from generations.models import Attempt, Generation, Output
from tests.conftest import make_team
from tests.jobs import Configure, mask, png

pytestmark = pytest.mark.django_db(transaction=True)


def bottle() -> bytes:
    """Return a photograph of a kind: something dark on white."""
    image = Image.new("RGB", (160, 200), (250, 250, 250))
    ImageDraw.Draw(image).rounded_rectangle((50, 40, 110, 170), 12, fill=(40, 60, 120))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, data in (
        ("subject.png", bottle()),
        ("beach.png", png(colour=(9, 90, 200))),
        ("mask.png", mask(160, 200)),
    ):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "note.txt").write_text("not a picture")
    Image.new("RGB", (90, 90), "white").save(tmp_path / "blank.png")
    return tmp_path


def generate(files: Path, *options: str, model: str = "bg-replace", out: str = "out.jpg") -> str:
    said = io.StringIO()
    images = ["--image", str(files / "subject.png")]
    if model == "bg-replace":
        images += ["--ref-image", str(files / "beach.png")]
    call_command("generate", model, *images, "--prompt", "a beach", "--out", str(files / out), *options, stdout=said)
    return said.getvalue()


def test_it_writes_the_picture_and_says_what_it_cost(files: Path, engines: Configure, team: Team) -> None:
    engines(scripted={"cost": 0.01})
    said = generate(files, "--param", "seed=7", "--param", "samples=2")
    assert Image.open(files / "out.jpg").format == "JPEG"
    assert Image.open(files / "out-2.jpg").size == (160, 200)
    for words in ("0.02 credits at most", "0.01 credits", "engine scripted", "seed 7", "seed 8", "A scripted picture"):
        assert words in said
    assert ledger.balance(team.pk) == ledger.Amounts(25 * MICRO - 10_000, 0)
    assert not Output.objects.filter(thumbnail="").exists()
    assert Generation.objects.get().door == "command"


def test_the_classical_engine_with_a_mask(files: Path, settings: LazySettings, team: Team) -> None:
    alias, backend = "classical", "generations.engines.classical.engine.ClassicalEngine"
    settings.ENGINES = {alias: {"BACKEND": backend, "OPTIONS": {"rate": 0.0015}}}
    settings.ROUTES = {slug: [alias] for slug in catalogue.MODELS}
    said = generate(files, "--mask", str(files / "mask.png"), model="sdxl-inpaint", out="out.png")
    assert Image.open(files / "out.png").size == (160, 200)
    assert "kept pixels changed: 0.00%" in said
    assert "prompt" in said


def test_the_master_where_its_format_is_asked_for(files: Path, engines: Configure, team: Team) -> None:
    generate(files, "--mask", str(files / "mask.png"), model="sdxl-inpaint", out="out.png")
    assert Image.open(files / "out.png").format == "PNG"
    generate(files, "--mask", str(files / "mask.png"), model="sdxl-inpaint", out="out.jpg")
    assert Image.open(files / "out.jpg").format == "JPEG"


def test_a_jpeg_under_a_name_that_promises_png_becomes_one(files: Path, engines: Configure, team: Team) -> None:
    generate(files, out="out.png")
    assert Image.open(files / "out.png").format == "PNG"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--image", "nowhere.png"], "--image nowhere.png: No such file"),
        (["--image", "."], "--image .: Is a directory"),
        (["--param", "seed"], "--param seed: NAME=VALUE is needed"),
        (["--param", "seed=x", "--param", "samples=9"], "samples must be"),
        (["--param", "sed=1"], "did you mean"),
        (["--param", "=1"], "is not a parameter"),
        (["--param", "image=http://10.0.0.1/a.png"], "not on the public internet"),
        (["--team", "nobody"], "--team nobody: there is no such team"),
        (["--out", "nowhere/out.png"], "there is no folder nowhere"),
    ],
)
def test_a_mistake_is_one_clear_line_and_costs_nothing(
    files: Path, engines: Configure, team: Team, options: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        generate(files, *options)
    assert ledger.balance(team.pk) == ledger.Amounts(25 * MICRO, 0)
    assert not (files / "out.jpg").exists()


def test_a_file_that_is_no_picture_is_named(files: Path, engines: Configure, team: Team) -> None:
    with pytest.raises(CommandError, match="ref_image: the file is not a picture"):
        generate(files, "--ref-image", str(files / "note.txt"))


def test_a_failed_run_says_why_and_that_it_was_free(files: Path, engines: Configure, team: Team) -> None:
    with pytest.raises(CommandError, match="the script says rejected Nothing was charged"):
        generate(files, "--prompt", "@fail=rejected")


@pytest.mark.parametrize("credits", [0, 1])
def test_too_few_credits(files: Path, engines: Configure, owner: User, credits: int) -> None:
    make_team("Poor", owner, credits)
    with pytest.raises(CommandError, match="not enough credits"):
        generate(files)


def test_too_many_jobs(files: Path, engines: Configure, team: Team, settings: LazySettings) -> None:
    settings.TEAM_JOBS_IN_FLIGHT = 0
    with pytest.raises(CommandError, match="Too many of the team's jobs"):
        generate(files)


def test_no_team_at_all(files: Path, engines: Configure, db: None) -> None:
    with pytest.raises(CommandError, match="create_team"):
        generate(files)


def test_an_out_that_cannot_be_written_says_where_the_picture_is(files: Path, engines: Configure, team: Team) -> None:
    (files / "out.jpg").mkdir()
    with pytest.raises(CommandError, match="Is a directory; the picture is in the gallery"):
        generate(files)


def test_a_rate_limited_engine_is_waited_for_without_spinning(
    files: Path, engines: Configure, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt is queued for later; the loop must neither end nor burn the processor until then."""
    runs: list[int] = []
    really = execution.run

    def run(attempt_id: int) -> None:
        runs.append(attempt_id)
        if len(runs) == 1:
            Attempt.objects.update(not_before=timezone.now() + timedelta(seconds=0.6))
        really(attempt_id)

    monkeypatch.setattr(execution, "run", run)
    generate(files)
    assert 3 <= len(runs) <= 8
    assert Generation.objects.get().status == "succeeded"


def test_an_attempt_that_a_worker_took_is_waited_for(
    files: Path, engines: Configure, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = execution.run

    def work(attempt_id: int) -> None:
        try:
            really(attempt_id)
        finally:
            connection.close()

    def taken(attempt_id: int) -> None:
        Attempt.objects.filter(id=attempt_id).update(state="submitting", lease_until=timezone.now())
        threading.Timer(0.3, put_back, (attempt_id,)).start()

    def put_back(attempt_id: int) -> None:
        Attempt.objects.filter(id=attempt_id).update(state="queued")
        work(attempt_id)

    monkeypatch.setattr(execution, "run", taken)
    assert "wrote" in generate(files)


def test_ctrl_c_cancels_the_run(files: Path, engines: Configure, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(attempt_id: int) -> None:
        assert leases.claim(attempt_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        generate(files)
    assert Generation.objects.get().status == "canceled"
    assert ledger.balance(team.pk) == ledger.Amounts(25 * MICRO, 0)


# --- cutout -------------------------------------------------------------------------------------------------


def test_cutout_writes_the_alpha(files: Path) -> None:
    said = io.StringIO()
    call_command("cutout", str(files / "subject.png"), "--out", str(files / "alpha.png"), stdout=said)
    alpha = Image.open(files / "alpha.png")
    assert (alpha.mode, alpha.size) == ("L", (160, 200))
    assert alpha.getpixel((80, 100)) == 255
    assert alpha.getpixel((5, 5)) == 0
    assert "% of the picture" in said.getvalue()


@pytest.mark.parametrize(
    ("name", "message"),
    [("note.txt", "not a picture"), ("none.png", "No such file"), ("blank.png", "blank.png: .*subject")],
)
def test_cutout_says_what_is_wrong(files: Path, name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("cutout", str(files / name), "--out", str(files / "alpha.png"))
