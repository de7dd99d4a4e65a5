"""Input images: every kind of source, what is wrong with the bad ones, two fetches a team, one asset a content."""

import base64
import hashlib
import io
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from generations import delivery, inputs
from generations.catalogue.validation import InvalidInput
from generations.models import Asset, Lease, Output
from tests import loopback
from tests.conftest import run_at_once
from tests.jobs import Configure, Submit, png
from tests.pictures import png_bomb

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = loopback.answer(png(), "Content-Type: image/png")


@pytest.fixture
def server(settings: LazySettings) -> Iterator[loopback.Server]:
    with loopback.serving(lambda connection, _: connection.sendall(PICTURE)) as found:
        settings.OUTBOUND_ALLOW = [found.place]
        yield found


def stored_files() -> list[Path]:
    return [path for path in Path(default_storage.path("assets")).rglob("*") if path.is_file()]


# --- where the bytes come from ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        png(),
        bytearray(png()),
        memoryview(png()),
        io.BytesIO(png()),
        SimpleUploadedFile("a.png", png()),
        base64.b64encode(png()).decode(),
        f"  {base64.b64encode(png()).decode()}\n",
        f"data:image/png;base64,{base64.b64encode(png()).decode()}",
        f"DATA:image/png;charset=utf-8;Base64,{base64.b64encode(png()).decode()}",
    ],
    ids=lambda source: type(source).__name__,
)
def test_a_source_becomes_an_asset(team: Team, source: Any) -> None:
    asset = inputs.store(team.pk, source)
    assert (asset.sha256, asset.size) == (hashlib.sha256(png()).hexdigest(), len(png()))
    assert (asset.content_type, asset.width, asset.height, asset.has_alpha) == ("image/png", 64, 64, False)
    assert delivery.read(asset.file) == png()


def test_a_url_is_fetched(team: Team, server: loopback.Server) -> None:
    assert inputs.store(team.pk, server.url.replace("http", "HTTP", 1)).size == len(png())
    assert len(server.requests) == 1


def test_an_asset_is_named_by_its_id_within_its_team(team: Team, outsider: User) -> None:
    asset = inputs.store(team.pk, png())
    assert inputs.store(team.pk, asset.id) == asset
    with pytest.raises(inputs.Unusable, match="no such upload"):
        inputs.store(outsider.memberships.get().team_id, asset.id)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("not base64!", "neither an http"),
        ("ftp://example.com/a.png", "neither an http"),
        ("é" * 3000, "neither an http"),
        ("\ud800", "neither an http"),
        ("data:image/png,abc", "not a base64 data: URI"),
        ("data:image/png;base64", "not a base64 data: URI"),
        ("http://user:pw@example.com/a.png", "name or password"),
        ("http://[::1", "not one that can be fetched"),
        ("http://10.0.0.1/a.png?token=secret", "not on the public internet"),
        (b"", "empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PNG, JPEG, GIF and WebP"),
        (png()[:-30], "cut short"),
        (png(2049, 8), "2049 × 8 pixels; the longer side may have 2048"),
        (png_bomb(), "12,000"),
    ],
)
def test_a_bad_source_says_what_is_wrong_and_is_not_kept(team: Team, source: Any, message: str) -> None:
    began = time.monotonic()
    with pytest.raises(inputs.Unusable, match=message) as caught:
        inputs.store(team.pk, source)
    assert time.monotonic() - began < 1.0
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert not Asset.objects.exists()
    assert not default_storage.exists("assets")


def test_every_bad_picture_is_named_at_once(team: Team) -> None:
    with pytest.raises(InvalidInput) as caught:
        inputs.ingest(team.pk, {"image": b"x", "mask": png(), "ref_image": "!!!"})
    assert [error.field for error in caught.value.errors] == ["image", "ref_image"]
    assert [error.value for error in caught.value.errors] == ["<bytes>", "!!!"]


# --- addresses of our own -----------------------------------------------------------------------------------


