"""What an operation of the domain works with: the two ways to the data, the keys, the hasher, the rules."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from copy import copy
from typing import Any

from sqlalchemy import Connection, Transaction
from sqlalchemy.orm import Session, sessionmaker

from accountsapp.domain import audit
from accountsapp.domain.audit import Event
from accountsapp.domain.data import columns as columns_of
from accountsapp.domain.data import locking, proofs
from accountsapp.domain.data.joining import Joining
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.proofs import Actor, Rights
from accountsapp.domain.data.reads import AccountRow, Columns, Connections, Reader, by_id
from accountsapp.domain.errors import AccountNotFound, TooManyAttempts
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.recent import Recent
from accountsapp.domain.remembered_passwords import RememberedPasswords
from accountsapp.domain.rules.client_addresses import network_of
from accountsapp.domain.try_limits import Throttle
from accountsapp.settings import Settings

RATE_PURPOSE = "api-key-rate"
"""The purpose under which the digests are made by which requests with a key are counted."""

log = logging.getLogger(__name__)


class Store:
    """One caller's access to the accounts: a request, a command or a job has one.

    Nothing is opened before it is used. What made the store also ends its transaction and closes it.

    :param read_connections: has autocommit connections
    :param write_connections: has those for transactions
    :param sessions: makes sessions over them, for transactions that :meth:`commit` ends
    :param joining: for a transaction that somebody else ends after :meth:`prepare`; None where
        :meth:`commit` does
    :param begin: gives a session in a short transaction of its own, for what must outlive a refusal
    :param client_address: the client's; empty for commands and jobs
    :ivar read_only: whether to write is refused
    :param columns: what the ``profile`` of each account that is read has
    :param rendition_sizes: of the squares that are kept beside a new picture
    :ivar actor: the account that acts, set by whoever proved it; None for commands, jobs and the anonymous
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
        write_connections: Connections,
        sessions: sessionmaker[Session],
        begin: Callable[[], AbstractContextManager[Session]],
        client_address: str = "",
        columns: Columns | None = None,
        rendition_sizes: Collection[int] = (),
        joining: Joining | None = None,
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
        self.actor: Actor | None = None
        self._checked: tuple[Actor | None, Transaction | None] = None, None
        """Who was looked at last, and in which transaction."""
        self.language: str | None = None
        """A locale that who asks can read, as far as is known."""
        self.code_pages: Mapping[str, str] = {}
        """By notice, where codes are used that this caller has mailed, with ``{code}`` in the URL; the others
        have pages that whoever renders the mail knows."""
        self.reader = Reader(read_connections, keyring, columns)
        """Accounts as frozen rows, each read once."""
        self.operator: str | None = None
        self._undoing: ExitStack | None = None
        self._read_connections = read_connections
        self._write_connections = write_connections
        self._sessions = sessions
        self._joining = joining
        self._writing: Connection | None = None
        self._session: Session | None = None

    @property
    def client_network(self) -> str:
        """As whom limits count the client (:func:`network_of`)."""
        return network_of(self.counted_address)

    @property
    def actor_id(self) -> int | None:
        """The id of the account that acts."""
        return self.actor.account_id if self.actor is not None else None

    @property
    def undoing(self) -> ExitStack:
        """What is done when the transaction ends without a try to commit it."""
        if self._undoing is None:
            self._undoing = ExitStack()
        return self._undoing

    @property
    def connection(self) -> Connection:
        """Reads: every statement sees what is committed when it runs."""
        return self.reader.connection

    @property
    def latest(self) -> Connection:
        """Reads that also see what this caller has written and not yet committed.

        Once something was written they belong to its transaction, which on SQLite holds the write lock.
        """
        return self.transaction if self.is_writing else self.connection

    @property
    def transaction(self) -> Connection:
        """Writes: one transaction, begun when it is first asked for; on SQLite it has the write lock.

        :raises RuntimeError: the store is for reading only
        """
        connection = self._connection_for_writing()
        if not connection.in_transaction():
            begun = connection.begin()
            if self._joining is not None:
                self._joining.join(begun)
        return connection

    @property
    def session(self) -> Session:
        """Objects in :attr:`transaction`, which their first statement begins; what is changed of them is
        written when they are flushed.

        :raises RuntimeError: the store is for reading only
        """
        connection = self._connection_for_writing()
        if self._session is None:
            sessions = self._sessions if self._joining is None else self._joining.sessions()
            self._session = sessions(bind=connection, join_transaction_mode="control_fully")
        return self._session

    def _connection_for_writing(self) -> Connection:
        if self.read_only:
            raise RuntimeError("a safe request writes nothing; a view that acts says so")
        if self._writing is None:
            self._writing = self._write_connections.take()
        return self._writing

    def flush(self) -> None:
        """Write what was changed of objects."""
        if self._session is not None:
            self._session.flush()

    @property
    def is_writing(self) -> bool:
        """Whether :attr:`transaction` was begun."""
        return self._begun is not None

    @property
    def _begun(self) -> Transaction | None:
        return self._writing.get_transaction() if self._writing is not None else None

    def lock(self, account_id: int, *, wholly: bool = False) -> Account:
        """The first step of every change: the account's row, locked, as it is now.

        The actor must still be active and have his rights, and what proved him must not have been ended or
        narrowed; an account that somebody else acts on may be in any state.

        :param wholly: see :func:`locking.lock`
        :raises StaleCredential, AuthorityChanged: see :func:`locking.lock_for`
        :raises AccountNotFound: the account is gone, and is not the actor's own
        """
        self.reader.forget(account_id)
        account = locking.lock_for(self.session, account_id, self._unchecked_actor(), wholly=wholly)
        self._checked = self.actor, self._begun
        return account

    def lock_if_there(self, account_id: int | None) -> Account | None:
        """As :meth:`lock`, for a job: None where the account has gone since it was queued."""
        try:
            return self.lock(account_id) if account_id is not None else None
        except AccountNotFound:
            return None

    def lock_columns(self, account_id: int, columns: Collection[str]) -> dict[str, Any]:
        """As :meth:`lock`, for a change of these columns alone (:func:`columns.lock`)."""
        self.reader.forget(account_id)
        actor = self._unchecked_actor()
        present = columns_of.lock(self.transaction, account_id, actor, columns)
        self._checked = self.actor, self._begun
        return present

    def check_actor(self) -> None:
        """The first step of what locks no account, such as making one: as :meth:`lock` looks at the actor.

        :raises StaleCredential, AuthorityChanged: as there
        """
        actor = self._unchecked_actor()
        if actor is not None:
            proofs.check_other(self.transaction, actor)
            self._checked = self.actor, self._begun

    def act_for(self, actor_id: int | None, client_address: str, rights: Rights | None = None) -> None:
        """Go on, in a job, with what somebody began by these rights: his account is looked at again, not what
        proved him."""
        self.actor = Actor(actor_id, rights=rights) if actor_id is not None else None
        self.client_address = client_address

    def _unchecked_actor(self) -> Actor | None:
        """The actor as the next lock looks at him: what proved him once a transaction, which may end that."""
        actor, begun = self.actor, self._begun
        if actor is None or begun is None or self._checked != (actor, begun):
            return actor
        return Actor(actor.account_id)

    def reread(self, account_id: int) -> AccountRow:
        """An account that is known to be there, with what this caller has changed of it."""
        self.flush()
        row = by_id(self.transaction, account_id, self.columns)
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
        """Record what the actor did, in :attr:`transaction` (:func:`audit.record`).

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

    def language_for(self, account_id: int) -> str | None:
        """That of who asks, if it is the owner of that account, or may be."""
        return self.language if self.actor_id in (None, account_id) else None

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
            language=self.language_for(account.id),
            username=account.username,
            page=self.code_pages.get(notice),
            **values,
        )

    @contextmanager
    def apart(self) -> Iterator["Store"]:
        """The same caller's store for one transaction of its own, committed at the end of the block.

        Not while this one is writing, which keeps everybody else from it on SQLite.
        """
        store = copy(self)
        store._writing = store._session = store._joining = None
        store._undoing = None
        store.reader = Reader(self._read_connections, self.keyring, self.columns)
        with store.committed():
            yield store

    @contextmanager
    def committed(self) -> Iterator[None]:
        """Surrounds what is committed at the end of the block and rolled back by an exception; then the store
        is closed."""
        try:
            yield
            self.commit()
        finally:
            self.close()

    def commit(self) -> None:
        """End the transaction, where the caller ends it; what is written next begins another one."""
        self.prepare()
        if self._session is not None:
            self._session.commit()
        if self._writing is not None and self.is_writing:  # by plain statements alone
            self._writing.commit()

    def prepare(self) -> None:
        """The last step before the transaction is committed: write what was changed of objects.

        Nothing is undone from now on, since a commit that fails may have reached the database all the same.
        """
        self.flush()
        self._undoing = None

    def roll_back(self) -> None:
        """End the transaction, if there is one, without what was written; the next write begins another."""
        try:
            if self._joining is not None and self._writing is not None:
                self._joining.abort()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        session, connection = self._session, self._writing
        self._session = self._writing = None
        try:
            if session is not None:
                session.close()
        finally:
            if connection is not None and connection.get_transaction() is None:
                self._write_connections.give_back(connection)
            elif connection is not None:
                connection.close()
            if self._undoing is not None:
                undoing, self._undoing = self._undoing, None
                undoing.close()

    def close(self) -> None:
        """Give back what was opened; an open transaction is rolled back."""
        reading, self.reader.taken = self.reader.taken, None
        try:
            self._let_go()
        finally:
            if reading is not None:
                self._read_connections.give_back(reading)
