"""The Segmind dialect: every header and every body of the contract."""

import base64
import io
import json
import time
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts import keys, ledger
from accounts.credits import MICRO
from accounts.models import ApiKey, Team, User
from generations import dispatch, execution, finishing, statements
from generations.models import Asset, Generation
from tests.doors import Post, encoded
from tests.jobs import Configure, given, mask, png

pytestmark = pytest.mark.django_db(transaction=True)

# --- v1 -----------------------------------------------------------------------------------------------------


def test_v1_answers_with_the_picture_and_every_header(post: Post, inline: list[int], team: Team) -> None:
    answer = post(body=encoded(seed=7, negativePrompt="x"))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (64, 64)
    generation = Generation.objects.get()
    assert answer["x-request-id"] == str(generation.id)
    assert answer["x-seed-value"] == "7"
    assert answer["x-engine"] == "scripted"
    assert float(answer["x-cost"]) * MICRO == generation.cost
    assert float(answer["x-remaining-credits"]) * MICRO == ledger.balance(team.pk).available
    assert float(answer["x-generation-time"]) == 0.0
    assert json.loads(answer["x-output-metadata"]) == {"height": 64, "width": 64, "samples": 1}
    assert answer["x-ignored-parameters"] == "negativePrompt"
    assert answer["RateLimit-Policy"] == '"default";q=1000;w=60'
    assert answer["RateLimit"].startswith('"default";r=999;t=')


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", True),
        ("application/json, text/plain, */*", False),
        ("application/json, image/png", False),
    ],
)
def test_v1_answers_json_where_only_json_is_accepted(post: Post, inline: list[int], accept: str, is_json: bool) -> None:
    answer = post(accept=accept) if accept else post()
    assert (answer["Content-Type"] == "application/json") is is_json


