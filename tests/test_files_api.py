"""/v1/files: uploaded, listed, used by address, deleted; and what becomes of the pictures."""

import io
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from accounts import keys
from accounts.access import Actor
from accounts.models import Team, User
from generations import inputs, tasks, uploads
from generations.models import Asset, Generation, Upload
from tests.doors import Post, encoded
from tests.jobs import Submit, given, png

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)
"""For tests in which jobs run, which are published on commit."""

FILES = "/v1/files"
Get = Callable[[str], Any]
Send = Callable[..., Any]


@pytest.fixture
def send(client: Client, key: str) -> Send:
    """Return a function that uploads a picture as a form."""

    def do(data: bytes | None = None, name: str = "subject.png", **parts: Any) -> Any:
        content = SimpleUploadedFile(name, png(80, 60) if data is None else data, "application/octet-stream")
        return client.post(FILES, {"content": content, **parts}, headers={"x-api-key": key})

    return do


def stored() -> bool:
    return any(default_storage.exists(asset.file) for asset in Asset.objects.all())


# --- upload, look, delete -----------------------------------------------------------------------------------


def test_an_upload_says_what_was_stored(send: Send, settings: LazySettings, get: Get) -> None:
    answer = send(metadata=json.dumps({"shelf": 7}))
    told = answer.json()
    asset = Asset.objects.get()
    assert answer.status_code == 201
    assert told == {
        "id": str(Upload.objects.get().id),
        "name": "subject.png",
        "content_type": "image/png",
        "size": len(png(80, 60)),
        "etag": asset.sha256,
        "checksums": {"sha256": asset.sha256},
        "metadata": {"shelf": 7},
        "created_at": told["created_at"],
        "expires_at": told["expires_at"],
        "urls": {
            "get": f"{settings.PUBLIC_URL}/v1/files/{told['id']}",
            "download": f"{settings.PUBLIC_URL}/files/{told['id']}",
        },
    }
    assert get(f"{FILES}/{told['id']}").json() == told
    assert get(FILES).json() == {"next": None, "previous": None, "results": [told]}
    shown = get(f"/files/{told['id']}")
    assert (shown["Content-Type"], shown.content) == ("image/png", png(80, 60))


def test_metadata_may_be_a_file_as_one_client_sends_it(send: Send) -> None:
    blob = SimpleUploadedFile("blob", b'{"shelf": 7}', "application/json")
    assert send(metadata=blob).json()["metadata"] == {"shelf": 7}
    assert send(metadata=SimpleUploadedFile("blob", b"{}", "application/json")).json()["metadata"] == {}


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({}, "subject.png"),
        ({"filename": "other.png", "type": "image/png"}, "other.png"),
        ({"filename": "../../etc/passwd"}, "passwd"),
        ({"filename": "C:\\pictures\\a.png"}, "a.png"),
        ({"filename": "a\nb.png"}, "a_b.png"),
        ({"filename": "x" * 300 + ".png"}, "x" * 251 + ".png"),
    ],
)
def test_a_file_is_called_as_it_is_said(send: Send, parts: dict[str, str], name: str) -> None:
    assert send(**parts).json()["name"] == name


def test_two_uploads_of_one_content_are_two_files(send: Send, get: Get, client: Client, key: str) -> None:
    first, second = send().json()["id"], send(name="again.png").json()["id"]
    assert first != second
    assert Asset.objects.count() == 1
    assert client.delete(f"{FILES}/{first}", headers={"x-api-key": key}).status_code == 204
    assert get(f"{FILES}/{first}").status_code == 404
    assert [each["id"] for each in get(FILES).json()["results"]] == [second]
    assert get(f"/files/{second}").status_code == 200
    assert get(f"/files/{first}").status_code == 404


def test_the_list_runs_in_pages_at_the_same_cost(send: Send, get: Get, settings: LazySettings) -> None:
    made = [send().json()["id"] for _ in range(5)][::-1]
    page = get(f"{FILES}?limit=2").json()
    seen = [each["id"] for each in page["results"]]
    with CaptureQueriesContext(connection) as few:
        get(f"{FILES}?limit=2")
    with CaptureQueriesContext(connection) as all_of_them:
        get(FILES)
    assert len(few) == len(all_of_them)
    while page["next"]:
        page = get(page["next"].removeprefix(settings.PUBLIC_URL)).json()
        seen += [each["id"] for each in page["results"]]
    assert seen == made


