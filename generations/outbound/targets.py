"""URLs that strangers name: whether they may be asked for at all. Where they lead is checked in connect."""

from collections.abc import Sequence
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from generations.outbound import calls
from generations.outbound.errors import Refused

MAX_URL = 8192


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked for, as it will be sent."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """Return "host:port" in the form that `opened` compares."""
        return f"{self.host}:{self.port}"

    def opened(self, allow: Sequence[str]) -> frozenset[str]:
        """Return the target's own place where it is among the "host:port" entries of `allow`."""
        return frozenset(map(_place, allow)) & {self.place}


def target(url: str, hosts: Sequence[str] = ()) -> Target:
    """Return the target that a URL names; where `hosts` are named, only they and their subdomains. Raises Refused."""
    if len(url) > MAX_URL:
        raise Refused(f"the URL has {len(url):,} characters; at most {MAX_URL:,} are allowed")
    try:
        sent = requests.Request("GET", url).prepare().url or ""
        parts = parse_url(sent)
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise Refused("the URL is not one that can be fetched; http:// and https:// are") from error
    if parts.scheme not in calls.PORTS or not parts.host:
        raise Refused(f"the URL's scheme is {parts.scheme!r}; http and https are allowed")
    if parts.auth is not None or "@" in (parts.netloc or ""):
        raise Refused("the URL carries a name or password; that is not allowed")
    port = calls.PORTS[parts.scheme] if parts.port is None else parts.port
    host = calls.normal(parts.host)
    if hosts and not any(host == named or host.endswith(f".{named}") for named in hosts):
        raise Refused(f"the URL's host {host!r} is not one of {', '.join(hosts)}")
    return Target(sent, parts.scheme, host, port)


def _place(entry: str) -> str:
    """Return an entry of `allow` in the form of `Target.place`."""
    host, _, port = entry.strip().rpartition(":")
    return f"{calls.normal(host)}:{port}"
