"""Where somebody asked to be sent to next: on this site, or nowhere."""

from urllib.parse import quote, urlsplit

from accountsapp.domain.rules.text import has_control_characters

LONGEST_PATH = 4000
"""Characters; authorization requests come back this way."""
_AS_THEY_ARE = "!#$%&'()*+,-./:;=?@[]_~"


def safe_path(target: object, site_url: str) -> str | None:
    """The path and query to go on to, percent-encoded, if they are on this site.

    :param target: what the client sent: a path, or an absolute URL of this very site
    :param site_url: whose scheme, host and port the URL must have
    """
    if (
        not isinstance(target, str)
        or len(target) > LONGEST_PATH
        or "\\" in target
        or has_control_characters(target)
    ):
        return None
    site = urlsplit(site_url)
    origin = f"{site.scheme}://{site.netloc}"
    path = target.removeprefix(origin).partition("#")[0] if target.startswith(origin) else target
    if not path.startswith("/") or path.startswith("//"):
        return None
    return quote(path, safe=_AS_THEY_ARE)
