"""Chosen pictures as one zip file: what is in it, how it is named, and its bounds."""

import io
import uuid
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from generations import archive, delivery
from generations.imaging import decode
from generations.models import Generation, Output
from tests.pages import MakeRun


@pytest.fixture
def signed_in(client: Client, viewer: User) -> Client:
    """Whoever sees pictures may take them."""
    client.force_login(viewer)
    return client


def outputs(*runs: Generation) -> list[Output]:
    rows = Output.objects.filter(generation__in=runs).select_related("generation")
    return list(rows.order_by("-generation__created_at", "number"))


def ask(client: Client, *wanted: Output) -> Any:
    return client.post("/gallery/download", {"picture": [str(output.id) for output in wanted]})


def unpack(answer: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def test_the_pictures_by_their_names_and_none_decoded(
    signed_in: Client, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(samples=2)
    Generation.objects.filter(id=run.id).update(created_at=datetime(2026, 5, 1, 12, tzinfo=UTC))
    first, second = outputs(run)
    jpeg, _ = delivery.image(second)

    def fail(*_: object) -> None:
        raise AssertionError("a picture is decoded")

    monkeypatch.setattr(decode, "decode", fail)
    answer = ask(signed_in, first, second)
    assert answer["content-type"] == "application/zip"
    assert answer["content-disposition"].endswith('-2-pictures.zip"')
    assert unpack(answer) == {
        "bg-replace-2026-05-01-7.png": delivery.read(first.file),
        "bg-replace-2026-05-01-8.jpg": jpeg,
    }


def test_names_that_are_the_same_are_numbered(make_run: MakeRun) -> None:
    found = archive.names(outputs(*(make_run() for _ in range(3))))
    assert [name.removeprefix(found[0].removesuffix(".png")) for name in found] == [".png", "-2.png", "-3.png"]


def test_a_picture_that_is_lost_is_named(signed_in: Client, make_run: MakeRun) -> None:
    kept, lost = outputs(make_run(), make_run(age=60))
    default_storage.delete(lost.file)
    files = unpack(ask(signed_in, kept, lost))
    assert len(files) == 2
    assert archive.names([kept, lost])[1] in files[archive.MISSING].decode()


def test_only_a_part_is_in_memory_at_a_time(make_run: MakeRun) -> None:
    run = make_run()
    size = 20 * archive.CHUNK
    Output.objects.filter(generation=run).update(file=default_storage.save("large.png", ContentFile(bytes(size))))
    parts = [len(part) for part in archive.stream(outputs(run))]
    assert sum(parts) > size
    assert max(parts) < 2 * archive.CHUNK


def test_too_many_and_too_large(signed_in: Client, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = outputs(make_run(), make_run())
    monkeypatch.setattr(archive, "MOST_BYTES", one.size + two.size)
    assert len(unpack(ask(signed_in, one, two))) == 2
    monkeypatch.setattr(archive, "MOST_BYTES", one.size + two.size - 1)
    answer = signed_in.post("/gallery/download", {"picture": [str(one.id), str(two.id)]}, follow=True)
    assert "Choose fewer" in answer.content.decode()
    many = {"picture": [str(uuid.UUID(int=number)) for number in range(archive.MOST + 1)]}
    assert signed_in.post("/gallery/download", many).status_code == 400
    assert signed_in.post("/gallery/download", {}).status_code == 400


def test_another_teams_pictures_are_not_there(client: Client, make_run: MakeRun, outsider: User) -> None:
    client.force_login(outsider)
    assert ask(client, *outputs(make_run())).status_code == 404


def test_the_number_of_queries_does_not_grow(signed_in: Client, make_run: MakeRun) -> None:
    def count(wanted: list[Output]) -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(signed_in, *wanted).getvalue()
        return len(captured)

    wanted = outputs(*(make_run(samples=2) for _ in range(5)))
    assert count(wanted[:1]) == count(wanted)
