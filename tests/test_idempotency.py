"""Idempotency-Key: one job and one hold however often a request is sent, and the first answer each time."""

import base64
import io
import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from accounts import keys, ledger
from accounts.access import Actor
from accounts.models import Entry, Team, User
from config.celery import app
from generations import execution, idempotency, removal, submission, uploads
from generations.idempotency import Once
from generations.models import Asset, Attempt, Generation, Idempotency
from generations.models.generation import Door
from tests.conftest import run_at_once
from tests.doors import Post, encoded
from tests.jobs import Configure, given, png

pytestmark = pytest.mark.django_db(transaction=True)

V1, V2 = "/v1/bg-replace", "/v2/bg-replace"


def holds() -> int:
    return Entry.objects.filter(kind="hold").count()


# --- the same answer ----------------------------------------------------------------------------------------


def test_v1_gives_the_first_picture_again(post: Post, inline: list[int], team: Team) -> None:
    body = encoded(negativePrompt="x")
    first, again = (post(body=body, **{"idempotency-key": "order-7"}) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    for name in ("x-request-id", "x-seed-value", "x-cost", "x-remaining-credits", "x-ignored-parameters"):
        assert first[name] == again[name]
    assert Generation.objects.count() == len(inline) == holds() == 1


def test_v2_gives_the_first_request_id_again(post: Post, unpublished: list[int]) -> None:
    first, again = (post(V2, **{"idempotency-key": "order-7"}) for _ in range(2))
    assert first.json() == again.json()
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    execution.run(unpublished[0])
    assert post(V2, **{"idempotency-key": "order-7"}).json() == first.json()
    assert Generation.objects.count() == len(unpublished) == 1


def test_a_failure_is_given_again_too(post: Post, inline: list[int]) -> None:
    body = encoded(prompt="@fail=unavailable")
    first, again = (post(body=body, **{"idempotency-key": "k"}) for _ in range(2))
    assert first.status_code == again.status_code == 502
    assert first.json() == again.json()
    assert Generation.objects.count() == 1


def test_links_are_signed_anew(post: Post, inline: list[int], time_machine: Any, settings: LazySettings) -> None:
    body = encoded(samples=2)
    first = post(body=body, **{"idempotency-key": "k"}).json()["images"][0]
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.LINK_SECONDS + 5))
    again = post(body=body, **{"idempotency-key": "k"}).json()["images"][0]
    assert first != again
    assert first.partition("?")[0] == again.partition("?")[0]


def test_the_key_may_be_quoted_or_not(post: Post, inline: list[int]) -> None:
    said = ['order "7"', '"order \\"7\\""', ' order "7" ']
    assert len({post(**{"idempotency-key": key})["x-request-id"] for key in said}) == 1


def test_of_a_form_its_fields_count_not_its_boundary(
    client: Client, key: str, engines: Configure, inline: list[int]
) -> None:
    def send(boundary: str, colour: tuple[int, int, int] = (1, 2, 3)) -> Any:
        parts = [
            ("image", "a.png", png()),
            ("ref_image", "b.png", png(colour=colour)),
            ("prompt", "", b"a beach"),
        ]
        body = io.BytesIO()
        for name, filename, data in parts:
            more = f'; filename="{filename}"' if filename else ""
            body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode())
            body.write(data + b"\r\n")
        body.write(f"--{boundary}--\r\n".encode())
        headers = {"x-api-key": key, "idempotency-key": "k"}
        kind = f"multipart/form-data; boundary={boundary}"
        return client.post(V1, body.getvalue(), content_type=kind, headers=headers)

    first, again = send("one"), send("another")
    assert first.status_code == 200, first.content
    assert first["x-request-id"] == again["x-request-id"]
    assert Asset.objects.count() == 2  # the files were still whole after they were looked at
    assert send("third", (9, 9, 9)).status_code == 422


@pytest.fixture
def form(client: Client, key: str, engines: Configure, unpublished: list[int]) -> Callable[..., Any]:
    """Return a function that posts a form under one key."""

    def send(**fields: Any) -> Any:
        return client.post(V2, fields, headers={"x-api-key": key, "idempotency-key": "k"})

    return send


