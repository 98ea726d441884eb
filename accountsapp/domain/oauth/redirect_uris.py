"""Which redirect URIs and which origins are a client's, by the redirect URIs that were registered."""

import re
from urllib.parse import urlsplit

from accountsapp.setting_values import origin_of

HIGHEST_PORT = 65535
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:[/?].*)?)")
"""A URI on the loopback address: what stands before the port, the port, what stands behind it."""


def fits(registered: str, requested: str) -> bool:
    """Whether a client that registered the one may be answered at the other.

    They are compared character by character; on the loopback address the port is free, because a native
    application listens where there is room (RFC 8252 7.3).
    """
    return registered == requested or _differ_by_port(registered, requested)


def is_of_origin(registered: str, origin: str) -> bool:
    """Whether the page behind a registered URI is of that origin; on the loopback address the port is free.

    :param origin: as browsers write it
    """
    parts = urlsplit(registered)
    if parts.scheme not in ("http", "https"):
        return False
    try:
        own = origin_of(parts)
    except ValueError:
        return False
    return fits(own, origin)


def _differ_by_port(registered: str, requested: str) -> bool:
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(requested)
    if ours is None or theirs is None or int(theirs[2] or 0) > HIGHEST_PORT:
        return False
    return ours.group(1, 3) == theirs.group(1, 3)
