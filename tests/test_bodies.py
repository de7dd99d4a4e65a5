"""Request bodies: whatever a client sends, it is told what is wrong, and never by a 500."""

import base64
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from hypothesis import HealthCheck, example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from PIL import Image

from accounts import ledger
from accounts.models import Team
from generations import catalogue
from generations.models import Asset, Generation
from tests.jobs import Configure, given, png

pytestmark = pytest.mark.django_db(transaction=True)

Send = Callable[..., Any]
EXPECTED = {200, 400, 404, 406, 413, 429}
FUZZ = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def send(client: Client, key: str, engines: Configure, inline: list[int], settings: LazySettings) -> Send:
    """Return a function that posts bytes as they are, with the member's key."""
    settings.RATE_LIMIT = 0

    def do(body: bytes, content_type: str = "application/json", path: str = "/v1/bg-replace", **headers: str) -> Any:
        return client.generic("POST", path, body, content_type=content_type, headers={"x-api-key": key, **headers})

    return do


def encoded(**more: Any) -> dict[str, Any]:
    raw = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in given().items()}
    return {**raw, **more}


def noise() -> bytes:
    """Return a PNG whose base64 is long and has every character."""
    buffer = io.BytesIO()
    Image.effect_noise((120, 120), 100).save(buffer, "PNG")
    return buffer.getvalue()


def error_of(answer: Any) -> str:
    assert answer["Content-Type"] == "application/json", answer.content[:200]
    return str(answer.json()["error"])


# --- JSON ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b" ", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"prompt": NaN}', "not a JSON object"),
        (b'{"seed": 1e400}', "not a JSON object"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "not a JSON object"),
        (b'{"prompt": "\\ud800"}', "not a JSON object"),
        (b'{"\\udc00": 1}', "not a JSON object"),
        (b'\xef\xbb\xbf{"a": 1}', "not a JSON object"),
        (b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a JSON object"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not a JSON object"),
        (b'{"image": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a JSON object"),
        (b'{"image": "' + b"\xff" * 3000 + b'"}', "not a JSON object"),
        (b'{"prompt": "\xff"}', "not a JSON object"),
        (b"{}", "image is required"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_json_that_is_none_is_a_400(send: Send, team: Team, body: bytes, message: str) -> None:
    answer = send(body)
    assert answer.status_code == 400
    assert message in error_of(answer)
    assert ledger.balance(team.pk).held == 0


def test_the_last_of_two_equal_names_counts(send: Send) -> None:
    body = json.dumps(encoded()).encode()[:-1]
    assert send(body + b', "samples": 9, "samples": 1}').status_code == 200
    assert "samples" in error_of(send(body + b', "samples": 1, "samples": 9}'))


@pytest.mark.parametrize("character", ["/", "+", "A"])
def test_base64_whose_characters_are_escaped(send: Send, character: str) -> None:
    """PHP escapes every "/", .NET every "+"."""
    picture = noise()
    body = json.dumps(encoded(image=base64.b64encode(picture).decode()))
    escaped = {"/": "\\/", "+": "\\u002B", "A": "\\u0041"}[character]
    assert send(body.replace(character, escaped).replace(escaped + "pplication", "").encode()).status_code in {200, 400}
    image = json.dumps(base64.b64encode(picture).decode()).replace(character, escaped)
    rest = json.dumps({name: value for name, value in encoded().items() if name != "image"})
    answer = send(f'{rest[:-1]}, "image": {image}}}'.encode())
    assert answer.status_code == 200, answer.content
    assert Asset.objects.filter(size=len(picture)).exists()


@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "data:image/png;name=" + "x" * 200 + ";base64,"])
def test_long_base64_bare_and_in_a_uri(send: Send, head: str) -> None:
    answer = send(json.dumps(encoded(image=head + base64.b64encode(noise()).decode())).encode())
    assert answer.status_code == 200, answer.content


def test_long_base64_that_is_none_shows_its_beginning(send: Send) -> None:
    answer = send(json.dumps(encoded(image="iVBORw0K!" + "A" * 5000)).encode())
    assert answer.status_code == 400
    assert "iVBORw0K!" in error_of(answer)
    assert len(error_of(answer)) < 300


def test_a_long_url_is_a_url(send: Send) -> None:
    answer = send(json.dumps(encoded(image="http://10.0.0.1/" + "a" * 3000)).encode())
    assert "not on the public internet" in error_of(answer)


# --- forms --------------------------------------------------------------------------------------------------


