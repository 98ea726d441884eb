"""Whose reports of lost keys count: the public keys of the program that sends them, in its own form."""

import logging
from os import stat_result
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accountsapp.settings import SettingsError
from accountsapp.trouble import Trouble

log = logging.getLogger(__name__)

SETTING = "accountsapp.leaks.public_keys"
PublicKeys = dict[str, EllipticCurvePublicKey]


class BadKeyFile(Exception):
    """The file cannot be used; the text says why, without anything that is in it."""


class PublishedKey(BaseModel):
    """One of the keys; whether it is the current one does not matter, reports may be on their way."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    key_identifier: str = Field(min_length=1)
    key: str


class PublishedKeys(BaseModel):
    """The file."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    public_keys: list[PublishedKey] = Field(min_length=1)


class Reporters:
    """The keys of a file, read again when it changed; while it cannot be read the former ones count.

    :raises SettingsError: it cannot be read, has no key, or one that is not on P-256
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._trouble = Trouble(log, f"{SETTING}: the former keys count", f"{SETTING}: read again")
        try:
            self._version = _version(path.stat())
            self._keys = read_public_keys(path)
        except OSError as error:
            raise SettingsError(f"{SETTING}: {error.strerror}") from None
        except BadKeyFile as error:
            raise SettingsError(f"{SETTING}: {error}") from None

    def signed(self, identifier: str, signature: bytes, content: bytes) -> bool:
        """Whether the key of that name made the signature (DER) of these bytes."""
        key = self._current_keys().get(identifier)
        if key is None:
            return False
        try:
            key.verify(signature, content, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def _current_keys(self) -> PublicKeys:
        try:
            version = _version(self._path.stat())
            if version != self._version:
                self._keys = read_public_keys(self._path)
                self._version = version
            self._trouble.over()
        except OSError as error:
            self._trouble.met(error.strerror or type(error).__name__)
        except BadKeyFile as error:
            self._trouble.met(str(error))
        return self._keys


def read_public_keys(path: Path) -> PublicKeys:
    """By their identifiers.

    :raises OSError: there is no such file, or it cannot be read
    :raises BadKeyFile: it is not in the form, has no key, or one that is not on P-256
    """
    try:
        published = PublishedKeys.model_validate_json(path.read_bytes())
    except ValidationError:
        raise BadKeyFile('must be {"public_keys": [{"key_identifier": …, "key": …}, …]} with a key') from None
    return {published.key_identifier: _on_p256(published.key) for published in published.public_keys}


def _on_p256(pem: str) -> EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyFile("has a key that is no public key in PEM") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise BadKeyFile("has a key that is not on the curve P-256")
    return key


def _version(status: stat_result) -> tuple[int, int, int]:
    """Changes with the content of a file."""
    return status.st_ino, status.st_size, status.st_mtime_ns
