"""Where people are to be found on social networks."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.text import is_storable

LONGEST_LINK = 500

_NAME = re.compile(r"[\w.~%@+-]+")
_PATH = re.compile(r"(/[\w.~%@+-]+)+")


class Network(NamedTuple):
    """A social network.

    :ivar url: of somebody there, up to the name
    :ivar hosts: whose URLs are taken for its own
    """

    url: str
    hosts: tuple[str, ...]

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


NETWORKS = {
    "facebook": Network("https://www.facebook.com/", ("facebook.com",)),
    "linkedin": Network("https://www.linkedin.com/in/", ("linkedin.com",)),
    "x": Network("https://x.com/", ("x.com", "twitter.com")),
}
ALIASES = {"twitter": "x", "xTwitter": "x"}


def network_of(name: object) -> str:
    """The key in :data:`NETWORKS` of a network by any of its names.

    :raises InvalidValue: there is none
    """
    if isinstance(name, str):
        name = ALIASES.get(name, name)
        if name in NETWORKS:
            return name
    raise InvalidValue("social_links", f"The platform must be one of {', '.join(NETWORKS)}.")


def parse(network: str, link: str) -> str:
    """The ``https`` URL of somebody on a network.

    :param network: one of :data:`NETWORKS`
    :param link: a URL there, or the name that the person has there
    :raises InvalidValue: it is neither
    """
    place = NETWORKS[network]
    refusal = InvalidValue("social_links", f"This must be a user name or a URL of {place.hosts[0]}.")
    if len(link) > LONGEST_LINK or not is_storable(link):
        raise refusal
    if _NAME.fullmatch(link) and link not in (".", ".."):
        return place.url + link
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        raise refusal from None
    host = (parts.hostname or "").removeprefix("www.")
    path = parts.path.rstrip("/")
    if parts.scheme not in ("http", "https") or host not in place.hosts:
        raise refusal
    if port is not None or parts.username is not None or not _PATH.fullmatch(path):
        raise refusal
    return place.origin + path
