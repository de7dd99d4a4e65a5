"""TLS: the address is the one that was checked, the name in the handshake and in Host stays the URL's."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests.adapters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generations import outbound
from tests.loopback import answer

NAME = "shop.example"


def _certificate(folder: Path) -> Path:
    """Write a key and a certificate for NAME, signed by itself, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    form = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(form)
    )
    return path


@contextmanager
def serving(pem: Path, reply: Callable[[ssl.SSLSocket], object]) -> Iterator[tuple[int, list[str | None]]]:
    """Answer one connection; yield the port, and the names that were asked for in the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def serve() -> None:
        try:
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                requested.append(connection.recv(65536))
                reply(connection)
        except OSError:
            return  # the client has hung up, as it should

    requested: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], names
        thread.join(5)
    assert all(f"Host: {NAME}:".encode() in request for request in requested)


@pytest.fixture
def pem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = socket.getaddrinfo

    def resolve(host: str, port: int, **options: Any) -> list[Any]:
        assert host == NAME
        return list(real("127.0.0.1", port, **options))

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return _certificate(tmp_path)


def _fetch(port: int, seconds: float = 5) -> outbound.Fetched:
    return outbound.fetch(f"https://{NAME}:{port}/", allow=[f"{NAME}:{port}"], seconds=seconds)


def test_the_name_is_in_the_handshake_and_is_what_the_certificate_must_say(
    pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(pem))
    with serving(pem, lambda connection: connection.sendall(answer(b"pixels"))) as (port, names):
        assert _fetch(port).data == b"pixels"
    assert names == [NAME]


def test_a_certificate_that_nobody_vouches_for_is_a_failure(pem: Path) -> None:
    with (
        serving(pem, lambda connection: connection.sendall(answer(b"pixels"))) as (port, _),
        pytest.raises(outbound.Failed, match="certificate"),
    ):
        _fetch(port)


def test_a_dripping_body_ends_at_the_deadline_under_tls_too(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(pem))
    stopped = threading.Event()

    def reply(connection: ssl.SSLSocket) -> None:
        connection.sendall(answer(b"", "Content-Length: 1000"))
        while not stopped.wait(0.05):
            connection.sendall(b"x")

    with serving(pem, reply) as (port, _):
        started = time.monotonic()
        with pytest.raises(outbound.Failed, match=r"longer than 0.6 s"):
            _fetch(port, 0.6)
        assert time.monotonic() - started < 1.6
        stopped.set()
