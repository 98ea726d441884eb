"""What an operation of the domain works with: the two ways to the data, the keys, the hasher, the rules."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from accountsapp.domain import audit
from accountsapp.domain.audit import Event
from accountsapp.domain.data import columns as columns_of
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.reads import AccountRow, Columns, Connections, Reader, by_id
from accountsapp.domain.errors import AccountNotFound, TooManyAttempts
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.recent import Recent
from accountsapp.domain.remembered_passwords import RememberedPasswords
from accountsapp.domain.rules.client_addresses import network_of
from accountsapp.settings import Settings

RATE_PURPOSE = "api-key-rate"
"""The purpose under which the digests are made by which requests with a key are counted."""

log = logging.getLogger(__name__)


class Throttle(Protocol):
    """How often somebody may try; counts live outside the transaction and survive a refusal."""

    def guess(self, username_key: str, address: str) -> AbstractContextManager[None]:
        """Surrounds one check of a password.

        :raises TooManyAttempts: before the check, when there were too many wrong ones
        """

    def check(self, limit: str, *who: object) -> None:
        """Count nothing.

        :raises TooManyAttempts: the limit is reached
        """

    @property
    def limits_keys(self) -> bool:
        """Whether there is a limit for each API key."""

    def hit_key(self, key: str) -> None:
        """Count one request with an API key, whatever other limits do.

        :raises TooManyAttempts: the limit is reached
        """

    def counted(self, limit: str, *who: object) -> AbstractContextManager[None]:
        """Surrounds something that counts as one, if it is not refused and does not fail.

        :raises TooManyAttempts: the limit was reached before it
        """

    def excess(self, limit: str, *who: object) -> int:
        """Count one, also where limits are off.

        :returns: by how many the limit is exceeded now; 0 for not at all
        """

    def hit(self, limit: str, *who: object) -> None:
        """Count one.

        :raises TooManyAttempts: the limit is reached
        """


class Store:
    """One caller's access to the accounts: a request, a command or a job has one.

    Nothing is opened before it is used. What opened the session also commits it.

    :param read_connections: has autocommit connections
    :param open_session: gives the session whose transaction the caller ends
    :param begin: gives a session in a short transaction of its own, for what must outlive a refusal
    :param client_address: the client's; empty for commands and jobs
    :ivar read_only: whether :attr:`session` is refused
    :param columns: what the ``profile`` of each account that is read has
    :param rendition_sizes: of the squares that are kept beside a new picture
    :ivar actor_id: the account that acts, set by whoever proved it; None for commands, jobs and the anonymous
    :ivar operator: the Unix user whose command acts; None elsewhere
    """

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        passwords: Passwords,
        remembered: RememberedPasswords,
        recent: Recent,
        throttle: Throttle,
        read_connections: Connections,
        open_session: Callable[[], Session],
        begin: Callable[[], AbstractContextManager[Session]],
        client_address: str = "",
        columns: Columns | None = None,
        rendition_sizes: Collection[int] = (),
    ) -> None:
        self.settings = settings
        self.keyring = keyring
        self.passwords = passwords
        self.remembered = remembered
        self.recent = recent
        self.throttle = throttle
        self.begin = begin
        self.client_address = client_address
        self.counted_address = client_address
        """Whose tries limits count: those of the client's own clients where it asks for them."""
        self.read_only = False
        self.columns = columns
        self.rendition_sizes = rendition_sizes
        self.actor_id: int | None = None
        self.code_pages: Mapping[str, str] = {}
        """By notice, where codes are used that this caller has mailed, with ``{code}`` in the URL; the others
        have pages that whoever renders the mail knows."""
        self.reader = Reader(read_connections, keyring, columns)
        """Accounts as frozen rows, each read once."""
        self.operator: str | None = None
        self._read_connections = read_connections
        self._open_session = open_session
        self._session: Session | None = None

    @property
    def client_network(self) -> str:
        """As whom limits count the client (:func:`network_of`)."""
        return network_of(self.counted_address)

    @property
    def connection(self) -> Connection:
        """Reads: every statement sees what is committed when it runs."""
        return self.reader.connection

    @property
    def latest(self) -> Connection:
        """Reads that also see what this caller has written and not yet committed.

        Once there is a session they belong to its transaction, which on SQLite holds the write lock.
        """
        return self.connection if self._session is None else self._session.connection()

    @property
    def session(self) -> Session:
        """Writes: one transaction; on SQLite its first statement takes the write lock.

        :raises RuntimeError: the store is for reading only
        """
        if self.read_only:
            raise RuntimeError("a safe request writes nothing; a view that acts says so")
        if self._session is None:
            self._session = self._open_session()
        return self._session

    @property
    def is_writing(self) -> bool:
        """Whether :attr:`session` was opened."""
        return self._session is not None

    def lock(self, account_id: int, *, wholly: bool = False) -> Account:
        """The first step of every change: the account's row, locked, as it is now.

        The actor must still be active; an account that somebody else acts on may be in any state.

        :param wholly: see :func:`locking.lock`
        :raises StaleCredential: the actor was deactivated or deleted since he was proved
        :raises AccountNotFound: the account is gone, and is not the actor's own
        """
        self.reader.forget(account_id)
        return locking.lock_for(self.session, account_id, self.actor_id, wholly=wholly)

    def lock_if_there(self, account_id: int | None) -> Account | None:
        """As :meth:`lock`, for a job: None where the account has gone since it was queued."""
        try:
            return self.lock(account_id) if account_id is not None else None
        except AccountNotFound:
            return None

    def lock_columns(self, account_id: int, columns: Collection[str]) -> dict[str, Any]:
        """As :meth:`lock`, for a change of these columns alone (:func:`columns.lock`)."""
        self.reader.forget(account_id)
        return columns_of.lock(self.session, account_id, self.actor_id, columns)

    def reread(self, account_id: int) -> AccountRow:
        """An account that is known to be there, with what this caller has changed of it."""
        self.session.flush()
        row = by_id(self.session.connection(), account_id, self.columns)
        self.reader.remember(row)
        return row

    def count_key(self, api_key: str) -> None:
        """Count a request with an API key, of either kind; one that takes its place begins anew.

        :raises TooManyAttempts: it is used too often
        """
        self.throttle.hit_key(self.keyring.digest(RATE_PURPOSE, api_key).hex())

    @property
    def origin(self) -> dict[str, Any]:
        """What the detail of an event says of a command."""
        return {audit.BY_COMMAND: self.operator} if self.operator is not None else {}

    def record(self, event: Event, *, account_id: int | None = None, **detail: Any) -> None:
        """Record what the actor did, in the transaction of :attr:`session` (:func:`audit.record`).

        :param account_id: whose account it is about
        """
        audit.record(
            self.session,
            event,
            account_id=account_id,
            actor_id=self.actor_id,
            address=self.client_address or None,
            **self.origin,
            **detail,
        )

    def record_apart(self, event: Event, *, account_id: int | None = None, **detail: Any) -> None:
        """As :meth:`record`, an event that must be there although the transaction is rolled back
        (:func:`audit.record_apart`).
        """
        audit.record_apart(
            self.begin,
            event,
            account_id=account_id,
            actor_id=self.actor_id,
            address=self.client_address or None,
            **self.origin,
            **detail,
        )

    def record_refused(self, *, account_id: int | None, **detail: Any) -> None:
        """As :meth:`record_apart`, that the actor, who was proved, is refused. Beyond a limit, one row
        says how many more there were.
        """
        times = self.throttle.excess("refused", self.actor_id)
        if not times:
            self.record_apart(Event.REFUSED, account_id=account_id, **detail)
        else:
            audit.record_times_apart(
                self.begin,
                Event.REFUSED_AGAIN,
                times=times,
                actor_id=self.actor_id,
                address=self.client_address or None,
            )

    def notify(self, account: Account, notice: Notice, *, to: str | None = None, **values: Any) -> None:
        """Queue a mail about an account, with its username (:func:`notices.queue`).

        What the actor causes to a primary address that he never proved, which may be a stranger's, is not
        sent when it is too much.

        :param to: its primary address by default
        :param values: the further ones that the notice names
        """
        if to is None and account.id == self.actor_id and not account.primary_email.verified:
            try:
                self.throttle.hit("mails", account.id)
                self.throttle.hit("mails-address", self.client_network)
            except TooManyAttempts:
                log.info("not mailed to an address that nobody proved, too much was: %s", notice)
                return
        notices.queue(
            self.session,
            self.keyring,
            notice,
            to=to if to is not None else account.primary_email.address,
            account=account,
            username=account.username,
            page=self.code_pages.get(notice),
            **values,
        )

    @contextmanager
    def apart(self) -> Iterator["Store"]:
        """The same caller's store for one transaction of its own, committed at the end of the block.

        Not while this one is writing, which keeps everybody else from it on SQLite.
        """
        with self.begin() as session:
            store = copy(self)
            store._session = session
            store.reader = Reader(self._read_connections, self.keyring, self.columns)
            try:
                yield store
            finally:
                store._session = None
                store.close()

    def commit(self) -> None:
        """End the transaction, where the caller ends it; what is written next begins another one."""
        if self._session is not None:
            self._session.commit()

    def close(self) -> None:
        """Give back what was opened; an open transaction is rolled back."""
        session, connection = self._session, self.reader.taken
        self._session = self.reader.taken = None
        try:
            if session is not None:
                session.close()
        finally:
            if connection is not None:
                self._read_connections.give_back(connection)