def test_an_upload_is_resolved_inside_for_a_day_and_for_its_team(
    team: Team, outsider: User, settings: LazySettings, time_machine: Any
) -> None:
    asset = inputs.store(team.pk, png(), uploaded=True)
    url = f"{settings.PUBLIC_URL}/files/{asset.id}"
    assert inputs.store(team.pk, url) == asset
    assert inputs.store(team.pk, f"{url}?x=1") == asset
    for other in (
        f"{url}0",
        f"{url}/..",
        f"{settings.PUBLIC_URL}/files/",
        f"{settings.PUBLIC_URL}/files/{uuid.uuid4()}",
    ):
        with pytest.raises(inputs.Unusable, match="no such upload"):
            inputs.store(team.pk, other)
    with pytest.raises(inputs.Unusable, match="no such upload"):
        inputs.store(outsider.memberships.get().team_id, url)
    time_machine.move_to(time.time() + settings.UPLOAD_SECONDS + 5)
    with pytest.raises(inputs.Unusable, match="expired"):
        inputs.store(team.pk, url)


def test_a_picture_that_was_never_uploaded_has_no_address(team: Team, settings: LazySettings) -> None:
    asset = inputs.store(team.pk, png())
    with pytest.raises(inputs.Unusable, match="no such upload"):
        inputs.store(team.pk, f"{settings.PUBLIC_URL}/files/{asset.id}")


def test_an_output_is_named_by_a_good_link_only(
    team: Team, submit: Submit, inline: list[int], settings: LazySettings
) -> None:
    submit()
    link = delivery.link(Output.objects.get())
    assert inputs.store(team.pk, link).width == 64
    for bad in (link[:-1], link.replace("expires=", "expires=1"), link.partition("?")[0]):
        with pytest.raises(inputs.Unusable, match="expired") as caught:
            inputs.store(team.pk, bad)
        assert "signature" not in str(caught.value)


@pytest.mark.parametrize("path", ["/healthz", "/v1/get-user-credits", "/../files/x", "@evil.example/files/x"])
def test_no_other_address_of_ours_is_reached(team: Team, settings: LazySettings, path: str) -> None:
    """PUBLIC_URL is on the loopback here, which is private: what is not resolved inside is refused, not fetched."""
    with pytest.raises(
        inputs.Unusable, match=r"public internet|name or password|not one that can be fetched|no address"
    ):
        inputs.store(team.pk, settings.PUBLIC_URL + path)


# --- one asset a content ------------------------------------------------------------------------------------


def test_the_same_picture_at_once_is_one_asset_and_one_file(team: Team) -> None:
    assets = run_at_once(lambda _: inputs.store(team.pk, png()), 8)
    assert len({asset.id for asset in assets}) == 1
    assert [path.read_bytes() for path in stored_files()] == [png()]


def test_a_file_left_half_written_is_not_taken_for_the_picture(team: Team) -> None:
    """A process was killed while it wrote, or is still at it: its file is there, its row is not."""
    digest = hashlib.sha256(png()).hexdigest()
    default_storage.save(f"assets/{team.pk}/{digest[:2]}/{digest}", ContentFile(png()[:40]))
    assert delivery.read(inputs.store(team.pk, png()).file) == png()


def test_uploading_again_starts_its_day_anew(team: Team) -> None:
    first = inputs.store(team.pk, png())
    assert first.uploaded_at is None
    assert inputs.store(team.pk, png(), uploaded=True) == first
    assert Asset.objects.get().uploaded_at is not None


# --- how many at a time -------------------------------------------------------------------------------------


