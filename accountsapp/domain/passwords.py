"""The one password rule, and the only place where passwords are hashed and checked.

The rule is that of NIST SP 800-63B 5.1.1.2: a minimum length, no composition rules, a list of refused
passwords. bcrypt reads 72 bytes; a longer password is refused, never cut.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, cached_property
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import bcrypt

from accountsapp.domain import foreign_hashes
from accountsapp.domain.bcrypt_hashes import BEGINNINGS
from accountsapp.domain.errors import Busy, WeakPassword
from accountsapp.domain.rules.folding import fold

SHORTEST = 8
LONGEST_BYTES = 72
MOST_ADMITTED = 14
"""Checks that may be under way or waiting: fewer than the threads of the server (16), so that a flood of
wrong passwords leaves some for all other requests."""
RESERVED = 2
"""Checks admitted beyond those, for clients who have none under way: one who floods starves nobody else."""
MOST_OF_ONE = 2
"""Checks of one client that are computed at a time."""

log = logging.getLogger(__name__)


@cache
def commonest_passwords() -> frozenset[str]:
    """Folded passwords that everybody tries first: the ranked list that zxcvbn ships (30,000)."""
    # The package itself would keep all of its lists, ranked: twelve megabytes.
    package = find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("zxcvbn")
    source = SourceFileLoader("frequency_lists", str(Path(package.origin).with_name("frequency_lists.py")))
    lists = ModuleType(source.name)
    source.exec_module(lists)
    return frozenset(fold(password) for password in lists.FREQUENCY_LISTS["passwords"])


def read_refused(path: Path | None) -> frozenset[str]:
    """The operator's own list (``accountsapp.passwords.refused``), one password a line, UTF-8."""
    if path is None:
        return frozenset()
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        return frozenset(fold(line.rstrip("\r\n")) for line in lines if line.strip())


