"""What every request gets: an id, a limit on its body, and no secrets in the log."""

import io
import logging
import sys
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory

from config import requests

LIMIT = 1000


@pytest.fixture(autouse=True)
def _limit(settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = LIMIT
    requests._current.set("-")


def answer(request: HttpRequest) -> HttpResponseBase:
    """An application that says which id it saw and how much of the body."""
    return HttpResponse(f"{requests.current()} {len(request.body)}")


def test_a_sane_id_is_kept_and_answered() -> None:
    response = requests.RequestIdMiddleware(answer)(
        RequestFactory().get("/", headers={"x-request-id": "order-7.a_b:c"})
    )
    assert response["x-request-id"] == "order-7.a_b:c"
    assert isinstance(response, HttpResponse)
    assert response.content.startswith(b"order-7.a_b:c ")


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "line\nbreak", "-first", "ключ", "<script>"])
def test_any_other_is_replaced(given: str) -> None:
    made = [
        requests.RequestIdMiddleware(answer)(RequestFactory().get("/", HTTP_X_REQUEST_ID=given))["x-request-id"]
        for _ in range(2)
    ]
    assert given not in made
    assert len(set(made)) == 2
    assert all(len(each) == 32 for each in made)


def test_an_id_that_a_view_set_stays() -> None:
    def view(_: HttpRequest) -> HttpResponseBase:
        return HttpResponse(headers={"x-request-id": "the job's"})

    assert requests.RequestIdMiddleware(view)(RequestFactory().get("/"))["x-request-id"] == "the job's"


def test_what_django_logs_after_the_answer_carries_it_too(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(requests.RequestIdFilter())
    with caplog.at_level(logging.WARNING, "django.request"):
        client.get("/no-such-page", headers={"x-request-id": "order-9"})
    assert [record.request_id for record in caplog.records if record.name == "django.request"] == ["order-9"]  # type: ignore[attr-defined]


def test_every_answer_of_the_site_carries_one(client: Client) -> None:
    for path in ("/healthz", "/v1/no-such-thing"):
        assert client.get(path)["x-request-id"]


def limited(given: HttpRequest) -> HttpResponseBase:
    """Pass the request through the middleware as Django does."""
    middleware = requests.BodyLimitMiddleware(
        lambda each: middleware.process_view(each, answer, (), {}) or answer(each)
    )
    return middleware(given)


def request(body: bytes, **environ: Any) -> WSGIRequest:
    basis = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80"}
    return WSGIRequest({**basis, "wsgi.input": io.BytesIO(body), **environ})


@pytest.mark.parametrize(("size", "status"), [(0, 200), (LIMIT, 200), (LIMIT + 1, 413), (10**12, 413)])
def test_a_declared_length_over_the_limit_is_refused(size: int, status: int) -> None:
    body = b"x" * min(size, LIMIT)
    response = limited(request(body, CONTENT_LENGTH=str(size)))
    assert response.status_code == status


@pytest.mark.parametrize(("size", "status"), [(0, 200), (LIMIT, 200), (LIMIT + 1, 413), (100 * LIMIT, 413)])
def test_a_chunked_body_is_read_up_to_the_limit(size: int, status: int) -> None:
    stream = io.BytesIO(b"x" * size)
    response = limited(request(b"", HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": stream}))
    assert response.status_code == status
    assert stream.tell() <= LIMIT + 1
    if status == 200:
        assert isinstance(response, HttpResponse)
        assert response.content == f"- {size}".encode()


def test_the_site_refuses_a_body_over_the_limit(client: Client) -> None:
    response = client.post("/v1/bg-replace", b"x" * (LIMIT + 1), content_type="application/json")
    assert response.status_code == 413
    assert "limit" in response.json()["error"]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("key ss_WAu1zwxo4XmPjaFiUlun1mwWEruTbJjs21AGXd!", "key ss_WAu1zwxo…!"),
        ("GET /outputs/1.png?expires=1&signature=abc-_x&more=1", "GET /outputs/1.png?expires=1&signature=…&more=1"),
        ("{'x-api-key': 'SG_whatever', 'a': 1}", "{'x-api-key': '…', 'a': 1}"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("{'Authorization': 'Token abc'}", "{'Authorization': 'Token …'}"),
        ("authorization=Basic dTpw", "authorization=Basic …"),
        ("sent Bearer abcdefghijk1.x to", "sent Bearer … to"),
        ("the bearer acknowledges it", "the bearer acknowledges it"),
        ("at postgres://me:s3cr/t@db:5432/x", "at postgres://me:…@db:5432/x"),
        ("'s3://KEY:a/b+c@host/b?region=x'", "'s3://KEY:…@host/b?region=x'"),
        ("amqp://guest:guest@rabbit:5672//", "amqp://guest:…@rabbit:5672//"),
        ("rediss://:p@ss@host/0 down", "rediss://:…@host/0 down"),
        ("http://host:8000/a?b=c", "http://host:8000/a?b=c"),
        ("ss_short and class_names stay", "ss_short and class_names stay"),
    ],
)
def test_secrets_are_cut_short(text: str, masked: str) -> None:
    assert requests.mask(text) == masked


def test_a_log_line_carries_the_id_and_masks_the_traceback_too() -> None:
    formatter = requests.LineFormatter("[{request_id}] {message}", style="{")
    try:
        raise ValueError("?signature=topsecret")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "signature=%s", ("hidden",), sys.exc_info())
    requests.RequestIdFilter().filter(record)
    line = formatter.format(record)
    assert line.startswith("[-] signature=…")
    assert "ValueError" in line
    assert "topsecret" not in line
    assert "hidden" not in line