@pytest.mark.parametrize("accept", ["image/jpeg", "image/*", "text/html"])
def test_v1_answers_with_bytes_whatever_else_is_accepted(post: Post, inline: list[int], accept: str) -> None:
    answer = post(accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert post(body={}, accept=accept).json()["error"]


def test_v1_ignored_parameters_fit_into_a_header(post: Post, inline: list[int]) -> None:
    answer = post(body=encoded(**{f"größe{number}": 1 for number in range(5000)}))
    assert answer["x-ignored-parameters"].endswith("and 4980 more")
    assert answer["x-ignored-parameters"].isascii()
    assert len(answer["x-ignored-parameters"]) < 1000


def test_an_answer_opened_by_a_browser_runs_nothing(post: Post, inline: list[int]) -> None:
    for answer in (post(), post(body=encoded(base64=True)), post("/v2/bg-replace"), post(body={}), post("/v1/nothing")):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_v1_base64(post: Post, inline: list[int]) -> None:
    body = post(body=encoded(base64=True, samples=2, seed=3)).json()
    assert body["status"] == "Success"
    assert (body["outputs"], body["seed"], body["seeds"], body["image_format"]) == (2, 3, [3, 4], "jpeg")
    assert body["image"] == body["images"][0]
    assert Image.open(io.BytesIO(base64.b64decode(body["images"][1]))).format == "JPEG"
    assert {"infer_time", "cost", "remaining_credits", "request_id"} <= body.keys()


def test_v1_samples_are_signed_links_that_end(
    post: Post, inline: list[int], client: Client, time_machine: Any, settings: LazySettings
) -> None:
    url = post(body=encoded(samples=2)).json()["images"][1]
    assert url.startswith(settings.PUBLIC_URL + "/outputs/")
    path = url.removeprefix(settings.PUBLIC_URL)
    shown = client.get(path)
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/jpeg"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown["Content-Security-Policy"]
    assert 590 <= int(shown["Cache-Control"].partition("max-age=")[2]) <= settings.LINK_SECONDS
    assert client.get(path.replace("signature=", "signature=0")).status_code == 404
    time_machine.move_to(time.time() + settings.LINK_SECONDS + 2)
    assert client.get(path).status_code == 404


def test_v1_multipart_files_and_text(client: Client, key: str, engines: Configure, inline: list[int]) -> None:
    data = {
        "image": SimpleUploadedFile("a.png", png()),
        "ref_image": base64.b64encode(png()).decode(),
        "prompt": "a beach",
        "samples": "1",
    }
    answer = client.post("/v1/bg-replace", data=data, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "image/jpeg"


def test_v1_data_uri(post: Post, inline: list[int]) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png(700, 700)).decode()
    assert post(body=encoded(image=uri)).status_code == 200
    assert Asset.objects.filter(width=700).exists()


def test_v1_a_long_base64_is_decoded_where_it_lies(post: Post, inline: list[int]) -> None:
    noise = Image.effect_noise((200, 200), 100)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    assert post(body=encoded(image=base64.b64encode(buffer.getvalue()).decode())).status_code == 200
    broken = base64.b64encode(buffer.getvalue()).decode()[:5000] + "!!!"
    answer = post(body=encoded(image=broken))
    assert answer.status_code == 400
    assert "image" in answer.json()["error"]


def test_v1_a_caller_that_gives_up_loses_nothing(
    post: Post, unpublished: list[int], settings: LazySettings, get: Any, team: Team
) -> None:
    settings.V1_DEADLINE = 0.2
    answer = post()
    assert answer.status_code == 504
    request_id = answer.json()["request_id"]
    assert get(f"/v2/requests/{request_id}/status").json()["status"] == "QUEUED"
    execution.run(unpublished[0])
    assert get(f"/v2/requests/{request_id}").json()["output"].startswith(settings.PUBLIC_URL)


def test_v1_a_cancel_while_the_caller_waits_is_409(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel_soon(*_: Any, **__: Any) -> None:
        generation_id = Generation.objects.get().id
        finishing.cancel(generation_id)

    monkeypatch.setattr(dispatch, "attempt", cancel_soon)
    assert post().status_code == 409


# --- v2 -----------------------------------------------------------------------------------------------------


def test_v2_submit_poll_and_result(post: Post, unpublished: list[int], get: Any, settings: LazySettings) -> None:
    accepted = post("/v2/bg-replace", encoded(seed=9)).json()
    base = settings.PUBLIC_URL
    request_id = accepted["request_id"]
    assert accepted == {
        "request_id": request_id,
        "status": "QUEUED",
        "poll_url": f"{base}/v1/requests/{request_id}",
        "status_url": f"{base}/v2/requests/{request_id}/status",
        "response_url": f"{base}/v2/requests/{request_id}",
    }
    assert get(f"/v2/requests/{request_id}/status").json()["status"] == "QUEUED"
    Generation.objects.update(status="running")
    assert get(f"/v2/requests/{request_id}").json()["status"] == "PROCESSING"
    Generation.objects.update(status="queued")
    execution.run(unpublished[0])
    status = get(f"/v2/requests/{request_id}/status").json()
    assert status["status"] == "COMPLETED"
    wanted = {"cost", "remaining_credits", "inference_time", "queue_time", "total_time", "retry_count"}
    assert status["metrics"].keys() == wanted
    result = get(f"/v2/requests/{request_id}").json()
    assert result["output"].startswith(f"{base}/outputs/")
    assert (result["seed"], result["prompt"], result["images"][0]["content_type"]) == (9, "a beach", "image/jpeg")
    assert get(f"/v1/requests/{request_id}").json()["output"]


def test_v2_a_failed_job_is_422_on_both(post: Post, inline: list[int], get: Any) -> None:
    request_id = post("/v2/bg-replace", encoded(prompt="@fail=unavailable")).json()["request_id"]
    for path in (f"/v2/requests/{request_id}/status", f"/v2/requests/{request_id}"):
        answer = get(path)
        assert answer.status_code == 422
        assert (answer.json()["status"], answer.json()["error"]) == ("FAILED", "the script says unavailable")


# --- more than one engine -----------------------------------------------------------------------------------


def test_v1_says_that_another_engine_stood_in(post: Post, inline: list[int], engines: Configure) -> None:
    assert "x-fallback" not in post()
    engines(hosted={"fail": "unavailable"}, own={})
    answer = post()
    assert (answer["x-engine"], answer["x-fallback"]) == ("own", "true")
    final = statements.current().final(uuid.UUID(answer["x-request-id"]))
    assert final
    assert "route" not in final.generation.get_deferred_fields()  # it would be fetched for every answer


def test_v2_lists_the_attempts_on_both(post: Post, unpublished: list[int], engines: Configure, get: Any) -> None:
    engines(hosted={"fail": "unavailable", "delay": 0.01}, own={})
    request_id = post("/v2/bg-replace").json()["request_id"]
    paths = (f"/v2/requests/{request_id}/status", f"/v2/requests/{request_id}", f"/v1/requests/{request_id}")
    waiting = {"engine": "hosted", "status": "QUEUED", "seconds": None, "error": None}
    for path in paths:
        body = get(path).json()
        assert (body["engine"], body["attempts"]) == ("hosted", [waiting])
    execution.run(unpublished[0])
    assert [each["status"] for each in get(paths[0]).json()["attempts"]] == ["FAILED", "QUEUED"]
    execution.run(unpublished[1])
    for path in paths:
        body = get(path).json()
        assert body["engine"] == "own"
        first, second = body["attempts"]
        assert (first["engine"], first["status"], first["error"]) == ("hosted", "FAILED", "the script says unavailable")
        assert first["seconds"] >= 0.01
        assert second == {"engine": "own", "status": "COMPLETED", "seconds": 0.0, "error": None}
        assert body["metrics"]["retry_count"] == 1


def test_v2_a_failed_job_lists_its_attempts(post: Post, inline: list[int], get: Any) -> None:
    request_id = post("/v2/bg-replace", encoded(prompt="@fail=unknown")).json()["request_id"]
    body = get(f"/v2/requests/{request_id}").json()
    assert body["engine"] == "scripted"
    (only,) = body["attempts"]
    assert (only["status"], only["error"]) == ("UNKNOWN", "the script says unknown")


# --- account and files --------------------------------------------------------------------------------------


def test_credits(get: Any, team: Team) -> None:
    assert get("/v1/get-user-credits").json() == {"credits": 25.0, "free-credits": 0}


def test_an_upload_is_used_by_its_url_and_by_its_team_only(
    client: Client, post: Post, inline: list[int], outsider: User, settings: LazySettings
) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png(80, 80)).decode()
    body = post("/upload-asset", {"data_urls": [uri]}).json()
    url = body["file_urls"][0]
    assert body["urls"] == [url]
    assert url.startswith(settings.PUBLIC_URL)
    assert post(body=encoded(image=url)).status_code == 200
    _, theirs = keys.create(outsider.memberships.get(), name="theirs")
    refused = client.post(
        "/v1/bg-replace",
        json.dumps(encoded(image=url)),
        content_type="application/json",
        headers={"x-api-key": theirs},
    )
    assert refused.status_code == 400
    path = url.removeprefix(settings.PUBLIC_URL)
    assert client.get(path, headers={"x-api-key": theirs}).status_code == 404
    assert client.get(path).status_code == 401


def test_an_upload_ends_after_a_day(post: Post, settings: LazySettings, time_machine: Any) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png(80, 80)).decode()
    url = post("/upload-asset", {"data_urls": [uri]}).json()["file_urls"][0]
    time_machine.move_to(time.time() + settings.UPLOAD_SECONDS + 10)
    answer = post(body=encoded(image=url))
    assert answer.status_code == 400
    assert "expired" in answer.json()["error"]


