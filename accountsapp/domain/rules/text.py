"""Checks that every text field shares."""

from itertools import takewhile
from unicodedata import category

UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
UNSEEN = {"Cf", "Mn", "Me"}
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as a gap."""
MARKS = {"Mn", "Mc", "Me"}
SKIN_TONES = range(0x1F3FB, 0x1F400)
HALVES_OF_FLAGS = range(0x1F1E6, 0x1F200)
MOST_MARKS = 3
"""On an initial."""


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


def initial_of(name: str) -> str:
    """What stands for a name where there is room for one character: its first letter, digit or symbol, with
    the marks on it, or a flag. A name of punctuation alone gives its first character.
    """
    if name[:2].isascii() and name[:1].isalnum():
        return name[0]
    start = next((place for place, c in enumerate(name) if category(c)[0] in "LNS" and c not in FILLERS), 0)
    initial, after = name[start : start + 1], name[start + 1 : start + 1 + MOST_MARKS]
    if initial and ord(initial) in HALVES_OF_FLAGS:
        return initial + "".join(c for c in after[:1] if ord(c) in HALVES_OF_FLAGS)
    marks = takewhile(lambda c: category(c) in MARKS or ord(c) in SKIN_TONES, after)
    return initial + "".join(marks)


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
