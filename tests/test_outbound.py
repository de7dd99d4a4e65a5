"""S1: no fetch reaches a private network, however it is written."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from generations import addresses, outbound

Reply = Callable[[socket.socket, str], None]

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:2800:220:1:248:1893:25c8:1946"


class Network:
    """What would leave the machine: every connect is recorded and refused; names are answered from a table."""

    def __init__(self) -> None:
        self.connects: list[tuple[str, int]] = []
        self.names: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._resolve = socket.getaddrinfo

    def connect(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        self.connects.append((address[0], address[1]))
        raise ConnectionRefusedError

    def getaddrinfo(self, host: str, port: int, **options: Any) -> list[Any]:
        """Answer each question from the name's list of answers, the last for good; numbers as the system reads them."""
        self.asked.append(host)
        answers = self.names.get(host.rstrip("."))
        if answers is None:
            return self._resolve(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        return [row for address in now for row in self._resolve(address, port, type=socket.SOCK_STREAM)]

    @property
    def private(self) -> list[tuple[str, int]]:
        return [found for found in self.connects if not addresses.is_public(found[0])]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    stub = Network()
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: stub.connect(self, address))
    monkeypatch.setattr(socket, "getaddrinfo", stub.getaddrinfo)
    return stub


FORMS = """
127.0.0.1 127.1 127.0.1 0 0.0.0.0 2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 017700000001 0177.0.0.1 0177.0.0.01
127.0.0.1. 10.0.0.1 10.1 167772161 172.16.0.1 192.168.1.1 0xc0a80101 169.254.169.254 2852039166 0xa9fea9fe
0251.0376.0251.0376 100.64.0.1 100.100.100.200 192.0.0.192 198.18.0.1 224.0.0.1 255.255.255.255 168.63.129.16
[::1] [::] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:169.254.169.254] [0:0:0:0:0:ffff:10.0.0.1]
[64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::a00:1] [2002:7f00:1::] [2002:a9fe:a9fe::1]
[2001:0:4136:e378:8000:63bf:3fff:fdd2] [fe80::1] [fc00::1] [fd00:ec2::254] [ff02::1] [fec0::1] [2001:db8::1]
①②⑦.⓪.⓪.① 127。0。0。1 127.0.0.1 169。254。169。254
""".split()  # noqa: SIM905 -- read as a table


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_way_of_writing_a_private_address_leads_there(network: Network, form: str, scheme: str) -> None:
    with pytest.raises(outbound.OutboundError):
        outbound.fetch(f"{scheme}://{form}/image.png")
    with pytest.raises(outbound.OutboundError):
        outbound.fetch(f"{scheme}://{form}:8443/image.png")
    assert network.connects == []


def test_there_are_enough_forms() -> None:
    assert len(set(FORMS)) >= 30


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fd00::1", "2002:a00:1::"],
)
@pytest.mark.parametrize("name", ["inside.example", "inside.example.", "INSIDE.example", "xn--bcher-kva.example"])
def test_a_name_that_leads_inside_is_refused(network: Network, name: str, address: str) -> None:
    network.names = {"inside.example": [[address]], "xn--bcher-kva.example": [[address]]}
    with pytest.raises(outbound.Refused, match="not on the public internet"):
        outbound.fetch(f"http://{name}/")
    assert network.connects == []


def test_localhost_is_refused_by_what_it_resolves_to(network: Network) -> None:
    network.names = {"localhost": [["127.0.0.1", "::1"]]}
    with pytest.raises(outbound.Refused):
        outbound.fetch("http://localhost./")
    assert network.connects == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_public_name_goes_out_to_the_address_that_was_checked(network: Network, scheme: str) -> None:
    network.names = {"shop.example": [[PUBLIC]]}
    with pytest.raises(outbound.Failed):
        outbound.fetch(f"{scheme}://shop.example/a.png")
    assert network.connects == [(PUBLIC, 443 if scheme == "https" else 80)]


@pytest.mark.parametrize("url", [f"http://{PUBLIC}/", f"http://[{PUBLIC_V6}]:8080/"])
def test_a_public_number_goes_out(network: Network, url: str) -> None:
    with pytest.raises(outbound.Failed):
        outbound.fetch(url)
    assert len(network.connects) == 1
    assert network.private == []


def test_an_international_name_is_asked_for_in_its_encoded_form(network: Network) -> None:
    network.names = {"xn--bcher-kva.example": [[PUBLIC]]}
    with pytest.raises(outbound.Failed):
        outbound.fetch("http://bücher.example/")
    assert network.asked == ["xn--bcher-kva.example"]
    assert network.connects == [(PUBLIC, 80)]


def test_of_mixed_answers_only_the_public_are_connected_to(network: Network) -> None:
    network.names = {"mixed.example": [["10.0.0.1", PUBLIC, "127.0.0.1", PUBLIC_V6, "64:ff9b::808:808"]]}
    with pytest.raises(outbound.Failed):
        outbound.fetch("http://mixed.example/")
    assert network.connects == [(PUBLIC, 80), (PUBLIC_V6, 80)]


def test_a_resolver_that_changes_its_mind_is_asked_once(network: Network) -> None:
    network.names = {"rebind.example": [[PUBLIC], ["127.0.0.1"]]}
    with pytest.raises(outbound.Failed):
        outbound.fetch("http://rebind.example/")
    assert network.asked == ["rebind.example"]
    assert network.connects == [(PUBLIC, 80)]
    with pytest.raises(outbound.Refused):
        outbound.fetch("http://rebind.example/")
    assert network.private == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://shop.example/a.png", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:70/", "scheme"),
        ("data:image/png;base64,AAAA", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("//shop.example/a.png", "http://"),
        ("shop.example/a.png", "http://"),
        ("", "http://"),
        ("http://", "http://"),
        ("http://name:word@shop.example/", "name or password"),
        ("http://shop.example@127.0.0.1/", "name or password"),
        ("http://shop.example:22/", "port is 22"),
        ("http://shop.example:25/", "port is 25"),
        ("http://shop.example:99999/", "http://"),
        ("http://*.example/", "http://"),
        ("http://shop.example/" + "a" * 9000, "at most 8,192"),
    ],
)
def test_a_url_that_may_not_be_fetched_is_refused_without_a_question(network: Network, url: str, said: str) -> None:
    network.names = {"shop.example": [[PUBLIC]]}
    with pytest.raises(outbound.Refused, match=said):
        outbound.fetch(url)
    assert network.asked == []
    assert network.connects == []


def test_an_entry_of_allow_opens_that_host_and_port_alone(network: Network) -> None:
    network.names = {"store.internal": [["10.0.0.5"]]}
    with pytest.raises(outbound.Failed):
        outbound.fetch("http://Store.Internal.:9000/a.png", allow=["store.internal:9000"])
    assert network.connects == [("10.0.0.5", 9000)]
    for url in ("http://store.internal/a.png", "http://store.internal:9001/", "http://10.0.0.5:9000/"):
        with pytest.raises(outbound.Refused):
            outbound.fetch(url, allow=["store.internal:9000"])
    assert len(network.connects) == 1


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_not_used(
    network: Network, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:3128")
    network.names = {"shop.example": [[PUBLIC]]}
    with pytest.raises(outbound.Failed):
        outbound.fetch("http://shop.example/")
    assert network.connects == [(PUBLIC, 80)]


def test_an_error_gives_no_address_away(network: Network) -> None:
    network.names = {"inside.example": [["10.20.30.40"]]}
    with pytest.raises(outbound.Refused) as caught:
        outbound.fetch("http://inside.example/")
    assert "10.20.30.40" not in str(caught.value)
