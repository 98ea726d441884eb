"""Where somebody asked to be sent to next, also to a front end on another origin that the operator lists."""

from urllib.parse import quote, urlsplit

from accountsapp.domain.rules.text import has_control_characters
from accountsapp.settings import Settings
from accountsapp.web.next_path import LONGEST_PATH, safe_path

_AS_THEY_ARE = "!#$%&'()*+,-./:;=?@[]_~"


def is_absolute(url: str | None) -> bool:
    """Whether what :func:`safe_url` gave leads to another origin."""
    return url is not None and not url.startswith("/")


def safe_url(target: object, settings: Settings) -> str | None:
    """A path on this site, or an absolute URL whose origin is in ``accountsapp.cors_origins``; else None.

    :param target: what the client sent
    """
    path = safe_path(target, settings.site_url)
    if path is not None or not isinstance(target, str) or len(target) > LONGEST_PATH:
        return path
    if "\\" in target or " " in target or has_control_characters(target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in settings.cors_origins or not target.startswith(origin):
        return None
    rest = target.removeprefix(origin)
    return origin + quote(rest, safe=_AS_THEY_ARE) if rest[:1] in ("", "/", "?", "#") else None
