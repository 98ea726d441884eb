"""The client's address, as the server and the proxies that it trusts have it."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from waitress.proxy_headers import PROXY_HEADERS

from accountsapp.domain.rules import client_addresses

PEER = "accountsapp.peer"
"""The key of the environment under which the server keeps the address of who is connected, a proxy or not."""
FORWARDED_FOR = "accountsapp.forwarded_for"
"""The same for ``X-Forwarded-For`` as it was sent: waitress takes away what no trusted proxy says."""


OF_PROXIES = frozenset(f"HTTP_{name}" for name in PROXY_HEADERS)
"""The headers in which a proxy says what it knows, as WSGI calls them."""


class KeepingPeer:
    """Keeps both for the application, whatever a server makes of a proxy's word (WSGI middleware).

    :param behind_proxy: the application behind what reads the headers of proxies, for requests that have some
    """

    def __init__(self, behind_proxy: Any, application: Any) -> None:
        self._behind_proxy = behind_proxy
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ[PEER] = environ["REMOTE_ADDR"]
        environ[FORWARDED_FOR] = environ.get("HTTP_X_FORWARDED_FOR", "")
        application = self._application if environ.keys().isdisjoint(OF_PROXIES) else self._behind_proxy
        return application(environ, start_response)


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


def proxied_client(environ: Mapping[str, Any], default: str) -> str:
    """Whose request a proxy asks about: the last address in ``X-Forwarded-For``, else ``X-Real-IP``.

    Anybody may write that: it is good for nothing but counting where the one who asks is known.

    :param default: where neither is sent, or what is sent is no address
    """
    forwarded: str = environ.get(FORWARDED_FOR) or environ.get("HTTP_X_FORWARDED_FOR", "")
    sent = forwarded.rpartition(",")[2] if forwarded else environ.get("HTTP_X_REAL_IP", "")
    return client_addresses.parse(sent.strip()) or default


@lru_cache(maxsize=4096)
def is_among(address: str, networks: tuple[str, ...]) -> bool:
    """Whether a client's address is one of those, or in one of those networks; the empty one is in none."""
    try:
        client = ip_address(address)
    except ValueError:
        return False
    return any(client in ip_network(network) for network in networks)