class Busy:
    """A server that answers when it is told to, and knows how many it was asked for at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.asked = threading.Semaphore(0)

    def reply(self, connection: Any, _: str) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.asked.release()
        self.go.wait(10)
        with self.lock:
            self.now -= 1
        connection.sendall(PICTURE)


@pytest.fixture
def busy(settings: LazySettings) -> Iterator[tuple[Busy, str]]:
    found = Busy()
    with loopback.serving(found.reply) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        yield found, server.url
        found.go.set()


def test_s6_a_team_fetches_two_at_a_time(team: Team, busy: tuple[Busy, str], monkeypatch: pytest.MonkeyPatch) -> None:
    server, url = busy
    threading.Timer(0.6, server.go.set).start()
    run_at_once(lambda number: inputs.store(team.pk, f"{url}?{number}"), 6)
    assert server.most == 2


def test_s6_who_waits_too_long_is_told_to_come_again(
    team: Team, outsider: User, busy: tuple[Busy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = busy
    monkeypatch.setattr(inputs, "PATIENCE", 0.2)
    monkeypatch.setattr(inputs, "SIDE_LIMIT", 64)
    others = [threading.Thread(target=_store_and_close, args=(team.pk, url)) for _ in range(2)]
    for thread in others:
        thread.start()
    for _ in others:
        assert server.asked.acquire(timeout=5)
    with pytest.raises(inputs.TooManyFetches):
        inputs.store(team.pk, url)
    server.go.set()
    for thread in others:
        thread.join()
    assert inputs.store(team.pk, url)
    assert set(Lease.objects.values_list("until", flat=True)) == {0.0}


def _store_and_close(team_id: int, url: str) -> None:
    try:
        inputs.store(team_id, url)
    finally:
        connection.close()


def test_another_team_does_not_wait(team: Team, outsider: User, server: loopback.Server) -> None:
    until = time.time() + 20
    Lease.objects.bulk_create(Lease(name=f"fetch:{team.pk}:{number}", until=until) for number in range(2))
    assert inputs.store(outsider.memberships.get().team_id, server.url)


def test_s6_the_place_of_a_dead_process_is_free_again(
    team: Team, server: loopback.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "PATIENCE", 0.2)
    Lease.objects.bulk_create(Lease(name=f"fetch:{team.pk}:{number}", until=time.time() + 20) for number in range(2))
    with pytest.raises(inputs.TooManyFetches):
        inputs.store(team.pk, server.url)
    Lease.objects.filter(name=f"fetch:{team.pk}:1").update(until=time.time() - 0.01)
    assert inputs.store(team.pk, server.url)


def test_a_place_that_ran_out_and_was_taken_is_not_given_back_by_its_first_holder(team: Team) -> None:
    with inputs._fetch_place(team.pk):
        Lease.objects.update(until=timezone.now().timestamp() + 99)
        taken = list(Lease.objects.values_list("name", "until"))
    assert list(Lease.objects.values_list("name", "until")) == taken


def test_no_database_connection_is_kept_while_a_server_is_waited_for(team: Team, settings: LazySettings) -> None:
    kept: list[bool] = []
    done = threading.Event()

    def reply(client: Any, _: str) -> None:
        kept.append(wrapper.connection is not None)
        client.sendall(PICTURE)
        done.set()

    wrapper = connections["default"]  # this thread's, looked at from the server's
    with loopback.serving(reply) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        inputs.store(team.pk, server.url)
    assert done.is_set()
    assert kept == [False]


def test_a_place_is_given_back_after_a_failed_fetch(team: Team, settings: LazySettings, engines: Configure) -> None:
    reply = loopback.answer(b"", status="404 Not Found")
    with loopback.serving(lambda client, _: client.sendall(reply)) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        for _ in range(3):
            with pytest.raises(inputs.Unusable, match="cannot be fetched: the server answered 404"):
                inputs.store(team.pk, server.url)
    assert set(Lease.objects.values_list("until", flat=True)) == {0.0}


def test_a_picture_found_a_moment_ago_is_not_looked_for_again(
    team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = [inputs.ingest(team.pk, {"image": png()})["image"] for _ in range(2)]  # stored, then found
    with django_assert_num_queries(0):
        again = inputs.ingest(team.pk, {"image": png()})["image"]
    assert {asset.id for asset in [*made, again]} == {Asset.objects.get().id}
    assert (again.width, again.height, again.file) == (64, 64, Asset.objects.get().file)


def test_nor_is_it_given_to_another_team(team: Team, outsider: User) -> None:
    for _ in range(3):
        mine = inputs.ingest(team.pk, {"image": png()})["image"]
    theirs = inputs.ingest(outsider.memberships.get().team_id, {"image": png()})["image"]
    assert theirs.id != mine.id
