"""Whose reports of lost keys count: the public keys of the program that sends them, in its own form."""

import logging
from os import stat_result
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from accountsapp.public_keys import PublicKeys, read_public_keys
from accountsapp.settings import SettingsError
from accountsapp.trouble import Trouble

log = logging.getLogger(__name__)

SETTING = "accountsapp.leaks.public_keys"


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
        except ValueError as error:
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
        except ValueError as error:
            self._trouble.met(str(error))
        return self._keys


def _version(status: stat_result) -> tuple[int, int, int]:
    """Changes with the content of a file."""
    return status.st_ino, status.st_size, status.st_mtime_ns
