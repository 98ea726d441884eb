"""When two spellings are the same: usernames and addresses are compared without regard to case.

Databases fold differently, so the folded form is made here, stored beside the spelling, and carries
the unique index.
"""

from unicodedata import normalize

LONGEST_KEY = 2000
"""Bytes of a folded text: an entry of a PostgreSQL index has at most 2,704."""


def fold(text: str) -> str:
    """The key under which a username or an e-mail address is found.

    Unicode case folding and NFKC (Unicode Standard, D145: compatibility caseless matching), so that
    ``JÜRGEN`` is ``jürgen`` and ``ﬁ`` is ``fi`` on every database. ``fold(fold(x)) == fold(x)``.
    """
    if text.isascii():
        return text.lower()
    return normalize("NFKC", normalize("NFKC", normalize("NFD", text).casefold()).casefold())
