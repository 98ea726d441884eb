"""Where an attacker wants people to be sent to, and where a browser would send them."""

from urllib.parse import urljoin, urlsplit

TARGETS = (
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/..",
    "//evil.example:80",
    "//evil%2eexample",
    "//evil。example",
    "//0x7f000001",
    "//[::1]",
    "/\\evil.example",
    "/\\/evil.example",
    "/\\\\/evil.example",
    "\\\\evil.example",
    "\\\\\\evil.example",
    "\\/evil.example",
    "\\/\\/evil.example",
    "\\\\//evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/%5cevil.example",
    "/%2f%2fevil.example",
    "%2f%2fevil.example",
    "/./\\evil.example",
    "/..//evil.example",
    "/%0d/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "\t//evil.example",
    "\x08//evil.example",
    "\u00a0//evil.example",
    "\ufeff//evil.example",
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "http:///evil.example",
    "http:/evil.example",
    "http:evil.example",
    "http:\\\\evil.example",
    "http:/\\evil.example",
    "http:/\\//evil.example",
    "http:999999999",
    "ftp://evil.example",
    "ftp:9999999999",
    "http://localhost@evil.example",
    "http://localhost:80@evil.example",
    "http://localhost\\@evil.example",
    "http://localhost\\me:pass@evil.example",
    "http:\\\\localhost\\confirm\\me@evil.example",
    "http://localhost.evil.example",
    "http://evil.example#@localhost/",
    "http://evil.example?localhost",
    "http://[2001:db8::evil/",
    "javascript:alert('evil')",
    "JaVaScRiPt:alert('evil')",
    "java\nscript:alert('evil')",
    "\njavascript:alert('evil')",
    "data:text/html,evil",
    "vbscript:evil",
    "blob:evil",
    "x\r\nLocation: https://evil.example",
    "/x%0d%0aLocation:%20https://evil.example",
    "x\r\n\r\n<script>alert('evil')</script>",
    "\u2028//evil.example",
    "https:evil.example/\u0000",
)


def origin_of(location: str, base: str) -> str:
    """Of the page that a browser opens for a ``Location``, a link or the action of a form, as the URL
    standard of the WHATWG reads it: without control characters around and in it, a backslash as a slash.
    """
    stripped = location.strip("".join(map(chr, range(0x21))))
    read = "".join(character for character in stripped if character not in "\t\r\n").replace("\\", "/")
    parts = urlsplit(urljoin(base, read))
    return f"{parts.scheme}://{parts.netloc}"
