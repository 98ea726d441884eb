"""What the database has of the names, addresses and API keys of a batch of records that is being written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, select

from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import IS_TAKEN, IS_THERE, Account, Base, EmailAddress
from accountsapp.domain.errors import ApiKeyTaken, DomainError, EmailTaken, UsernameTaken
from accountsapp.domain.rules.emails import key_in_name, key_of, spellings_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.transfer.record import AccountRecord, EmailRecord

MOST_PARAMETERS = 10_000
"""Of one statement; SQLite admits 32,766."""

UNWRITTEN_ID = 0
"""Stands for the id of an account that is not written yet."""

T = TypeVar("T")

_accounts = Base.metadata.tables[Account.__tablename__]
_emails = Base.metadata.tables[EmailAddress.__tablename__]
_keys = Base.metadata.tables[ApiKey.__tablename__]


@dataclass
class Item:
    """A good record of a batch, with all that can be made of it before the transaction."""

    line: int
    record: AccountRecord
    digests: list[bytes]
    """Those of the API key that was given, under every secret, the present one first."""
    password_hash: str | None = None

    @cached_property
    def username_key(self) -> str:
        return fold(self.record.username)

    @cached_property
    def addresses(self) -> list[EmailRecord]:
        return self.record.addresses

    @cached_property
    def reserved(self) -> list[str]:
        """The folded addresses that are taken by being in this record."""
        return [key_of(a.email) for a in self.addresses if a.primary or a.verified]

    @cached_property
    def named(self) -> set[str]:
        """The folded usernames that would be one of those addresses."""
        return {name for a in self.addresses if a.primary or a.verified for name in spellings_of(a.email)}

    @cached_property
    def username_as_address(self) -> str | None:
        """The folded address that the username is, if it is one."""
        return key_in_name(self.record.username)


@dataclass
class KnownAccount:
    """An account that is there."""

    id: int
    state: str
    password_hash: str | None


class Known:
    """Read once for the whole batch, and kept true while it is written.

    :param for_update: lock the accounts, which are going to be changed
    """

    def __init__(self, connection: Connection, items: list[Item], *, for_update: bool) -> None:
        self._connection = connection
        self._pending: set[str] = set()
        self._accounts: dict[str, KnownAccount] = {}
        self._owners: dict[str, int] = {}
        self._named: dict[str, int] = {}
        self._key_owners: dict[bytes, int] = {}
        self._addresses: dict[int, dict[str, EmailRecord]] = {}
        self._digests: dict[int, bytes] = {}
        self._read_accounts(items, for_update=for_update)
        self._read_owners(items)
        if for_update:
            self._read_possessions([account.id for account in self._accounts.values()])

    def _read_accounts(self, items: list[Item], *, for_update: bool) -> None:
        columns = (_accounts.c.username_key, _accounts.c.id, _accounts.c.state, _accounts.c.password_hash)
        statement = select(*columns).where(IS_THERE).order_by(_accounts.c.id)
        if for_update:
            statement = statement.with_for_update(key_share=True)
        for names in _chunks(item.username_key for item in items):
            for name, *rest in self._connection.execute(statement.where(_accounts.c.username_key.in_(names))):
                self._accounts[name] = KnownAccount(*rest)

    def _read_owners(self, items: list[Item]) -> None:
        taken = select(_emails.c.address_key, _emails.c.account_id).where(IS_TAKEN)
        for addresses in _chunks(
            address
            for item in items
            for address in (*item.reserved, item.username_as_address)
            if address is not None
        ):
            rows = self._connection.execute(taken.where(_emails.c.address_key.in_(addresses)))
            self._owners |= {row.address_key: row.account_id for row in rows}
        names = select(_accounts.c.username_key, _accounts.c.id)
        for spellings in _chunks(name for item in items for name in item.named):
            rows = self._connection.execute(names.where(_accounts.c.username_key.in_(spellings)))
            self._named |= {row.username_key: row.id for row in rows}
        keys = select(_keys.c.digest, _keys.c.account_id)
        for digests in _chunks(digest for item in items for digest in item.digests):
            rows = self._connection.execute(keys.where(_keys.c.digest.in_(digests)))
            self._key_owners |= {row.digest: row.account_id for row in rows}

    def _read_possessions(self, account_ids: list[int]) -> None:
        for ids in _chunks(account_ids):
            self._addresses |= {account_id: {} for account_id in ids}
            for row in self._connection.execute(select(_emails).where(_emails.c.account_id.in_(ids))):
                self._addresses[row.account_id][row.address_key] = EmailRecord.model_construct(
                    email=row.address, verified=row.verified, primary=row.is_primary
                )
            keys = select(_keys.c.account_id, _keys.c.digest).where(_keys.c.account_id.in_(ids))
            self._digests |= {row.account_id: row.digest for row in self._connection.execute(keys)}

    def is_pending(self, item: Item) -> bool:
        """Whether an account of that name is going to be made."""
        return item.username_key in self._pending

    def account(self, item: Item) -> KnownAccount | None:
        """The account of that name."""
        return self._accounts.get(item.username_key)

    def addresses_of(self, account_id: int) -> dict[str, EmailRecord]:
        """The account's addresses, folded."""
        return self._addresses[account_id]

    def digest_of(self, account_id: int) -> bytes | None:
        """The digest of the account's API key."""
        return self._digests.get(account_id)

    def conflict(self, item: Item, *, may_exist: bool) -> DomainError | None:
        """Why the record cannot be taken, if somebody else has what it names."""
        account = self.account(item)
        if self.is_pending(item) or (account is not None and not may_exist):
            return UsernameTaken()
        if account is None and item.username_as_address in self._owners:
            return UsernameTaken()
        mine = (account.id, None) if account is not None else (None,)
        if any(self._owners.get(address) not in mine for address in item.reserved):
            return EmailTaken()
        if any(self._named.get(name) not in mine for name in item.named):
            return EmailTaken()
        if any(self._key_owners.get(digest) not in mine for digest in item.digests):
            return ApiKeyTaken()
        return None

    def expect(self, item: Item) -> None:
        """A new account will be written."""
        self._pending.add(item.username_key)
        self._own(item, UNWRITTEN_ID)

    def written(self, item: Item, account_id: int, state: str, digest: bytes) -> None:
        """It was, with an API key of that digest."""
        self._pending.discard(item.username_key)
        self._accounts[item.username_key] = KnownAccount(account_id, state, item.password_hash)
        self._own(item, account_id)
        self._addresses[account_id] = {key_of(address.email): address for address in item.addresses}
        self._digests[account_id] = digest

    def changed(self, item: Item, account: KnownAccount, addresses: dict[str, EmailRecord] | None) -> None:
        """An account was changed.

        :param addresses: what it has now, folded; None if they are as they were
        """
        if addresses is not None:
            for key in self._addresses[account.id]:
                if self._owners.get(key) == account.id:
                    del self._owners[key]
            self._addresses[account.id] = addresses
        if item.digests:
            self._key_owners.pop(self._digests.get(account.id, b""), None)
            self._digests[account.id] = item.digests[0]
        self._own(item, account.id)

    def _own(self, item: Item, account_id: int) -> None:
        self._named[item.username_key] = account_id
        self._owners |= dict.fromkeys(item.reserved, account_id)
        self._key_owners |= dict.fromkeys(item.digests, account_id)


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(values)
    while chunk := list(islice(remaining, MOST_PARAMETERS)):
        yield chunk
