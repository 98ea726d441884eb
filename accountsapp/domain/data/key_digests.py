"""Under which digests an API key may be found."""

from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE, HASH_PURPOSE, hash_of


def digests_of(keyring: Keyring, api_key: str) -> list[bytes]:
    """All digests that a row of the key can have: that of a default key under the present secret first."""
    return [*keyring.digests(DIGEST_PURPOSE, api_key), *digests_of_hash(keyring, hash_of(api_key))]


def digests_of_hash(keyring: Keyring, key_hash: str) -> list[bytes]:
    """The digests of a named or an ended key under each secret, by its SHA-256 in hex."""
    return keyring.digests(HASH_PURPOSE, key_hash)
