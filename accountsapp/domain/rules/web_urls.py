"""What a web URL is."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_NETLOC = re.compile(r"(?:[^@\[\]]*@)?(?:\[[^@\[\]]*\]|[^@:\[\]]*)(?::[0-9]*)?")
"""User information, a host, which brackets enclose whole or not at all, and a port."""


def is_web_url(value: str) -> bool:
    """Whether it is an absolute ``http`` or ``https`` URL with a well-formed host, read by all alike."""
    if any(character.isspace() for character in value) or "\\" in value:
        return False  # browsers read a backslash as a slash, and so another host than we do
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or host is None or not _NETLOC.fullmatch(parts.netloc):
        return False
    return _is_address(host, IPv6Address) if "[" in parts.netloc else _is_host(host)


def _is_host(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdecimal():
        return _is_address(host, object)
    return len(host) <= 253 and all(_is_label(label) for label in labels)


def _is_address(host: str, kind: type) -> bool:
    try:
        return isinstance(ip_address(host), kind)
    except ValueError:
        return False


def _is_label(label: str) -> bool:
    inner = label.replace("-", "")
    return 0 < len(label) <= 63 and inner.isalnum() and not label.startswith("-") and not label.endswith("-")