class Passwords:
    """Checks, hashes and verifies passwords.

    :param rounds: bcrypt cost of new hashes, 4 to 20 (each step doubles the time)
    :param refused: folded passwords that are refused besides the commonest
    :param slots: how many hashes are computed at once. bcrypt lets go of Python's lock, so this is what
        keeps a flood of sign-ins from taking every core
    :param admitted: how many checks may be under way or waiting; a further one is refused at once. New hashes
        are not among them: whoever has a password set has proved something
    :param patience: seconds that a caller waits for a slot
    """

    def __init__(
        self,
        rounds: int = 12,
        refused: frozenset[str] = frozenset(),
        slots: int | None = None,
        admitted: int = MOST_ADMITTED,
        patience: float = 10.0,
    ) -> None:
        self.rounds = rounds
        self._refused = refused
        self.slots = slots or max(1, (os.cpu_count() or 2) - 1)
        self._computing = threading.BoundedSemaphore(self.slots)
        self._room = _Room(admitted, min(RESERVED, admitted))
        self._computing_of_one = _Shares(MOST_OF_ONE)
        self._inside = threading.local()
        self._patience = patience

    def check(self, password: object, *, names: Iterable[str | None] = ()) -> str:
        """The password, taken as given, if somebody may have it.

        :param names: the username and addresses of its owner, which it must not be
        :raises WeakPassword: says which rule it breaks
        """
        if not isinstance(password, str) or not password:
            raise WeakPassword("You must provide a password")
        if len(password) < SHORTEST:
            raise WeakPassword(f"A password needs at least {SHORTEST} characters")
        encoded = _encoded(password)
        if encoded is None or b"\0" in encoded:
            raise WeakPassword("The password has characters that are not allowed")
        if len(encoded) > LONGEST_BYTES:
            raise WeakPassword(f"A password may have at most {LONGEST_BYTES} bytes")
        if password.isspace():
            raise WeakPassword("A password of white space only is not allowed")
        folded = fold(password)
        if any(name and folded == fold(name) for name in names):
            raise WeakPassword("A password must not be the user name or e-mail address")
        if folded in commonest_passwords() or folded in self._refused:
            raise WeakPassword("That password is too common")
        return password

    def hash(self, password: str) -> str:
        """The bcrypt hash (``$2b$``) of a password that passed :meth:`check`.

        :raises Busy: too many hashes are being computed
        """
        with self._slot():
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt(self.rounds)).decode("ascii")

    def verify(self, password: object, password_hash: str | None, client: str = "") -> bool:
        """Whether the password is the hashed one.

        A failure takes as long as one hash of the present cost, also for an account without a password and
        for a hash that is malformed, was made at a lower cost or by another system (if that is not dearer).
        Anything that cannot be a password (not a string, longer than 72 bytes where bcrypt made the hash,
        NUL) is simply wrong.

        :param password_hash: bcrypt's or of a form in :mod:`accountsapp.domain.foreign_hashes`; None where
            there is no account or no password
        :param client: whose guess it is, as limits count clients; empty for the operator's
        :raises Busy: too many hashes are being computed, or too many for that client
        """
        encoded = _encoded(password) if isinstance(password, str) else None
        is_foreign = password_hash is not None and not password_hash.startswith(BEGINNINGS)
        longest = foreign_hashes.LONGEST_BYTES if is_foreign else LONGEST_BYTES
        plausible = encoded is not None and len(encoded) <= longest and b"\0" not in encoded
        candidate = encoded if plausible and encoded is not None else b"-"
        with (
            self.admission(client),
            self._computing_of_one.taking(client, self._patience),
            self._slot(),
        ):
            matches = self._matches_foreign if is_foreign else self._matches
            return matches(candidate, password_hash) and plausible

    def _matches(self, candidate: bytes, password_hash: str | None) -> bool:
        if password_hash is not None:
            try:
                if bcrypt.checkpw(candidate, password_hash.encode()):
                    return True
            except ValueError:
                log.warning("a stored password hash is malformed")
            else:
                # Each step costs twice the one before: with these a cheaper hash costs as much as a new one.
                for cost in range(_cost_of(password_hash), self.rounds):
                    bcrypt.checkpw(candidate, _nobodys_hash(cost))
                return False
        bcrypt.checkpw(candidate, _nobodys_hash(self.rounds))
        return False

    def _matches_foreign(self, candidate: bytes, password_hash: str | None) -> bool:
        begin = time.thread_time()
        try:
            if foreign_hashes.matches(candidate, password_hash or ""):
                return True
        except foreign_hashes.UnusableHash as error:
            log.warning("a stored password hash is malformed or cannot be checked: it %s", error)
            bcrypt.checkpw(b"-", _nobodys_hash(self.rounds))
            return False
        remaining = self._seconds - (time.thread_time() - begin)
        for cost in range(self.rounds, 3, -1):
            step = self._seconds / 2 ** (self.rounds - cost)
            if step <= remaining:
                bcrypt.checkpw(b"-", _nobodys_hash(cost))
                remaining -= step
        return False

    @cached_property
    def _seconds(self) -> float:
        """What one hash of the present cost takes of a processor."""
        begin = time.thread_time()
        bcrypt.checkpw(b"-", _nobodys_hash(self.rounds))
        return time.thread_time() - begin

    def can_hash(self, password: str) -> bool:
        """Whether bcrypt can take it; a password that only a hash of another system knows may be too long."""
        encoded = _encoded(password)
        return encoded is not None and len(encoded) <= LONGEST_BYTES and b"\0" not in encoded

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether a good hash was made at a lower cost than new ones are, or by another system."""
        try:
            return _cost_of(password_hash) < self.rounds
        except (ValueError, IndexError):
            return True

    @contextmanager
    def admission(self, client: str = "") -> Iterator[None]:
        """Surrounds a check, or more than that; within another one of the same thread it counts once.

        :param client: see :meth:`verify`
        :raises Busy: too many are inside
        """
        if getattr(self._inside, "already", False):
            yield
            return
        with self._room.entered(client):
            self._inside.already = True
            try:
                yield
            finally:
                self._inside.already = False

    def _slot(self) -> AbstractContextManager[None]:
        return _taking(self._computing, self._patience)


class _Room:
    """Where checks are under way or waiting.

    :param admitted: how many may be inside
    :param reserved: how many more, each the only one of its client
    """

    def __init__(self, admitted: int, reserved: int) -> None:
        self._admitted = admitted
        self._reserved = reserved
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def entered(self, client: str) -> Iterator[None]:
        """
        :raises Busy: it is full
        """
        with self._lock:
            most = self._admitted + (0 if self._inside[client] else self._reserved)
            if self._inside.total() >= most:
                raise Busy(retry_after=2)
            self._inside[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[client] -= 1
                self._inside += Counter()  # forgets who has none


class _Shares:
    """As much of something as each client may have at a time.

    :param most: for each
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, client: str, seconds: float) -> Iterator[None]:
        """Surrounds the use of a share; nobody counts those of the operator.

        :raises Busy: the client has none left after that many seconds
        """
        if not client:
            yield
            return
        with self._changed:
            if not self._changed.wait_for(lambda: self._taken[client] < self._most, seconds):
                raise Busy(retry_after=2)
            self._taken[client] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[client] -= 1
                if not self._taken[client]:
                    del self._taken[client]
                self._changed.notify_all()


@contextmanager
def _taking(semaphore: threading.Semaphore, seconds: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=seconds):
        raise Busy(retry_after=2)
    try:
        yield
    finally:
        semaphore.release()


def _cost_of(password_hash: str) -> int:
    return int(password_hash.split("$")[2])


def _nobodys_hash(cost: int) -> bytes:
    """A well-formed hash of no known password."""
    return f"$2b${cost:02}${'.' * 53}".encode()


def _encoded(password: str) -> bytes | None:
    try:
        return password.encode()
    except UnicodeEncodeError:
        return None
