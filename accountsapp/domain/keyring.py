"""What is done with ``accountsapp.secret``: secret values are found by a keyed digest, and kept sealed.

Both need the secret, so a stolen database opens nothing.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealError(Exception):
    """A sealed text was not made by any of our secrets, or for another owner."""


@dataclass(frozen=True)
class _Derived:
    """The keys made from one value of ``accountsapp.secret``, one for each use."""

    secret: str

    def _derive(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=f"accountsapp/{purpose}/1".encode()).derive(
            self.secret.encode()
        )

    @cached_property
    def id(self) -> str:
        """A short public name of the secret, to know which rows it sealed."""
        return self._derive("secret-id")[:6].hex()

    @cached_property
    def _lookup_key(self) -> bytes:
        return self._derive("lookup")

    def lookup(self, purpose: str) -> "_Lookup":
        """What makes the digests of that purpose."""
        return _Lookup(self._lookup_key, purpose)

    def signing_key(self, purpose: str) -> bytes:
        """What signs texts for that purpose."""
        return self._derive(f"sign/{purpose}")

    @cached_property
    def fernet(self) -> Fernet:
        return Fernet(urlsafe_b64encode(self._derive("seal")))


class _Lookup:
    """HMAC-SHA256 (RFC 2104) of texts that begin alike: the key and that beginning are hashed once.

    Every request with a credential needs some, and the class of the standard library takes twice as long.
    """

    def __init__(self, key: bytes, purpose: str) -> None:
        block = key.ljust(sha256().block_size, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block) + f"{purpose}\0".encode())
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, value: str) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.digest()


class Keyring:
    """Everything that is done with ``accountsapp.secret``.

    :param values: the values of the setting; the first one signs and seals, every one still opens
    :ivar has_one_secret: whether there is but one of them
    """

    def __init__(self, values: tuple[str, ...]) -> None:
        self._derived = tuple(_Derived(value) for value in values)
        self._seal = MultiFernet([derived.fernet for derived in self._derived])
        self._signing_keys: dict[str, tuple[bytes, ...]] = {}
        self._lookups: dict[str, list[_Lookup]] = {}
        """By purpose, one for each secret."""
        self.has_one_secret = len(values) == 1

    @property
    def secret_id(self) -> str:
        """Which secret signs and seals now."""
        return self._derived[0].id

    @property
    def secret_ids(self) -> tuple[str, ...]:
        """Which secrets open, the present one first."""
        return tuple(derived.id for derived in self._derived)

    def raw_keys(self, label: bytes) -> list[bytes]:
        """A key that others who know a secret can make too: HMAC-SHA256 of ``label`` under the secret itself.

        :returns: one for each secret, the present one first
        """
        return [hmac.digest(derived.secret.encode(), label, "sha256") for derived in self._derived]

    def digest(self, purpose: str, value: str) -> bytes:
        """The keyed hash (HMAC-SHA256) under which a secret value is found."""
        return (self._lookups.get(purpose) or self._prepare(purpose))[0].digest(value)

    def digests(self, purpose: str, value: str) -> list[bytes]:
        """The digest under each secret that is still given, the present one first."""
        return [lookup.digest(value) for lookup in self._lookups.get(purpose) or self._prepare(purpose)]

    def _prepare(self, purpose: str) -> list[_Lookup]:
        lookups = self._lookups[purpose] = [derived.lookup(purpose) for derived in self._derived]
        return lookups

    def signing_keys(self, purpose: str) -> tuple[bytes, ...]:
        """The keys (256 bits) that sign texts for that purpose: the first one signs, all verify."""
        if purpose not in self._signing_keys:
            self._signing_keys[purpose] = tuple(derived.signing_key(purpose) for derived in self._derived)
        return self._signing_keys[purpose]

    def seal(self, owner: str, value: str) -> str:
        """Encrypt ``value`` so that it opens for ``owner`` alone (such as ``account:7``)."""
        return self._seal.encrypt(f"{owner}\0{value}".encode()).decode("ascii")

    def unseal(self, owner: str, sealed: str, longest: int | None = None) -> str:
        """What was sealed for ``owner``.

        :param longest: seconds for which it opens; None: for ever
        :raises SealError: another secret made it, it was sealed for somebody else, or too long ago
        """
        try:
            holder, _, value = self._seal.decrypt(sealed.encode(), longest).decode().partition("\0")
        except (InvalidToken, UnicodeError) as error:
            raise SealError("sealed with another secret, or too long ago") from error
        if holder != owner:
            raise SealError("sealed for another owner")
        return value