# --- used as inputs -----------------------------------------------------------------------------------------


@transactional
@pytest.mark.parametrize("which", ["get", "download"])
def test_both_addresses_are_inputs_for_a_day(
    send: Send, post: Post, inline: list[int], which: str, time_machine: Any, settings: LazySettings, get: Get
) -> None:
    told = send().json()
    url = told["urls"][which]
    assert post(body=encoded(image=url)).status_code == 200
    assert Generation.objects.get().inputs["image"] == str(Asset.objects.get(width=80).id)
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.UPLOAD_SECONDS + 5))
    answer = post(body=encoded(image=url))
    assert answer.status_code == 400
    assert "expired" in answer.json()["error"]
    assert get(f"{FILES}/{told['id']}").status_code == 404
    assert get(FILES).json()["results"] == []


@transactional
def test_a_deleted_one_is_refused_and_its_runs_go_on(
    send: Send, post: Post, inline: list[int], client: Client, key: str, get: Get
) -> None:
    told = send().json()
    url = told["urls"]["get"]
    create = "/v1/models/official/bg-replace/predictions"
    ran = post(create, {"input": encoded(image=url)}, prefer="wait").json()
    assert client.delete(f"{FILES}/{told['id']}", headers={"x-api-key": key}).status_code == 204
    refused = post(create, {"input": encoded(image=url)})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/input/image"
    age_and_purge(rounds=3)
    shown = get("/files/" + ran["input"]["image"].rpartition("/")[2])
    assert shown.content == png(80, 60)


def test_another_team_neither_sees_uses_nor_deletes_it(
    send: Send, post: Post, client: Client, outsider: User, unpublished: list[int]
) -> None:
    told = send().json()
    _, theirs = keys.create(outsider.memberships.get(), name="theirs")
    headers = {"x-api-key": theirs}
    assert client.get(f"{FILES}/{told['id']}", headers=headers).status_code == 404
    assert client.delete(f"{FILES}/{told['id']}", headers=headers).status_code == 404
    assert client.get(f"/files/{told['id']}", headers=headers).status_code == 404
    assert client.get(FILES, headers=headers).json()["results"] == []
    body = json.dumps(encoded(image=told["urls"]["get"]))
    assert client.post("/v1/bg-replace", body, content_type="application/json", headers=headers).status_code == 400
    assert Upload.objects.count() == 1


def test_reading_keys_list_and_no_more(send: Send, client: Client, member: User) -> None:
    told = send().json()
    _, reads = keys.create(member.memberships.get(), name="reads", scopes=["read"])
    headers = {"x-api-key": reads}
    assert client.get(FILES, headers=headers).json()["results"] == [told]
    assert client.delete(f"{FILES}/{told['id']}", headers=headers).status_code == 403
    refused = client.post(FILES, {"content": SimpleUploadedFile("a.png", png())}, headers=headers)
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    assert Upload.objects.count() == 1


# --- what is no picture -------------------------------------------------------------------------------------


def bmp() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "BMP")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"%PDF-1.4", "content"), (bmp(), "content"), (png(2050, 16), "2048"), (png()[:90], "content")],
    ids=["pdf", "bmp", "large", "cut"],
)
def test_what_is_no_picture_is_422_and_not_kept(send: Send, data: bytes, word: str) -> None:
    answer = send(data)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/content"
    assert word in answer.json()["detail"]
    assert not Asset.objects.exists()
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"metadata": "[]"}, "#/metadata"),
        ({"metadata": "{"}, "#/metadata"),
        ({"metadata": '{"a": NaN}'}, "#/metadata"),
        ({"metadata": '{"a": "\\u0000"}'}, "#/metadata"),
        ({"metadata": '{"a": "\\ud800"}'}, "#/metadata"),
        ({"metadata": '{"a": "' + "x" * 20_000 + '"}'}, "#/metadata"),
        ({"purpose": "x"}, "#/purpose"),
        ({"content": "text"}, "#/content"),
    ],
    ids=["list", "cut", "nan", "nul", "surrogate", "long", "unknown", "text"],
)
def test_a_wrong_part_is_named(send: Send, parts: dict[str, str], pointer: str) -> None:
    answer = send(**parts)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Upload.objects.exists()


