"""Checks that every text field shares."""

from unicodedata import category

UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}


def has_control_characters(text: str) -> bool:
    """Whether the text holds a control character, a line or paragraph separator or a lone surrogate."""
    if text.isascii():
        return not text.isprintable()
    return any(category(character) in UNPRINTABLE for character in text)


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
