"""The addresses of clients: how one is written, and whose it is."""

import re
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

CUSTOMER_BYTES = 8
"""Of an IPv6 address, its /64: what one customer has alone; the rest are the customer's to choose."""

_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d*)?|([^:]*):\d*", re.ASCII)
_MAPPED = bytes(10) + b"\xff\xff"


@lru_cache(maxsize=4096)
def parse(text: str) -> str | None:
    """The address, without port, brackets and zone; an IPv4 that is mapped into IPv6 is that IPv4.

    :returns: None for what is no address
    """
    with_port = _WITH_PORT.fullmatch(text)
    if with_port is not None:
        text = with_port[1] or with_port[2] or ""
    packed = _packed(AF_INET, text)
    if packed is not None:
        return inet_ntop(AF_INET, packed)
    packed = _packed(AF_INET6, text.partition("%")[0])
    if packed is None:
        return None
    if packed.startswith(_MAPPED):
        return inet_ntop(AF_INET, packed[len(_MAPPED) :])
    return inet_ntop(AF_INET6, packed)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """As whom a client is counted: an IPv6 address by its /64; everything else as it is."""
    packed = _packed(AF_INET6, address) if ":" in address else None
    if packed is None:
        return address
    network = packed[:CUSTOMER_BYTES].ljust(len(packed), b"\0")
    return f"{inet_ntop(AF_INET6, network)}/{CUSTOMER_BYTES * 8}"


def _packed(family: int, text: str) -> bytes | None:
    try:
        return inet_pton(family, text)
    except (OSError, ValueError):
        return None
