"""How often somebody may try.

Counts live in the memory of the process or in Redis, never in a transaction, so they survive a refusal.
Nothing here locks an account: a stranger who guesses fills the count of his own address.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from prometheus_client import Counter

from accountsapp.domain.counts import MemoryCounts
from accountsapp.domain.errors import Busy, TooManyAttempts, WrongPassword
from accountsapp.settings import SettingsError
from accountsapp.trouble import Trouble

log = logging.getLogger(__name__)

THROTTLED = Counter("accountsapp_throttled", "What a limit refused", ["limit"])


class Limit(NamedTuple):
    """So many in a window that begins with the first one."""

    amount: int
    seconds: int


MINUTE, HOUR, DAY = 60, 3600, 86400

LIMITS = {
    "password": Limit(10, 5 * MINUTE),  # wrong ones, by account and client address
    "password-address": Limit(100, 5 * MINUTE),  # wrong ones, by client address
    "api-key": Limit(60, MINUTE),  # wrong ones, by client address
    "leak-report": Limit(60, MINUTE),  # badly signed ones, by client address
    "email-change": Limit(10, HOUR),  # requests, by account
    "mails": Limit(20, HOUR),  # to other addresses than its own, by account
    "mails-address": Limit(30, HOUR),  # the same, by client address
    "verify-mail": Limit(1, 10 * MINUTE),  # mails, by e-mail address
    "verify-mails": Limit(5, HOUR),  # the same
    "registration": Limit(30, HOUR),  # by client address
    "refused": Limit(20, 5 * MINUTE),  # refusals of somebody proved that are audited each, by account
    "recovery-address": Limit(30, HOUR),  # requests, by client address
    "recovery-mail": Limit(5, HOUR),  # mails, by e-mail address
    "recovery-burst": Limit(3, 15 * MINUTE),  # the same
}


_UNITS = {"second": 1, "minute": MINUTE, "hour": HOUR, "day": DAY}

LONGEST_PART = 200
"""Characters of a name or an address in the key of a count; of a longer one the hash stands there."""


def _key(limit: str, who: tuple[object, ...]) -> str:
    """Under which the storage counts."""
    return "/".join([limit, *map(_part, who)])


def _part(of_whom: object) -> str:
    text = str(of_whom)
    return text if len(text) <= LONGEST_PART else sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parse(limit: str) -> Limit:
    """Of a setting, such as ``600/minute``."""
    amount, _, unit = limit.partition("/")
    return Limit(int(amount), _UNITS[unit])


MEMORY = "memory://"
TIMEOUTS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
"""Seconds that Redis has for an answer; those in the URL count before them."""


AWAY = "does not answer"
_WORDS = {
    "ReadOnlyError": "is read-only",
    "OutOfMemoryError": "is out of memory",
    "AuthenticationError": "refuses the password",
    "AuthenticationWrongNumberOfArgsError": "refuses the password",
    "NoPermissionError": "does not permit it",
}
"""By the errors of Redis that say something else than that it is away."""


class Limits:
    """The limits of :data:`LIMITS`; where what they count is kept, a subclass says.

    :ivar enabled: ``accountsapp.rate_limit``
    :ivar key_limit: ``accountsapp.keys.rate_limit``
    """

    enabled: bool
    key_limit: Limit | None

    def check(self, limit: str, *who: object) -> None:
        """Refuse when the limit is reached; counts nothing.

        :raises TooManyAttempts: with the seconds until the window ends
        """
        if self.enabled and self._number(_key(limit, who)) >= LIMITS[limit].amount:
            self._refuse(_key(limit, who))

    def hit(self, limit: str, *who: object) -> None:
        """Count one.

        :raises TooManyAttempts: the limit was reached before it
        """
        if self.enabled and self._count(1, limit, who) > LIMITS[limit].amount:
            self._refuse(_key(limit, who))

    @property
    def limits_keys(self) -> bool:
        """Whether there is a limit for each API key."""
        return self.key_limit is not None

    def hit_key(self, key: str) -> None:
        """Count one request with an API key, whether or not the other limits are on.

        :param key: a digest of it
        :raises TooManyAttempts: the limit was reached before it
        """
        if self.key_limit is None:
            return
        counter = _key("key", (key,))
        if self._add(counter, self.key_limit.seconds, 1) > self.key_limit.amount:
            self._refuse(counter)

    @contextmanager
    def counted(self, limit: str, *who: object) -> Iterator[None]:
        """Surrounds something that counts as one, if it is not refused and does not fail.

        :raises TooManyAttempts: the limit was reached before it
        """
        self.hit(limit, *who)
        try:
            yield
        except BaseException:
            self._take_back(limit, who)
            raise

    def count(self, limit: str, *who: object) -> None:
        """Count one, whether or not the limit is reached."""
        if self.enabled:
            self._count(1, limit, who)

    def excess(self, limit: str, *who: object) -> int:
        """Count one, also where limits are off.

        :returns: by how many the limit is exceeded now; 0 for not at all
        """
        return max(0, self._count(1, limit, who) - LIMITS[limit].amount)

    @contextmanager
    def guess(self, username_key: str, address: str) -> Iterator[None]:
        """Surrounds one check of a password, which raises ``WrongPassword`` when it fails.

        Counted before the check, so that simultaneous guesses cannot slip past it; a right one clears the
        count of its account and address, and one that was not looked at (``Busy``) is taken back.

        :raises TooManyAttempts: before the check, when there were too many wrong ones
        """
        self.check("password-address", address)
        self.hit("password", username_key, address)
        try:
            yield
        except WrongPassword:
            self.count("password-address", address)
            raise
        except Busy:
            self._take_back("password", (username_key, address))
            raise
        if self.enabled:
            self._clear(_key("password", (username_key, address)))

    def _take_back(self, limit: str, who: tuple[object, ...]) -> None:
        if self.enabled and self._number(_key(limit, who)) > 0:
            self._count(-1, limit, who)

    def _count(self, number: int, limit: str, who: tuple[object, ...]) -> int:
        """The count after it."""
        return self._add(_key(limit, who), LIMITS[limit].seconds, number)

    def _refuse(self, counter: str) -> None:
        THROTTLED.labels(counter.partition("/")[0]).inc()
        raise TooManyAttempts(retry_after=max(1, int(self._end(counter) - time.time()) + 1))

    def _number(self, counter: str) -> int:
        """The count."""
        raise NotImplementedError

    def _add(self, counter: str, seconds: int, number: int) -> int:
        """The count after it.

        :param seconds: after which a count that begins now ends
        """
        raise NotImplementedError

    def _clear(self, counter: str) -> None:
        raise NotImplementedError

    def _end(self, counter: str) -> float:
        """When the count begins anew."""
        raise NotImplementedError


def _open_storage(url: str) -> Any:
    """
    :raises SettingsError: it cannot be used here
    """
    from limits.errors import ConfigurationError  # and with it all storages that there are
    from limits.storage import storage_from_string

    try:
        storage: Any = storage_from_string(url, **TIMEOUTS)
        storage.storage.connection_pool.make_connection()  # which does not connect
    except ConfigurationError:
        text = "needs a package that is not installed; install accountsapp[redis]"
    except (TypeError, ValueError):
        text = "what stands after the ? is no option of a connection to Redis"
    else:
        return storage
    raise SettingsError(f"accountsapp.rate_limit.storage: {text}")


class Throttle(Limits):
    """The limits of :data:`LIMITS`, counted in one storage, in windows that begin with the first count.

    :param enabled: ``accountsapp.rate_limit``
    :param storage: ``memory://`` or ``redis://…``; while Redis does not answer, the process counts alone
    :param key_limit: ``accountsapp.keys.rate_limit``
    :raises SettingsError: the storage cannot be used here
    """

    ALONE = 10.0
    """Seconds for which the process counts alone before it asks a storage again that did not answer."""

    def __init__(self, enabled: bool = True, storage: str = MEMORY, key_limit: str = "") -> None:
        self.enabled = enabled
        self.key_limit = _parse(key_limit) if key_limit else None
        self._storage: Any = MemoryCounts() if storage == MEMORY else _open_storage(storage)
        self._fallback = MemoryCounts()
        self._alone_until = 0.0
        self._asking = Lock()
        self.trouble = Trouble(
            log, "this process counts alone", "the throttle's storage answers again, counts are common"
        )

    def answers(self) -> bool:
        """Whether the storage counts just now, rather than the process alone."""
        self._number(_key("password", ("",)))
        return self.trouble.cause is None

    def of_request(self) -> "RequestLimits":
        """The same limits for one request."""
        return RequestLimits(self)

    def _number(self, counter: str) -> int:
        number: int = self._do("get", counter)
        return number

    def _add(self, counter: str, seconds: int, number: int) -> int:
        count: int = self._do("incr", counter, seconds, number)
        return count

    def _clear(self, counter: str) -> None:
        self._do("clear", counter)

    def _end(self, counter: str) -> float:
        moment: float = self._do("get_expiry", counter)
        return moment

    def _do(self, method: str, *arguments: object) -> Any:
        if self.trouble.cause is None or self._may_ask_again():
            try:
                answer = getattr(self._storage, method)(*arguments)
            except self._storage.base_exceptions as error:
                self._alone_until = monotonic() + self.ALONE
                self.trouble.met(f"the throttle's storage {_WORDS.get(type(error).__name__, AWAY)}")
            else:
                self.trouble.over()
                return answer
        return getattr(self._fallback, method)(*arguments)

    def _may_ask_again(self) -> bool:
        """Whether it is time to; of all threads one is told so, and the others go on counting alone."""
        with self._asking:
            now = monotonic()
            if now < self._alone_until:
                return False
            self._alone_until = now + self.ALONE
            return True


class RequestLimits(Limits):
    """The limits for one request, all of whose tries count as one.

    What a try has counted stands when the database has the request done again; the next try is told of it
    what the first one was, and counts what is more.

    :param common: where all requests count
    """

    def __init__(self, common: Throttle) -> None:
        self.enabled, self.key_limit = common.enabled, common.key_limit
        self._common = common
        self._counts: dict[str, list[int]] = {}
        """What each count was, after the request had added to it."""
        self._due: dict[str, list[int]] = {}
        """Those of earlier tries that this one has not come by."""

    def try_again(self) -> None:
        """The request is done again from its start."""
        self._due = {counter: [*counts] for counter, counts in self._counts.items()}

    def _number(self, counter: str) -> int:
        number = self._common._number(counter)
        return number - len(self._due.get(counter, ())) if self._due else number

    def _add(self, counter: str, seconds: int, number: int) -> int:
        if number > 0 and (due := self._due.get(counter)):
            return due.pop(0)
        count = self._common._add(counter, seconds, number)
        counts = self._counts.setdefault(counter, [])
        if number > 0:
            counts.append(count)
        elif counts:
            counts.pop()
        return count

    def _clear(self, counter: str) -> None:
        self._common._clear(counter)
        self._counts.pop(counter, None)
        self._due.pop(counter, None)

    def _end(self, counter: str) -> float:
        return self._common._end(counter)