@pytest.mark.parametrize("body", [{}, {"data_urls": []}, {"data_urls": ["x"]}, {"data_urls": "data:"}])
def test_a_bad_upload_is_400(post: Post, body: dict[str, Any]) -> None:
    answer = post("/upload-asset", body)
    assert answer.status_code == 400
    assert "data_urls" in answer.json()["error"]


def test_an_output_link_is_an_input(post: Post, inline: list[int]) -> None:
    link = post(body=encoded(samples=2)).json()["images"][0]
    assert post(body=encoded(image=link)).status_code == 200
    assert Generation.objects.count() == 2


def test_masks_and_every_model(post: Post, inline: list[int]) -> None:
    for slug in ("inpaint-auto", "sdxl-inpaint", "sd1.5-inpainting"):
        raw = {n: base64.b64encode(v).decode() if isinstance(v, bytes) else v for n, v in given(slug).items()}
        assert post(f"/v1/{slug}", raw).status_code == 200
    raw["mask"] = base64.b64encode(mask(10, 12)).decode()
    assert post("/v1/sd1.5-inpainting", raw).status_code == 200


def test_s8_a_revoked_key_is_refused(post: Post, key: str) -> None:
    row = ApiKey.objects.get(prefix=key[:11])
    keys.revoke(row)
    assert post().status_code == 401
