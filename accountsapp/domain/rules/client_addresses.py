"""The addresses of clients: how one is written, and whose it is."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

CUSTOMER_PREFIX = 64
"""Bits of an IPv6 address that one customer has alone; the rest are the customer's to choose."""

_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d*)?|([^:]*):\d*", re.ASCII)


@lru_cache(maxsize=4096)
def parse(text: str) -> str | None:
    """The address, without port, brackets and zone; an IPv4 that is mapped into IPv6 is that IPv4.

    :returns: None for what is no address
    """
    with_port = _WITH_PORT.fullmatch(text)
    if with_port is not None:
        text = with_port[1] or with_port[2] or ""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or IPv6Address(int(address))
    return str(address)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """As whom a client is counted: an IPv6 address by its /64; everything else as it is."""
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    host_bits = 128 - CUSTOMER_PREFIX
    return f"{IPv6Address(int(parsed) >> host_bits << host_bits)}/{CUSTOMER_PREFIX}"
