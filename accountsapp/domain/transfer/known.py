"""What the database has of the names, addresses and API keys of a batch of records that is being written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, select

from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.models import IS_TAKEN, IS_THERE, Account, Base, EmailAddress
from accountsapp.domain.data.prepared import PreparedForMany
from accountsapp.domain.errors import ApiKeyTaken, DomainError, EmailTaken, InvalidValue, UsernameTaken
from accountsapp.domain.rules.emails import key_in_name, key_of, spellings_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.transfer.named_keys import GivenKeys, KeyChange, PresentKey, change_of, read_present
from accountsapp.domain.transfer.record import AccountRecord, EmailRecord

MOST_PARAMETERS = 10_000
"""Of one statement; SQLite admits 32,766."""

UNWRITTEN_ID = 0
"""Stands for the id of an account that is not written yet."""

T = TypeVar("T")

_accounts = Base.metadata.tables[Account.__tablename__]
_emails = Base.metadata.tables[EmailAddress.__tablename__]
_keys = Base.metadata.tables[ApiKey.__tablename__]

_ACCOUNTS = PreparedForMany(lambda names: _accounts_of(names))
_LOCKED_ACCOUNTS = PreparedForMany(lambda names: _accounts_of(names).with_for_update(key_share=True))
_TAKEN = PreparedForMany(
    lambda keys: select(_emails.c.address_key, _emails.c.account_id).where(
        IS_TAKEN, _emails.c.address_key.in_(keys)
    )
)
_NAMED = PreparedForMany(
    lambda names: select(_accounts.c.username_key, _accounts.c.id).where(_accounts.c.username_key.in_(names))
)
_OWNERS = PreparedForMany(
    lambda digests: select(_keys.c.digest, _keys.c.account_id, IS_DEFAULT).where(_keys.c.digest.in_(digests))
)


def _accounts_of(names: Any) -> Select[Any]:
    columns = (_accounts.c.username_key, _accounts.c.id, _accounts.c.state, _accounts.c.password_hash)
    return select(*columns).where(IS_THERE, _accounts.c.username_key.in_(names)).order_by(_accounts.c.id)


@dataclass
class Item:
    """A good record of a batch, with all that can be made of it before the transaction.

    :ivar addresses_by_key: the addresses, folded
    :ivar reserved: the folded addresses that are taken by being in this record
    :ivar named: the folded usernames that would be one of those addresses
    :ivar username_as_address: the folded address that the username is, if it is one
    """

    line: int
    record: AccountRecord
    keys: GivenKeys
    password_hash: str | None = None
    username_key: str = field(init=False)
    addresses: list[EmailRecord] = field(init=False)
    addresses_by_key: dict[str, EmailRecord] = field(init=False)
    reserved: list[str] = field(init=False)
    named: set[str] = field(init=False)
    username_as_address: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.username_key = fold(self.record.username)
        self.addresses = self.record.addresses
        self.addresses_by_key = {key_of(address.email): address for address in self.addresses}
        taken = {key: a.email for key, a in self.addresses_by_key.items() if a.primary or a.verified}
        self.reserved = list(taken)
        self.named = {name for email in taken.values() for name in spellings_of(email)}
        self.username_as_address = key_in_name(self.record.username)


@dataclass
class KnownAccount:
    """An account that is there."""

    id: int
    state: str
    password_hash: str | None


class KeyPlace(NamedTuple):
    """Whose a key is, and of which kind."""

    account_id: int
    is_default: bool


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
        self._keys: dict[bytes, KeyPlace] = {}
        self._addresses: dict[int, dict[str, EmailRecord]] = {}
        self._digests: dict[int, bytes] = {}
        self._named_keys: dict[int, list[PresentKey]] = {}
        self._read_accounts(items, for_update=for_update)
        self._read_owners(items)
        if for_update:
            self._read_possessions([account.id for account in self._accounts.values()])
            self._read_named_keys(items)

    def _read_accounts(self, items: list[Item], *, for_update: bool) -> None:
        statement = _LOCKED_ACCOUNTS if for_update else _ACCOUNTS
        for name, *rest in statement.all(self._connection, [item.username_key for item in items]):
            self._accounts[name] = KnownAccount(*rest)

    def _read_owners(self, items: list[Item]) -> None:
        addresses = [address for item in items for address in item.reserved]
        addresses += [item.username_as_address for item in items if item.username_as_address is not None]
        self._owners |= {key: owner for key, owner in _TAKEN.all(self._connection, addresses)}  # noqa: C416
        names = [name for item in items for name in item.named]
        self._named |= {name: owner for name, owner in _NAMED.all(self._connection, names)}  # noqa: C416
        digests = [digest for item in items for digest in (*item.keys.default, *item.keys.named_digests)]
        for digest, *place in _OWNERS.all(self._connection, digests):
            self._keys[digest] = KeyPlace(*place)

    def _read_possessions(self, account_ids: list[int]) -> None:
        for ids in _chunks(account_ids):
            self._addresses |= {account_id: {} for account_id in ids}
            for row in self._connection.execute(select(_emails).where(_emails.c.account_id.in_(ids))):
                self._addresses[row.account_id][row.address_key] = EmailRecord.model_construct(
                    email=row.address, verified=row.verified, primary=row.is_primary
                )
            keys = select(_keys.c.account_id, _keys.c.digest).where(_keys.c.account_id.in_(ids), IS_DEFAULT)
            self._digests |= {row.account_id: row.digest for row in self._connection.execute(keys)}

    def _read_named_keys(self, items: list[Item]) -> None:
        """Of the accounts whose named keys are going to be changed."""
        accounts = (self.account(item) for item in items if item.keys.named)
        for ids in _chunks({account.id for account in accounts if account is not None}):
            self._named_keys |= read_present(self._connection, ids)

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
        """The digest of the account's default key."""
        return self._digests.get(account_id)

    def key_change(self, item: Item, account: KnownAccount | None) -> KeyChange:
        """What the record makes of the named keys of its account."""
        present = self._named_keys.get(account.id, []) if account is not None else []
        return change_of(present, item.keys.named)

    def conflict(self, item: Item, *, may_exist: bool, most_keys: int) -> DomainError | None:
        """Why the record cannot be taken, if somebody else has what it names, or it has too many keys."""
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
        if self._are_taken(item.keys, account):
            return ApiKeyTaken()
        if item.keys.named and self.key_change(item, account).exceeds(most_keys):
            return InvalidValue("api_keys", f"api_keys: more than {most_keys} would be active")
        return None

    def _are_taken(self, keys: GivenKeys, account: KnownAccount | None) -> bool:
        """Whether somebody else has one of the keys, or the account itself as one of the other kind."""
        for digests, is_default in ((keys.default, True), (keys.named_digests, False)):
            mine = (None, KeyPlace(account.id, is_default)) if account is not None else (None,)
            if any(self._keys.get(digest) not in mine for digest in digests):
                return True
        return False

    def expect(self, item: Item) -> None:
        """A new account will be written."""
        self._pending.add(item.username_key)
        self._own(item, UNWRITTEN_ID)
        self._own_named((key.digests[0] for key in item.keys.named), UNWRITTEN_ID)

    def written(
        self, item: Item, account_id: int, state: str, digest: bytes, named_keys: list[PresentKey]
    ) -> None:
        """It was, with a default key of that digest."""
        self._pending.discard(item.username_key)
        self._accounts[item.username_key] = KnownAccount(account_id, state, item.password_hash)
        self._own(item, account_id)
        self._own_named((key.digest for key in named_keys), account_id)
        self._addresses[account_id] = item.addresses_by_key
        self._digests[account_id] = digest
        self._named_keys[account_id] = named_keys

    def changed(self, item: Item, account: KnownAccount, addresses: dict[str, EmailRecord] | None) -> None:
        """An account was changed.

        :param addresses: what it has now, folded; None if they are as they were
        """
        if addresses is not None:
            for key in self._addresses[account.id]:
                if self._owners.get(key) == account.id:
                    del self._owners[key]
            self._addresses[account.id] = addresses
        if item.keys.default:
            self._keys.pop(self._digests.get(account.id, b""), None)
            self._digests[account.id] = item.keys.default[0]
        self._own(item, account.id)

    def keys_changed(self, account: KnownAccount, change: KeyChange, after: list[PresentKey]) -> None:
        """The named keys of an account were changed to these."""
        for key in change.removed:
            self._keys.pop(key.digest, None)
        self._own_named((key.digest for key in after), account.id)
        self._named_keys[account.id] = after

    def _own(self, item: Item, account_id: int) -> None:
        self._named[item.username_key] = account_id
        self._owners |= dict.fromkeys(item.reserved, account_id)
        if item.keys.default:
            self._keys[item.keys.default[0]] = KeyPlace(account_id, is_default=True)

    def _own_named(self, digests: Iterable[bytes], account_id: int) -> None:
        """
        :param digests: those that the rows have, which need not be the ones under the present secret
        """
        self._keys |= dict.fromkeys(digests, KeyPlace(account_id, is_default=False))


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(values)
    while chunk := list(islice(remaining, MOST_PARAMETERS)):
        yield chunk
