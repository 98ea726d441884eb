"""The cookie of somebody who has not signed in: it opens nothing, and can be told from that of a session.

Half of its value is random, the other half the keyed hash of the first: nothing is stored.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from accountsapp.domain.credentials import sessions
from accountsapp.domain.keyring import Keyring

PURPOSE = "visitor"
HALF = 16
"""Bytes."""


def new_visitor(keyring: Keyring) -> str:
    """A new value; a session's looks the same."""
    seed = secrets.token_bytes(HALF)
    mac = keyring.digest(PURPOSE, seed.hex())[:HALF]
    return urlsafe_b64encode(seed + mac).decode("ascii").rstrip("=")


def is_visitor(keyring: Keyring, value: str) -> bool:
    """Whether it is a value that :func:`new_visitor` made."""
    if not sessions.is_plausible(value):
        return False
    content = urlsafe_b64decode(value + "=")
    seed, mac = content[:HALF], content[HALF:]
    return any(hmac.compare_digest(digest[:HALF], mac) for digest in keyring.digests(PURPOSE, seed.hex()))
