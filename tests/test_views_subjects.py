"""The mask of a picture's subject: what the mask editor asks for."""

import io
import uuid
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from accounts import ledger
from accounts.models import Team, User
from generations import inputs, subjects
from generations.models import Asset, Generation
from tests.jobs import png
from tests.pages import MakeRun

URL = "/masks/subject"
SUBJECTS = Path(__file__).parent / "images" / "subjects"


@pytest.fixture
def signed_in(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def ask(client: Client, data: bytes) -> HttpResponse:
    return client.post(URL, {"image": SimpleUploadedFile("photo.jpg", data, "image/jpeg")})  # type: ignore[return-value]


def read(answer: HttpResponse) -> Image.Image:
    assert (answer.status_code, answer["content-type"]) == (200, "image/png"), answer.content
    return Image.open(io.BytesIO(answer.content))


def test_the_subject_of_a_photograph_is_white(signed_in: Client, team: Team) -> None:
    before = ledger.balance(team.pk)
    found = read(ask(signed_in, (SUBJECTS / "mug_white.jpg").read_bytes()))
    truth = np.asarray(Image.open(SUBJECTS / "mug_white_alpha.png").convert("L")) > 127
    ours = np.asarray(found) > 127
    assert found.mode == "L"
    assert (ours & truth).sum() / (ours | truth).sum() > 0.9
    assert not Generation.objects.exists()
    assert not Asset.objects.exists()
    assert ledger.balance(team.pk) == before


def test_a_sideways_photograph_is_answered_upright(signed_in: Client) -> None:
    picture, buffer, exif = Image.open(io.BytesIO(png(120, 80))), io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    picture.save(buffer, "JPEG", quality=95, exif=exif)
    assert read(ask(signed_in, buffer.getvalue())).size == (80, 120)


def test_a_picture_that_the_studio_has_is_named(signed_in: Client, team: Team, make_run: MakeRun) -> None:
    asset = inputs.ingest(team.pk, {"image": png(120, 80)})["image"]
    assert read(signed_in.post(URL, {"image_source": f"asset:{asset.id}"})).getpixel((60, 40)) == 255  # type: ignore[arg-type]
    default_storage.delete(asset.file)
    lost = signed_in.post(URL, {"image_source": f"asset:{asset.id}"})
    assert (lost.status_code, "is lost" in lost.content.decode()) == (422, True)


def test_another_teams_picture_is_nowhere(signed_in: Client, outsider: User) -> None:
    theirs = inputs.ingest(outsider.memberships.get().team_id, {"image": png()})["image"]
    for row_id in (theirs.id, uuid.uuid4()):
        assert signed_in.post(URL, {"image_source": f"asset:{row_id}"}).status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Add the image first."),
        (b"not a picture", "picture"),
        (png(2049, 20), "2,048"),
        (png(colour="white"), "No subject found"),
    ],
    ids=["none", "no picture", "too large", "no subject"],
)
def test_what_is_wrong_is_said(signed_in: Client, data: bytes, words: str) -> None:
    answer = ask(signed_in, data) if data else signed_in.post(URL)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert answer.content.decode()[0].isupper()


def test_one_is_looked_for_at_a_time(signed_in: Client) -> None:
    with subjects._turn:
        answer = ask(signed_in, png(120, 80))
    assert (answer.status_code, answer["retry-after"]) == (429, "2")
    assert "Try again in 2 seconds" in answer.content.decode()
    read(ask(signed_in, png(120, 80)))


def test_a_person_has_so_many_a_minute(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "PER_MINUTE", 2)
    monkeypatch.setattr("accounts.limits.WINDOW", 3600)  # no window ends while this runs
    for _ in range(2):
        read(ask(signed_in, png(120, 80)))
    answer = ask(signed_in, png(120, 80))
    assert (answer.status_code, "No more than 2" in answer.content.decode()) == (429, True)
    assert int(answer["retry-after"]) >= 1


def test_a_failure_leaves_the_turn_free(signed_in: Client) -> None:
    assert ask(signed_in, png(colour="white")).status_code == 422
    read(ask(signed_in, png(120, 80)))


def test_a_viewer_and_a_forged_request_are_refused(client: Client, viewer: User, member: User) -> None:
    client.force_login(viewer)
    assert ask(client, png(120, 80)).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member)
    assert ask(strict, png(120, 80)).status_code == 403
