"""Under which digests an API key may be found."""

from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE, HASH_PURPOSE, hash_of


def digests_of(keyring: Keyring, api_key: str) -> list[bytes]:
    """All digests that a row of the key can have: the one that is written now first."""
    return [*digests_of_hash(keyring, hash_of(api_key)), *keyring.digests(DIGEST_PURPOSE, api_key)]


def digests_of_hash(keyring: Keyring, key_hash: str) -> list[bytes]:
    """The digests of a key by its SHA-256 in hex, under each secret, the present one first; an older default
    key may have one of the key itself.
    """
    return keyring.digests(HASH_PURPOSE, key_hash)
