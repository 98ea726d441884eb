"""The client's address, as the server and the proxies that it trusts have it."""

from collections.abc import Mapping
from typing import Any

from accountsapp.domain.rules import client_addresses

PEER = "accountsapp.peer"
"""The key of the environment under which the server keeps the address of who is connected, a proxy or not."""


def client_address(environ: Mapping[str, Any]) -> str:
    """The client's address; a proxy's word for it counts only where the server trusts the proxy, and what it
    says counts as the proxy's own where that is no address. Empty where nothing is known.
    """
    text: str = environ.get("REMOTE_ADDR", "")
    port = environ.get("REMOTE_PORT", "")
    if port and not port.isdigit():
        # waitress takes what follows the last colon of an unbracketed IPv6 address with a dot for a port.
        text = f"{text}:{port}"
    address = client_addresses.parse(text)
    if address is None:
        address = client_addresses.parse(environ.get(PEER, ""))
    return address or ""
