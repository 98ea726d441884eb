"""Checks that every text field shares."""

from unicodedata import category

UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
UNSEEN = {"Cf", "Mn", "Me"}
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as a gap."""


def has_control_characters(text: str) -> bool:
    """Whether the text holds a control character, a line or paragraph separator or a lone surrogate."""
    if text.isascii():
        return not text.isprintable()
    return any(category(character) in UNPRINTABLE for character in text)


def is_blank(text: str) -> bool:
    """Whether nothing of the text is seen: white space, marks without a letter, fillers."""
    if text.isascii():
        return not text.strip()
    return all(c.isspace() or c in FILLERS or category(c) in UNSEEN for c in text)


def is_storable(text: str) -> bool:
    """Whether a database can be asked for the text: PostgreSQL takes no NUL, none takes a surrogate."""
    return "\0" not in text and (text.isascii() or is_encodable(text))


def is_encodable(text: str) -> bool:
    """Whether the text is free of lone surrogates, so that it can be stored and sent as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