def test_an_upload_without_a_file_or_in_json_is_refused(client: Client, key: str) -> None:
    headers = {"x-api-key": key}
    assert client.post(FILES, {"filename": "a"}, headers=headers).json()["errors"][0]["pointer"] == "#/content"
    answer = client.post(FILES, "{}", content_type="application/json", headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (415, "application/problem+json")


# --- what becomes of the pictures ---------------------------------------------------------------------------


def age_and_purge(*, rounds: int) -> None:
    """Let so many hours pass for what is in doubt, and have the clock come by in each."""
    for _ in range(rounds):
        tasks.purge()
        for asset in Asset.objects.filter(doubtful_at__isnull=False):
            Asset.objects.filter(id=asset.id).update(doubtful_at=timezone.now() - timedelta(hours=2))


def make(actor: Actor, data: bytes = b"") -> Upload:
    return uploads.create(actor, data or png(80, 60), name="a.png", metadata={})


def test_a_picture_that_no_run_used_goes_with_its_last_file(actor: Actor) -> None:
    first, second = make(actor), make(actor)
    file = first.asset.file
    uploads.delete(first)
    age_and_purge(rounds=3)
    assert default_storage.exists(file)
    uploads.delete(second)
    tasks.purge()
    assert default_storage.exists(file)  # a request may have found it and not have made its run
    age_and_purge(rounds=3)
    assert not Asset.objects.exists()
    assert not default_storage.exists(file)


def test_an_upload_whose_day_is_over_goes_by_itself(actor: Actor, time_machine: Any, settings: LazySettings) -> None:
    file = make(actor).asset.file
    tasks.purge()
    assert Upload.objects.count() == 1
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.UPLOAD_SECONDS + 5))
    age_and_purge(rounds=3)
    assert not Upload.objects.exists()
    assert not default_storage.exists(file)


def test_a_request_that_had_found_the_picture_keeps_it(actor: Actor, submit: Submit, unpublished: list[int]) -> None:
    upload = make(actor)
    uploads.delete(upload)
    tasks.purge()
    late = submit(image=upload.asset_id)  # it had been found before it was forgotten
    age_and_purge(rounds=3)
    assert default_storage.exists(upload.asset.file)
    assert late.inputs["image"] == str(Asset.objects.get(id=upload.asset_id).id)
    assert Asset.objects.get(id=upload.asset_id).doubtful_at is None


def test_the_same_picture_is_taken_anew_once_it_is_forgotten(actor: Actor, team: Team) -> None:
    upload = make(actor)
    uploads.delete(upload)
    age_and_purge(rounds=2)
    inputs.recent.clear()
    again = inputs.store(team.pk, png(80, 60))
    assert again.id != upload.asset_id
    age_and_purge(rounds=1)
    assert [asset.id for asset in Asset.objects.all()] == [again.id]
    assert default_storage.exists(again.file)


def test_an_upload_by_the_other_dialect_is_not_taken_away(actor: Actor, team: Team, post: Post) -> None:
    upload = make(actor)
    inputs.store(team.pk, png(80, 60), uploaded=True)
    uploads.delete(upload)
    age_and_purge(rounds=3)
    assert Asset.objects.get().doubtful_at is None
    assert stored()


@pytest.mark.parametrize("name", ["image", "ref_image", "mask"])
def test_every_kind_of_input_counts_as_use(actor: Actor, submit: Submit, unpublished: list[int], name: str) -> None:
    data = given("inpaint-auto", mask=png(mode="L", colour=255)).get(name) or png(96, 64)
    upload = make(actor, data)
    model = "bg-replace" if name == "ref_image" else "sdxl-inpaint"
    submit(model=model, **{name: upload.asset_id})
    uploads.delete(upload)
    age_and_purge(rounds=3)
    assert Asset.objects.filter(id=upload.asset_id, doubtful_at=None).exists()


def test_deleting_twice_is_404_and_harmless(send: Send, client: Client, key: str) -> None:
    told = send().json()
    codes = [client.delete(f"{FILES}/{told['id']}", headers={"x-api-key": key}).status_code for _ in range(2)]
    assert codes == [204, 404]
    assert client.delete(f"{FILES}/{uuid.uuid4()}", headers={"x-api-key": key}).status_code == 404
