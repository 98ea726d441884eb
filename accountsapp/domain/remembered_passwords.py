"""Passwords that were right a moment ago: who presents one with every request costs one check a minute."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Lock
from time import monotonic

from accountsapp.domain.data.reads import AccountRow


class RememberedPasswords:
    """Keyed digests in the memory of one process; neither key nor password is ever written anywhere.

    A digest includes what ends it: the account's credential epoch and state, so that a changed password and a
    locked account are known on the next request, on every server.

    :param seconds: how long a digest counts
    :param most: how many are kept; the oldest go first
    """

    def __init__(self, seconds: float = 60.0, most: int = 10_000) -> None:
        self._seconds = seconds
        self._most = most
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._turns: dict[bytes, _Turn] = {}
        self._lock = Lock()

    def knows(self, account: AccountRow, password: str) -> bool:
        """Whether that was the account's password less than ``seconds`` ago."""
        return self._until.get(self._digest(account, password), 0.0) > monotonic()

    def remember(self, account: AccountRow, password: str) -> None:
        """That was just found to be the account's password."""
        digest = self._digest(account, password)
        with self._lock:
            self._until[digest] = monotonic() + self._seconds
            self._until.move_to_end(digest)
            while len(self._until) > self._most:
                self._until.popitem(last=False)

    @contextmanager
    def turn(self, name: str, password: str) -> Iterator[None]:
        """Surrounds a check of that password for that name: simultaneous ones take turns, so that all but the
        first can find it remembered.
        """
        digest = self._keyed(f"{name}\0{password}")
        with self._lock:
            turn = self._turns.setdefault(digest, _Turn())
            turn.callers += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.callers -= 1
                if not turn.callers:
                    del self._turns[digest]

    def _digest(self, account: AccountRow, password: str) -> bytes:
        return self._keyed(f"{account.id} {account.credential_epoch} {account.state}\0{password}")

    def _keyed(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), sha256)


class _Turn:
    """Those who wait to check the same password of the same account."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.callers = 0
