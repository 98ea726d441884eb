"""Texts that people write about themselves: when they can be seen, and when there is a link in them."""

import html
import re
from unicodedata import category, normalize

_BLANK_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that look like white space."""

_TOP_LEVEL_DOMAINS = (
    "com|net|org|edu|gov|mil|int|info|biz|io|dev|app|xyz|site|online|shop|store|tech|club|blog|cloud|page|link"
    "|co|ly|tv|ai|gg|cc|ws|su|eu|uk|de|fr|es|pt|br|ru|ua|pl|nl|ch|se|dk|fi|cz|sk|hu|ro|gr|tr|jp|cn|kr|tw|hk"
    "|au|nz|ca|mx|ar|cl|za"
)
"""Well-known ones that do not also end a sentence in common words."""

_LINK = re.compile(
    r"<a(?![\w-])"
    r"|[a-z0-9+.-]://"
    r"|(?<!\w)www\.\w"
    rf"|\w\.(?:{_TOP_LEVEL_DOMAINS})(?![\w-])",
    re.IGNORECASE,
)


def is_displayable(text: str) -> bool:
    """Whether something of it can be seen: a letter, number, punctuation mark or symbol."""
    return any(category(character)[0] in "LNPS" and character not in _BLANK_FILLERS for character in text)


def has_link(text: str) -> bool:
    """Whether it has an anchor tag, a URL, or a host name under a well-known top-level domain, also where
    those are hidden in character references, compatible forms or invisible characters.
    """
    plain = normalize("NFKC", html.unescape(text))
    return _LINK.search("".join(c for c in plain if category(c) != "Cf")) is not None
