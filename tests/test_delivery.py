"""Links that end and cannot be forged; one JPEG per master; alpha stays PNG."""

import io
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from generations import delivery
from generations.imaging import decode, encode
from generations.models import Generation, Output
from tests.conftest import run_at_once
from tests.jobs import Submit, png

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def output(submit: Submit, inline: list[int]) -> Output:
    """An output whose master is a JPEG, as the scripted engine makes them."""
    submit()
    return Output.objects.get()


def with_master(output: Output, data: bytes, content_type: str = "image/png") -> Output:
    output.file = default_storage.save("outputs/x/0.png", ContentFile(data))
    output.content_type = content_type
    output.has_alpha = decode.probe(data).has_alpha
    output.save()
    return output


# --- links --------------------------------------------------------------------------------------------------


def test_a_link_shows_its_output(output: Output, settings: LazySettings) -> None:
    link = delivery.link(output)
    assert link.startswith(f"{settings.PUBLIC_URL}/outputs/{output.id}.jpg?expires=")
    assert delivery.output_of_link(link) == output


def test_s6_a_link_ends_within_ten_minutes(output: Output, settings: LazySettings, time_machine: Any) -> None:
    assert settings.LINK_SECONDS <= 600
    link = delivery.link(output)
    time_machine.move_to(time.time() + settings.LINK_SECONDS - 5)
    assert delivery.output_of_link(link) == output
    time_machine.move_to(time.time() + 10)
    assert delivery.output_of_link(link) is None


def test_s6_a_link_that_was_changed_shows_nothing(output: Output, submit: Submit) -> None:
    submit("another")
    other = Output.objects.exclude(id=output.id).get()
    link = delivery.link(output)
    expires, signature = link.partition("expires=")[2].split("&signature=")
    base = f"/outputs/{output.id}.jpg"
    for changed in (
        link.replace(str(output.id), str(other.id)),
        link.replace(expires, str(int(expires) + 1)),
        link.replace(signature, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        link.replace(signature, ""),
        link.replace(signature, "é" * 64),
        link.replace(signature, "\ud800"),
        link.replace(expires, "9" * 5000),
        link.replace(expires, "soon"),
        link.replace(expires, "-1"),
        f"{base}?expires={expires}",
        f"{base}?signature={signature}",
        base,
        "/outputs/",
        "",
    ):
        assert delivery.output_of_link(changed) is None, changed[:200]


def test_another_key_signs_otherwise(output: Output, settings: LazySettings) -> None:
    link = delivery.link(output)
    settings.SECRET_KEY = "another installation's"
    assert delivery.output_of_link(link) is None


def test_a_link_to_what_is_gone_shows_nothing(output: Output) -> None:
    link = delivery.link(output)
    Generation.objects.all().delete()
    assert delivery.output_of_link(link) is None


@pytest.mark.parametrize("query", ["", "?expires=1", "?expires=9999999999&signature=x", "?expires=%00&signature=%ff"])
def test_the_address_answers_404_to_anything_else(client: Client, output: Output, query: str) -> None:
    answer = client.get(f"/outputs/{output.id}.jpg{query}")
    assert (answer.status_code, answer["X-Content-Type-Options"]) == (404, "nosniff")
    assert "Links to pictures end; ask for the result again" in answer.json()["error"]
    assert client.get(f"/outputs/{uuid.uuid4()}.jpg{query}").status_code == 404


def test_the_master_is_shown_by_its_own_extension(client: Client, output: Output, settings: LazySettings) -> None:
    with_master(output, png())
    path = delivery.link(output).removeprefix(settings.PUBLIC_URL)
    assert client.get(path)["Content-Type"] == "image/jpeg"
    assert client.get(path.replace(".jpg", ".png")).content == png()
    assert client.post(path).status_code == 405


# --- the picture --------------------------------------------------------------------------------------------


def test_a_jpeg_master_is_delivered_as_it_is(output: Output) -> None:
    assert delivery.image(output) == (delivery.read(output.file), "image/jpeg")
    output.refresh_from_db()
    assert output.jpeg == ""


def test_an_opaque_master_becomes_a_jpeg_which_is_kept(output: Output) -> None:
    data, content_type = delivery.image(with_master(output, png()))
    assert content_type == "image/jpeg"
    assert Image.open(io.BytesIO(data)).size == (64, 64)
    output.refresh_from_db()
    assert delivery.read(output.jpeg) == data
    default_storage.delete(output.file)  # it is not asked for again
    assert delivery.image(output) == (data, "image/jpeg")


def test_alpha_stays_png(output: Output) -> None:
    pixels = np.full((20, 30, 4), 128, np.uint8)
    master = encode.png(pixels)
    assert delivery.image(with_master(output, master)) == (master, "image/png")
    output.refresh_from_db()
    assert output.jpeg == ""


def test_one_jpeg_is_kept_whoever_asks_at_once(output: Output) -> None:
    with_master(output, png(300, 300))
    answers = run_at_once(lambda _: delivery.image(Output.objects.get(id=output.id)), 8)
    assert len(set(answers)) == 1
    output.refresh_from_db()
    folder = Path(default_storage.path(output.file)).parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(["0.png", Path(output.jpeg).name])
    assert delivery.read(output.jpeg) == answers[0][0]