def test_a_form_s_value_is_no_field_s_name(form: Callable[..., Any]) -> None:
    def send(**texts: Any) -> int:
        files = {name: SimpleUploadedFile("a.png", png()) for name in ("image", "ref_image")}
        return int(form(**files, **texts).status_code)

    assert send(prompt="a beach", seed="7") == 200
    assert send(prompt="a beach", seed="7") == 200
    assert send(prompt=["a beach", "seed", "7"]) == 422
    assert Generation.objects.count() == 1


def test_a_file_of_a_form_is_no_text_of_its_content(form: Callable[..., Any]) -> None:
    text = base64.b64encode(png())
    others = {"image": text.decode(), "prompt": "a beach"}
    assert form(**others, ref_image=text.decode()).status_code == 200
    assert form(**others, ref_image=SimpleUploadedFile("a.png", text)).status_code == 422


def opaque_but_a_hole() -> bytes:
    """Return a mask as OpenAI's clients make them."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (16, 16, 48, 48))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("door", ["openai", "jobs", "segmind"])
def test_the_first_answer_is_given_again_after_its_upload_ended(
    post: Post, inline: list[int], actor: Actor, settings: LazySettings, door: str
) -> None:
    upload = uploads.create(actor, opaque_but_a_hole(), name="mask.png", metadata={})
    address = f"{settings.PUBLIC_URL}/files/{upload.id}"
    image = base64.b64encode(png()).decode()
    pictures = {"images": [{"image_url": f"data:image/png;base64,{image}"}], "mask": {"file_id": str(upload.id)}}
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "openai": ("/v1/images/edits", {**pictures, "prompt": "a beach"}),
        "jobs": ("/v1/models/official/bg-replace/predictions", {"input": encoded(image=address)}),
        "segmind": (V2, encoded(image=address)),
    }
    path, body = bodies[door]
    first = post(path, body, **{"idempotency-key": "k"})
    assert first.status_code in (200, 201), first.content
    uploads.delete(upload)
    again = post(path, body, **{"idempotency-key": "k"})
    assert again.status_code == first.status_code, again.content
    assert Generation.objects.count() == len(inline) == 1


def test_under_another_key_the_upload_that_ended_is_named(post: Post, inline: list[int], actor: Actor) -> None:
    upload = uploads.create(actor, opaque_but_a_hole(), name="mask.png", metadata={})
    uploads.delete(upload)
    picture = {"image_url": f"data:image/png;base64,{base64.b64encode(png()).decode()}"}
    body = {"images": [picture], "mask": {"file_id": str(upload.id)}, "prompt": "a beach"}
    answer = post("/v1/images/edits", body, **{"idempotency-key": "k"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "mask"
    assert not Idempotency.objects.exists()


# --- another request ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "more"),
    [(V1, {"prompt": "another"}), (V2, {}), ("/v1/sdxl-inpaint", {"mask": base64.b64encode(png()).decode()})],
    ids=["body", "address", "model"],
)
def test_the_same_key_with_another_request_is_422(
    post: Post, inline: list[int], path: str, more: dict[str, str]
) -> None:
    post(**{"idempotency-key": "k"})
    answer = post(path, encoded(**more), **{"idempotency-key": "k"})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]
    assert Generation.objects.count() == 1


def test_another_team_s_key_is_another_key(client: Client, post: Post, inline: list[int], outsider: User) -> None:
    first = post(**{"idempotency-key": "k"})
    _, theirs = keys.create(outsider.memberships.get(), name="theirs")
    headers = {"x-api-key": theirs, "idempotency-key": "k"}
    other = client.post(V1, json.dumps(encoded()), content_type="application/json", headers=headers)
    assert other.status_code == 200
    assert other["x-request-id"] != first["x-request-id"]


def test_other_keys_of_the_team_share_it(client: Client, post: Post, inline: list[int], member: User) -> None:
    first = post(**{"idempotency-key": "k"})
    _, second = keys.create(member.memberships.get(), name="second")
    headers = {"x-api-key": second, "idempotency-key": "k"}
    again = client.post(V1, json.dumps(encoded()), content_type="application/json", headers=headers)
    assert again["x-request-id"] == first["x-request-id"]


def test_while_the_first_runs_a_blocking_copy_is_409(
    post: Post, unpublished: list[int], settings: LazySettings
) -> None:
    settings.V1_DEADLINE = 0.2
    request_id = post(**{"idempotency-key": "k"}).json()["request_id"]  # 504: nobody runs it
    answer = post(**{"idempotency-key": "k"})
    assert answer.status_code == 409
    assert answer["Retry-After"] == "2"
    assert request_id in answer.json()["error"]
    execution.run(unpublished[0])
    assert post(**{"idempotency-key": "k"})["x-request-id"] == request_id


@pytest.mark.parametrize("said", ["", '""', "k" * 256, "ключ".encode().decode("latin-1"), "a\tb"])
def test_a_key_that_is_none_is_400(post: Post, unpublished: list[int], said: str) -> None:
    answer = post(**{"idempotency-key": said})
    assert answer.status_code == 400
    assert "Idempotency-Key: 1 to 255 printable" in answer.json()["error"]
    assert not Generation.objects.exists()


def test_the_longest_key_is_kept(post: Post, inline: list[int]) -> None:
    assert len({post(**{"idempotency-key": "k" * 255})["x-request-id"] for _ in range(2)}) == 1


def test_the_key_of_a_run_that_was_removed_makes_no_other(post: Post, inline: list[int]) -> None:
    first = post(**{"idempotency-key": "k"})
    removal.remove(uuid.UUID(first["x-request-id"]))
    answer = post(**{"idempotency-key": "k"})
    assert answer.status_code == 422
    assert "was removed" in answer.json()["error"]
    assert Generation.objects.count() == 1


# --- what leaves no row -------------------------------------------------------------------------------------


def test_a_refused_request_does_not_use_its_key_up(post: Post, inline: list[int], team: Team) -> None:
    assert post(body=encoded(samples=9), **{"idempotency-key": "k"}).status_code == 400
    available = ledger.balance(team.pk).available
    ledger.adjust(team.pk, -available, reference=uuid.uuid4(), note="spent")
    assert post(**{"idempotency-key": "k"}).status_code == 406
    assert not Idempotency.objects.exists()
    ledger.adjust(team.pk, available, reference=uuid.uuid4(), note="paid")
    assert post(**{"idempotency-key": "k"}).status_code == 200


def test_without_the_header_nothing_is_looked_for(post: Post, inline: list[int], sql: Callable[[], list[str]]) -> None:
    post()
    assert not any("generations_idempotency" in statement for statement in sql())
    post(**{"idempotency-key": "k"})
    assert sum("generations_idempotency" in statement for statement in sql()) == 2


@pytest.fixture
def sql() -> Iterator[Callable[[], list[str]]]:
    """Return a function that gives every statement since the test began."""
    with CaptureQueriesContext(connection) as captured:
        yield lambda: [str(query["sql"]) for query in captured.captured_queries]


# --- a day --------------------------------------------------------------------------------------------------


def test_after_a_day_the_key_is_free(post: Post, inline: list[int], time_machine: Any) -> None:
    first = post(**{"idempotency-key": "k"})
    time_machine.move_to(timezone.now() + timedelta(hours=23, minutes=59))
    assert post(**{"idempotency-key": "k"})["x-request-id"] == first["x-request-id"]
    time_machine.shift(timedelta(minutes=2))
    assert post(**{"idempotency-key": "k"})["x-request-id"] != first["x-request-id"]
    assert Idempotency.objects.count() == 1


def test_old_keys_are_deleted_in_batches(actor: Actor, engines: Configure, unpublished: list[int]) -> None:
    for number in range(5):
        submission.submit(actor=actor, door=Door.JOBS, model="bg-replace", raw=given(), once=once(actor, str(number)))
    rows = Idempotency.objects.order_by("id")
    Idempotency.objects.filter(id__in=[row.id for row in rows[:4]]).update(
        created_at=timezone.now() - timedelta(hours=25)
    )
    idempotency.purge()
    assert [row.key for row in Idempotency.objects.all()] == ["4"]
    assert Generation.objects.count() == 5


def test_deleting_takes_more_than_one_batch_where_it_must(
    actor: Actor, engines: Configure, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "BATCH", 2)
    for number in range(5):
        submission.submit(actor=actor, door=Door.JOBS, model="bg-replace", raw=given(), once=once(actor, str(number)))
    Idempotency.objects.update(created_at=timezone.now() - timedelta(hours=25))
    idempotency.purge(until=time.monotonic())
    assert Idempotency.objects.count() == 5, "the pass has no time left"
    idempotency.purge()
    assert not Idempotency.objects.exists()


def test_the_clock_asks_for_it() -> None:
    entry = app.conf.beat_schedule["purge"]
    app.loader.import_default_modules()
    assert entry["task"] in app.tasks
    assert entry["options"] == {"queue": "control", "expires": entry["schedule"]}


# --- at once ------------------------------------------------------------------------------------------------


def once(actor: Actor, key: str = "k") -> Once:
    return Once(actor.team_id, key, "f" * 64)


def test_m4_two_hundred_copies_at_once_are_one_job_and_one_hold(
    actor: Actor, engines: Configure, unpublished: list[int], team: Team
) -> None:
    def submit(_: int) -> submission.Submission:
        return submission.submit(actor=actor, door=Door.JOBS, model="bg-replace", raw=given(), once=once(actor))

    accepted = run_at_once(submit, 200)
    assert len({each.generation.id for each in accepted}) == 1
    assert sum(not each.repeated for each in accepted) == 1
    assert Generation.objects.count() == Attempt.objects.count() == len(unpublished) == holds() == 1
    assert ledger.balance(team.pk).held == Generation.objects.get().quote


def test_copies_at_once_of_a_request_that_is_refused_are_all_refused(
    actor: Actor, engines: Configure, unpublished: list[int], team: Team
) -> None:
    ledger.adjust(team.pk, -ledger.balance(team.pk).available, reference=uuid.uuid4(), note="spent")

    def submit(_: int) -> bool:
        try:
            submission.submit(actor=actor, door=Door.JOBS, model="bg-replace", raw=given(), once=once(actor))
        except ledger.InsufficientCredits:
            return True
        return False

    assert all(run_at_once(submit, 20))
    assert not Idempotency.objects.exists()


def test_m4_through_the_door(key: str, engines: Configure, unpublished: list[int]) -> None:
    body = json.dumps(encoded())

    def send(_: int) -> Any:
        headers = {"x-api-key": key, "idempotency-key": "k"}
        return Client().post(V2, body, content_type="application/json", headers=headers)

    answers = run_at_once(send, 40)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["request_id"] for answer in answers}) == 1
    assert Generation.objects.count() == holds() == 1


def test_what_is_written_alongside_is_written_once(actor: Actor, engines: Configure, unpublished: list[int]) -> None:
    written: list[Generation] = []
    for _ in range(2):
        submission.submit(
            actor=actor,
            door=Door.JOBS,
            model="bg-replace",
            raw=given(),
            once=once(actor),
            alongside=[written.append],
        )
    assert len(written) == 1


def test_a_multipart_upload_is_whole_after_its_fingerprint(
    client: Client, key: str, engines: Configure, inline: list[int]
) -> None:
    data = {"image": SimpleUploadedFile("a.png", png(90, 70)), "ref_image": SimpleUploadedFile("b.png", png())}
    headers = {"x-api-key": key, "idempotency-key": "k"}
    answer = client.post(V1, {**data, "prompt": "a beach"}, headers=headers)
    assert answer.status_code == 200
    assert Asset.objects.filter(width=90).exists()
