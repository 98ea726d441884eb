"""Where somebody asked to be sent to next: on this site, or nowhere."""

from urllib.parse import quote, urlsplit

from accountsapp.domain.rules.text import has_control_characters

LONGEST_PATH = 4000
"""Characters; authorization requests come back this way."""
_AS_THEY_ARE = "!#$%&'()*+,-./:;=?@[]_~"


def safe_path(asked: object, site_url: str) -> str | None:
    """The path and query to go on to, percent-encoded, if they are on this site.

    :param asked: what the client sent: a path, or an absolute URL of this very site
    :param site_url: whose scheme, host and port the URL must have
    """
    if (
        not isinstance(asked, str)
        or len(asked) > LONGEST_PATH
        or "\\" in asked
        or has_control_characters(asked)
    ):
        return None
    site = urlsplit(site_url)
    origin = f"{site.scheme}://{site.netloc}"
    path = asked.removeprefix(origin).partition("#")[0] if asked.startswith(origin) else asked
    if not path.startswith("/") or path.startswith("//"):
        return None
    return quote(path, safe=_AS_THEY_ARE)
