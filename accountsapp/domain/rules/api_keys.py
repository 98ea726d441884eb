"""The form of API keys: made, checked for typing errors."""

import secrets
import zlib
from enum import StrEnum
from hashlib import sha256

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.text import has_control_characters

DIGEST_PURPOSE = "api-key"
"""The purpose of the digests of default keys that were stored before keys were found by their SHA-256, until
``secrets rotate`` makes them anew.
"""
HASH_PURPOSE = "api-key-hash"
"""The purpose of the digests by which keys are found, made of their SHA-256."""
PREFIX = "acct_"
SHOWN_BODY = 4
"""Characters of a key's body that its owner sees for good."""
BODY_LENGTH = 30
CHECKSUM_LENGTH = 6
LENGTH = len(PREFIX) + BODY_LENGTH + CHECKSUM_LENGTH
LONGEST_GIVEN = 255
"""Characters of a key that came from an older system."""
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHARACTERS = frozenset(ALPHABET)
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
"""All numbers of two digits in base 62."""
_BODIES = len(ALPHABET) ** BODY_LENGTH


class KeyForm(StrEnum):
    """What a key looks like."""

    GOOD = "good"
    TYPO = "typo"
    FOREIGN = "foreign"


def make_api_key() -> str:
    """A new API key: ``acct_``, 30 random characters of base 62 (178 bits), 6 of checksum (CRC-32)."""
    number = secrets.randbelow(_BODIES)
    pairs = []
    for _ in range(BODY_LENGTH // 2):
        number, pair = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    body = "".join(pairs)
    return PREFIX + body + _checksum(body)


def is_plausible(api_key: str) -> bool:
    """False for an empty key and for one of our own form whose checksum fails: a typing error, never stored.

    A key of another form may have come with an account of an older system.
    """
    if len(api_key) != LENGTH:
        return bool(api_key)
    body, checksum = api_key[len(PREFIX) : -CHECKSUM_LENGTH], api_key[-CHECKSUM_LENGTH:]
    return checksum == _checksum(body) or not api_key.startswith(PREFIX)


def form_of(api_key: str) -> KeyForm:
    """Ours and without a typing error, ours with one, or of another form, perhaps of an older system."""
    if not api_key.startswith(PREFIX):
        return KeyForm.FOREIGN
    is_ours = len(api_key) == LENGTH and _CHARACTERS.issuperset(api_key[len(PREFIX) :])
    return KeyForm.GOOD if is_ours and is_plausible(api_key) else KeyForm.TYPO


def check_given(api_key: str) -> str:
    """The key, if an account may come with it from an older system.

    :raises InvalidValue: empty, over 255 characters, control characters in it, or one of our own form
        whose checksum fails
    """
    if not 1 <= len(api_key) <= LONGEST_GIVEN or has_control_characters(api_key):
        raise InvalidValue("api_key", "must have 1 to 255 characters and no control characters")
    if not is_plausible(api_key):
        raise InvalidValue("api_key", "has a typing error: its checksum is wrong")
    return api_key


def hash_of(api_key: str) -> str:
    """The SHA-256 of a key in hex. To be kept like the key: those of older systems are short."""
    return sha256(api_key.encode("utf-8", "surrogatepass")).hexdigest()


def shown_prefix(api_key: str) -> str | None:
    """The first characters, of a key of our own form alone: what is shown of a short one helps a guesser."""
    return api_key[: len(PREFIX) + SHOWN_BODY] if form_of(api_key) is KeyForm.GOOD else None


def _checksum(body: str) -> str:
    rest, low = divmod(zlib.crc32(body.encode("utf-8", "surrogatepass")), len(_PAIRS))
    high, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]
