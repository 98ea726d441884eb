"""Core selects that return plain frozen rows: the fast way to an account.

The statements are built once, here; SQLAlchemy keeps them compiled.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, select

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AccountState, ApiKey, EmailAddress
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE
from accountsapp.domain.rules.folding import fold


class AccountRow(NamedTuple):
    """What most answers need of an account, with its primary address."""

    id: int
    username: str
    username_key: str
    state: str
    is_admin: bool
    is_staff: bool
    credential_epoch: int
    name: str | None
    location: str | None
    company: str | None
    homepage: str | None
    gravatar_email: str | None
    signup: datetime | None
    created: datetime
    last_login: datetime | None
    invited_by: str | None
    invite_ct: int
    pending_email: str | None
    pending_email_expires: datetime | None
    email: str
    email_verified: bool

    @property
    def activated(self) -> bool:
        return self.state == AccountState.ACTIVE

    @property
    def awaited_email(self) -> str | None:
        """The address that was asked for, as long as its confirmation can still come."""
        if self.pending_email is None or self.pending_email_expires is None:
            return None
        return self.pending_email if self.pending_email_expires > now() else None

    @property
    def shown_email(self) -> str:
        """The address the account has asked for, else the one it has."""
        return self.awaited_email or self.email


_table = Account.__table__
ACCOUNT_COLUMNS = (
    *(_table.c[field] for field in AccountRow._fields[: AccountRow._fields.index("email")]),
    EmailAddress.address,
    EmailAddress.verified,
)
"""The columns of an :class:`AccountRow`, for statements that find it by something else."""
ACCOUNTS: Select[Any] = select(*ACCOUNT_COLUMNS).join(
    EmailAddress, (EmailAddress.account_id == _table.c.id) & EmailAddress.primary
)
"""Every account as :class:`AccountRow`; add ``where`` and ``order_by``."""

_WITH_API_KEY = ACCOUNTS.join(ApiKey, ApiKey.account_id == _table.c.id)
_BY_API_KEY = Prepared(_WITH_API_KEY.where(ApiKey.digest == bindparam("digest")))
_BY_API_KEYS = _WITH_API_KEY.where(ApiKey.digest.in_(bindparam("digests", expanding=True)))
_BY_USERNAME = Prepared(ACCOUNTS.where(_table.c.username_key == bindparam("username_key")))
_BY_ID = Prepared(ACCOUNTS.where(_table.c.id == bindparam("account_id")))
_PASSWORD_HASH = Prepared(select(_table.c.password_hash).where(_table.c.id == bindparam("account_id")))
_SEALED_API_KEY = select(ApiKey.sealed).where(ApiKey.account_id == bindparam("account_id"))


def one(connection: Connection, statement: Select[Any], **parameters: Any) -> AccountRow | None:
    """The account that the statement finds, if any."""
    row = connection.execute(statement, parameters).first()
    return AccountRow._make(row) if row is not None else None


def by_id(connection: Connection, account_id: int) -> AccountRow:
    """The account with that id, which is known to be there."""
    row = one(connection, _BY_ID.statement, account_id=account_id)
    if row is None:
        raise LookupError(account_id)
    return row


def sealed_api_key(connection: Connection, account_id: int) -> str | None:
    """The account's API key, encrypted for it; None where there is none."""
    return connection.execute(_SEALED_API_KEY, {"account_id": account_id}).scalar()


def listing(connection: Connection, page: int = 1000) -> Iterator[AccountRow]:
    """Every account by username, read ``page`` at a time so that any number of them needs no memory."""
    last = ""
    while True:
        statement = ACCOUNTS.where(_table.c.username_key > last).order_by(_table.c.username_key).limit(page)
        rows = [AccountRow._make(row) for row in connection.execute(statement)]
        yield from rows
        if len(rows) < page:
            return
        last = rows[-1].username_key


class Reader:
    """Accounts of one caller; one that was found is not read again."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring
        self._by_username: dict[str, AccountRow | None] = {}

    def by_username(self, username: str) -> AccountRow | None:
        """The account of that name, case aside."""
        key = fold(username)
        if "\0" in key:  # PostgreSQL will not even look for it
            return None
        if key not in self._by_username:
            self._by_username[key] = self._first(_BY_USERNAME, username_key=key)
        return self._by_username[key]

    def by_api_key(self, api_key: str) -> AccountRow | None:
        """The account whose API key that is, exactly."""
        digests = self._keyring.digests(DIGEST_PURPOSE, api_key)
        if len(digests) == 1:
            return self.remember(self._first(_BY_API_KEY, digest=digests[0]))
        return self.remember(one(self._connection, _BY_API_KEYS, digests=digests))

    def by_id(self, account_id: int) -> AccountRow | None:
        """The account with that id."""
        return self.remember(self._first(_BY_ID, account_id=account_id))

    def password_hash(self, account_id: int) -> str | None:
        """The bcrypt hash of the account's password; None where there is none."""
        found = _PASSWORD_HASH.first(self._connection, account_id=account_id)
        return found[0] if found is not None else None

    def remember(self, row: AccountRow | None) -> AccountRow | None:
        """Keep an account that a statement of another module found; it is not read again."""
        if row is not None:
            self._by_username[row.username_key] = row
        return row

    def _first(self, statement: Prepared, **parameters: Any) -> AccountRow | None:
        found = statement.first(self._connection, **parameters)
        return AccountRow._make(found) if found is not None else None
