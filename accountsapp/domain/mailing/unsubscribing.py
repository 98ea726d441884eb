"""The proof by which a mailed link, and whoever makes one like it, switches a kind of mail off.

How it is made is public, so that a service that mails by itself can make such links: the token is an
address in base64url, the hash HMAC-SHA256 of the token under a key that is HMAC-SHA256 of :data:`LABEL`
under a value of ``accountsapp.secret``. It has no end: an old mail goes on working.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.text import is_storable

LABEL = b"accountsapp/amo/unsubscribe/1"

LONGEST_TOKEN = 4096
"""Characters: more than any address needs."""


def make(keyring: Keyring, address: str) -> tuple[str, str]:
    """The proof for an account's primary address.

    :returns: token and hash
    """
    token = urlsafe_b64encode(address.lower().encode()).decode("ascii")
    return token, _hash(keyring.raw_keys(LABEL)[0], token)


def check(keyring: Keyring, token: str, digest: str) -> str | None:
    """The key of the address that the token is of, if the hash was made by one of the secrets.

    :param token: with its padding or without
    :returns: None if hash or token is not good
    """
    if len(token) > LONGEST_TOKEN or not (token.isascii() and digest.isascii()):
        return None
    padded = token.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    matches = [hmac.compare_digest(_hash(key, padded), digest) for key in keyring.raw_keys(LABEL)]
    if not any(matches):
        return None
    try:
        address = urlsafe_b64decode(padded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return key_of(address) if is_storable(address) else None


def _hash(key: bytes, token: str) -> str:
    return hmac.new(key, token.encode("ascii"), sha256).hexdigest()
