"""Which network addresses are the public internet.

The list is our own: Python 3.11's `is_global` takes NAT64, 6to4 and ::127.0.0.1 for public, all of which lead
to, or may lead to, a private IPv4 address.
"""

import socket
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

_DENIED_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a cloud's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host, public by its number alone
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

_GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is handed out for use on the internet. Outside it: ::1, IPv4-mapped and -compatible forms, NAT64 in both its
blocks, discard-only, unique local, link-local, site-local, multicast."""

_DENIED_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")
"""Names that the root of the internet will never have: RFC 6761, 6762, 8375, and ICANN's of 2024."""


def is_public(address: str) -> bool:
    """Return whether `address`, numeric as the resolver gives it, is on the public internet.

    Raises ValueError where it is not an address.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed not in _GLOBAL_V6:
            return False
        return not any(parsed in block for block in _DENIED_V6)
    return not any(parsed in block for block in _DENIED_V4)


def is_private_host(host: str) -> bool:
    """Return whether a host, as a URL writes it, can by its name alone be none of the public internet: a private
    address in any notation, or a name of no more than one's own network. Nothing is resolved."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        pass
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))  # 127.1, 0x7f.1, 2130706433
    except OSError:
        return "." not in host or any(host.endswith(f".{name}") for name in _LOCAL_NAMES)
