"""What a trusted proxy says of a client: read here where it is plain, by waitress otherwise.

Behind a proxy every request has such headers, and waitress looks in them for six things that are not there.
"""

import re
from collections.abc import Callable
from typing import Any

from accountsapp.web.client_address import OF_PROXIES

FOR = "HTTP_X_FORWARDED_FOR"
PROTO = "HTTP_X_FORWARDED_PROTO"
READ_HERE = {"x-forwarded-for": FOR, "x-forwarded-proto": PROTO}
PORTS = {"http": "80", "https": "443"}

_PLAIN_ADDRESS = re.compile(r"[0-9.]+")
"""One address, of IPv4."""


class ProxyHeaders:
    """Has the address and the scheme of a client from the proxy between (WSGI middleware).

    :param by_waitress: the application behind what waitress makes of the headers of proxies
    :param application: the same without it
    :param adjustments: of waitress
    """

    def __init__(self, by_waitress: Any, application: Any, adjustments: Any) -> None:
        self._by_waitress = by_waitress
        self._application = application
        self._trusted = adjustments.trusted_proxy
        trusted = {READ_HERE.get(header) for header in adjustments.trusted_proxy_headers}
        self._others = OF_PROXIES - trusted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        application = self._application if self._read(environ) else self._by_waitress
        return application(environ, start_response)

    def _read(self, environ: dict[str, Any]) -> bool:
        """Whether it was plain; then the environ is as waitress would leave it."""
        address, scheme = environ.get(FOR, ""), environ.get(PROTO)
        is_plain = (
            self._trusted in ("*", environ["REMOTE_ADDR"])
            and environ.keys().isdisjoint(self._others)
            and _PLAIN_ADDRESS.fullmatch(address) is not None
            and (scheme is None or scheme in PORTS)
        )
        if is_plain:
            environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = address
            if scheme is not None:
                environ["wsgi.url_scheme"] = scheme
                environ["SERVER_PORT"] = PORTS[scheme]
        return is_plain