def form(*parts: tuple[str, bytes], boundary: str = "x") -> bytes:
    """Return a multipart body of (headers after "Content-Disposition: form-data; ", content)."""
    sections = (
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    return b"".join(sections) + f"--{boundary}--\r\n".encode()


GOOD = (
    ('name="image"; filename="a.png"', png()),
    ('name="ref_image"; filename="b.png"', png()),
    ('name="prompt"', b"a beach"),
)


@pytest.mark.parametrize("charset", ["hex", "base64", "rot13", "idna", "utf-16", "utf-7", "nonsense", "undefined"])
def test_a_charset_of_the_clients_choice(send: Send, charset: str) -> None:
    answer = send(form(*GOOD), f"multipart/form-data; boundary=x; charset={charset}")
    assert answer.status_code in {200, 400}, answer.content


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (form(*GOOD), "multipart/form-data"),
        (form(*GOOD), "multipart/form-data; boundary=" + "y" * 300),
        (form(*GOOD)[:-60], "multipart/form-data; boundary=x"),
        (form(*((f'name="n{n}"', b"1") for n in range(1500))), "multipart/form-data; boundary=x"),
        (form(*((f'name="f{n}"; filename="f"', b"1") for n in range(200))), "multipart/form-data; boundary=x"),
        (form(('name="prompt"; filename="p.txt"', b"a file")), "multipart/form-data; boundary=x"),
        (form(('name="image"; filename=""', b"")), "multipart/form-data; boundary=x"),
        (
            form(('name="image"; filename="a"\r\nContent-Transfer-Encoding: base64', b"!!!")),
            "multipart/form-data; boundary=x",
        ),
        (b"\r\n", "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_is_none_is_a_400(send: Send, body: bytes, content_type: str) -> None:
    answer = send(body, content_type)
    assert answer.status_code == 400
    assert error_of(answer)


def test_a_file_comes_before_a_text_of_its_name(send: Send) -> None:
    answer = send(form(*GOOD, ('name="image"', b"???")), "multipart/form-data; boundary=x")
    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "a\x00b", "/"])
def test_another_type_is_a_406(send: Send, content_type: str) -> None:
    assert send(b"prompt=x", content_type).status_code == 406


# --- names that are ignored ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a\r\nSet-Cookie: x=1", "a\x00b", "日本語", "é", "🧴" * 100, "x" * 100_000, "", "\u2028", "\x7f", "a, b"],
    ids=range(10),
)
def test_ignored_names_are_fit_for_a_header(send: Send, name: str) -> None:
    answer = send(json.dumps(encoded(**{name: 1})).encode())
    assert answer.status_code == 200
    value = answer["x-ignored-parameters"]
    value.encode("latin-1")
    assert "\r" not in value
    assert "\n" not in value
    assert "Set-Cookie" not in answer


# --- anything at all ----------------------------------------------------------------------------------------

NAMES = sorted({name for model in catalogue.MODELS.values() for name in model.by_name})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["http://", "https://[", "data:,", "data:;base64,", "http://\ud800/", "@cost=nan", "1e5", " "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SLUGS = st.sampled_from(sorted(catalogue.MODELS))


@FUZZ
@drawn(slug=SLUGS, more=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), VALUES, max_size=4))
@example(slug="bg-replace", more={"image": "http://\ud800/"})
@example(slug="bg-replace", more={"seed": float("nan"), "prompt": "\x00"})
def test_fuzz_json_values(send: Send, slug: str, more: dict[str, Any]) -> None:
    raw = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in given(slug).items()}
    answer = send(json.dumps({**raw, **more}).encode(), path=f"/v1/{slug}")
    assert answer.status_code in EXPECTED, (answer.status_code, answer.content[:300])


@FUZZ
@drawn(seed=st.integers(0, 2**32), edits=st.integers(1, 6), is_form=st.booleans())
def test_fuzz_bytes(send: Send, seed: int, edits: int, is_form: bool) -> None:
    chance = random.Random(seed)
    body = bytearray(form(*GOOD) if is_form else json.dumps(encoded()).encode())
    for _ in range(edits):
        at = chance.randrange(len(body))
        body[at : at + chance.choice([0, 1, 1, 4])] = chance.choice([b"", b"\x00", b'"', b"\\", b"\r\n", b"\xff", b"{"])
    answer = send(bytes(body), "multipart/form-data; boundary=x" if is_form else "application/json")
    assert answer.status_code in EXPECTED, (answer.status_code, answer.content[:300])


@FUZZ
@drawn(
    parts=st.lists(
        st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), st.booleans(), st.binary(max_size=40)), max_size=5
    ),
    charset=st.sampled_from(["", "utf-8", "utf-16", "latin-1", "hex", "punycode"]),
)
def test_fuzz_forms(send: Send, parts: list[tuple[str, bool, bytes]], charset: str) -> None:
    named = [(f'name="{name}"' + ('; filename="f"' if is_file else ""), content) for name, is_file, content in parts]
    kind = "multipart/form-data; boundary=x" + (f"; charset={charset}" if charset else "")
    answer = send(form(*GOOD, *_sendable(named)), kind)
    assert answer.status_code in EXPECTED, (answer.status_code, answer.content[:300])


def _sendable(parts: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(head.encode(errors="replace").decode(), content) for head, content in parts]


def test_what_was_refused_left_no_trace(send: Send, team: Team) -> None:
    for body in (b"{", json.dumps(encoded(samples=99)).encode(), json.dumps(encoded(image="!")).encode()):
        assert send(body).status_code == 400
    assert not Generation.objects.exists()
    assert ledger.check() == []
