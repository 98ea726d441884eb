"""Core selects that return plain frozen rows: the fast way to an account.

The statements are built once for the columns that an API shows; SQLAlchemy keeps them compiled.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from accountsapp.domain.data.addon_figures import addon_figures_text
from accountsapp.domain.data.api_key_models import DEFAULT_FIRST, IS_DEFAULT, ApiKey
from accountsapp.domain.data.json_texts import json_object_text
from accountsapp.domain.data.key_digests import digests_of
from accountsapp.domain.data.models import (
    IS_INACTIVE,
    IS_THERE,
    Account,
    AccountState,
    EmailAddress,
    SignInSession,
)
from accountsapp.domain.data.moments import whole_seconds
from accountsapp.domain.data.preference_models import Preference, SocialLink
from accountsapp.domain.data.prepared import Prepared, PreparedForMany
from accountsapp.domain.data.rows import AccountRow, ApiKeyRow
from accountsapp.domain.errors import StaleCredential
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE, HASH_PURPOSE, hash_of
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.privacy import Privacy
from accountsapp.domain.rules.text import is_storable

P = TypeVar("P", bound=NamedTuple)
Columns = type[NamedTuple]
"""A class whose fields are columns of :class:`Account`, or of :data:`EXPRESSIONS`: what an API shows."""


_table = Account.__table__
_JOINED = func.coalesce(_table.c.signup, _table.c.created)
_CUSTOM: ColumnElement[str] = literal_column(f"'{Privacy.CUSTOM.value}'")


def _texts_of(table: type[Preference] | type[SocialLink], name: str, value: str) -> ScalarSelect[Any]:
    """The texts of an account by name, as a JSON object; NULL where it has none."""
    columns = table.__table__.c
    return (
        select(json_object_text(columns[name], columns[value]))
        .where(columns.account_id == _table.c.id)
        .group_by(columns.account_id)
        .correlate(_table)
        .scalar_subquery()
    )


_PREFERENCES = _texts_of(Preference, "name", "value")
EXPRESSIONS: dict[str, ColumnElement[Any]] = {
    "joined": _JOINED,
    "joined_text": whole_seconds(_JOINED),
    "signup_text": whole_seconds(_table.c.signup),
    "last_login_text": whole_seconds(_table.c.last_login),
    "language_proficiencies_text": cast(_table.c.language_proficiencies, Text),
    "info_text": cast(_table.c.info, Text),
    "preferences_text": _PREFERENCES,
    "custom_preferences_text": case((_table.c.account_privacy == _CUSTOM, _PREFERENCES)),
    "addon_figures_text": addon_figures_text(_table.c.id),
    "social_links_text": _texts_of(SocialLink, "platform", "url"),
}
"""What can be read besides: when somebody signed up, else when the row was made; times and JSON as text; what
the account prefers, in any case or where it chose field by field what it shares, and where else it is to be
found, as :func:`~accountsapp.domain.data.json_texts.object_of` reads them; what its add-ons say of it, as
:func:`~accountsapp.domain.activity.authorship.figures_of` reads it."""
_IDENTITY = (
    *(_table.c[field] for field in AccountRow._fields[: AccountRow._fields.index("email")]),
    EmailAddress.address,
    EmailAddress.verified,
)
_IDENTITY_WIDTH = len(_IDENTITY)
_API_KEY = tuple(ApiKey.__table__.c[field] for field in ApiKeyRow._fields)


def column_of(field: str) -> ColumnElement[Any]:
    """How a field of :data:`Columns` is selected."""
    expression = EXPRESSIONS.get(field)
    return expression.label(field) if expression is not None else _table.c[field]


class Selection:
    """How accounts are selected as :class:`AccountRow`, alone or before the columns of something else.

    :param columns: what their ``profile`` has
    """

    def __init__(self, columns: Columns | None) -> None:
        self._profile = columns
        fields = columns._fields if columns is not None else ()
        self.columns = (*_IDENTITY, *map(column_of, fields))
        self.statement: Select[Any] = select(*self.columns).join(
            EmailAddress, (EmailAddress.account_id == _table.c.id) & EmailAddress.primary
        )
        self.statement = self.statement.where(IS_THERE)
        """Every account; add ``where`` and ``order_by``."""
        self._width = len(self.columns)

    def row(self, values: Sequence[Any]) -> AccountRow:
        """The account that the values begin with."""
        profile = None
        if self._profile is not None:
            profile = self._profile._make(values[_IDENTITY_WIDTH : self._width])
        return AccountRow._make((*values[:_IDENTITY_WIDTH], profile))

    def after(self, values: Sequence[Any]) -> Sequence[Any]:
        """What was selected after the account."""
        return values[self._width :]


selection_of = cache(Selection)
"""The selection for those columns, made once."""


class _Lookups:
    """The statements that find one account, as that selection has it."""

    def __init__(self, columns: Columns | None) -> None:
        self.selection = selection_of(columns)
        accounts = self.selection.statement
        with_api_key = accounts.add_columns(*_API_KEY).join(ApiKey, ApiKey.account_id == _table.c.id)
        # SQLite takes twice as long for ``IN`` as for two selects. A default key with the former digest comes
        # first: that a named one is the same, an import by its hash cannot see.
        self.by_api_key = Prepared(
            union_all(
                with_api_key.where(ApiKey.digest == bindparam("digest")),
                with_api_key.where(ApiKey.digest == bindparam("digest_of_hash")),
            )
        )
        self.by_api_keys = with_api_key.where(
            ApiKey.digest.in_(bindparam("digests", expanding=True))
        ).order_by(DEFAULT_FIRST)
        self.by_username = Prepared(accounts.where(_table.c.username_key == bindparam("username_key")))
        self.by_id = Prepared(accounts.where(_table.c.id == bindparam("account_id")))
        self.by_usernames = PreparedForMany(lambda keys: accounts.where(_table.c.username_key.in_(keys)))
        self.by_primary_address = accounts.where(EmailAddress.address_key == bindparam("address_key"))


_lookups_of = cache(_Lookups)

_PASSWORD_HASH = Prepared(select(_table.c.password_hash).where(_table.c.id == bindparam("account_id")))
_SESSION_IS_THERE = select(SignInSession.id).where(SignInSession.digest == bindparam("digest")).exists()
_SEALED_API_KEY = (
    select(ApiKey.sealed, _table.c.credential_epoch, _SESSION_IS_THERE.label("session_is_there"))
    .join(Account, Account.id == ApiKey.account_id)
    .where(ApiKey.account_id == bindparam("account_id"), IS_DEFAULT)
)


def by_id(connection: Connection, account_id: int, columns: Columns | None = None) -> AccountRow:
    """The account with that id, which is known to be there."""
    lookups = _lookups_of(columns)
    row = lookups.by_id.first(connection, account_id=account_id)
    if row is None:
        raise LookupError(account_id)
    return lookups.selection.row(row)


@cache
def _profile_statement(columns: Columns) -> Select[Any]:
    return select(*map(column_of, columns._fields)).where(_table.c.id == bindparam("account_id"), IS_THERE)


def profile(connection: Connection, account_id: int, columns: type[P]) -> P | None:
    """Columns of the account with that id, if there is one."""
    row = connection.execute(_profile_statement(columns), {"account_id": account_id}).first()
    return columns._make(row) if row is not None else None


def sealed_api_key(
    connection: Connection, account_id: int, epoch: int | None = None, session: str | None = None
) -> str | None:
    """The account's default key, encrypted for it; None where there is none.

    :param epoch: the credential epoch of whoever asks
    :param session: the value of its session's cookie
    :raises StaleCredential: the account has another epoch by now, or the session was ended
    """
    parameters = {"account_id": account_id, "digest": digest_of(session or "")}
    row = connection.execute(_SEALED_API_KEY, parameters).first()
    if row is None:
        return None
    if epoch is not None and row.credential_epoch != epoch:
        raise StaleCredential
    if session is not None and not row.session_is_there:
        raise StaleCredential
    sealed: str = row.sealed
    return sealed


def listing(
    connection: Connection, state: AccountState | None = None, most: int | None = None, page: int = 1000
) -> Iterator[AccountRow]:
    """Accounts by username, read ``page`` at a time so that any number of them needs no memory.

    :param state: only those in it
    :param most: how many at most
    """
    selection = selection_of(None)
    statement = selection.statement.order_by(_table.c.username_key)
    if state is not None:
        statement = statement.where(_table.c.state == state)
    if state not in (None, AccountState.ACTIVE):
        statement = statement.where(IS_INACTIVE)
    last = ""
    while most is None or most > 0:
        part = page if most is None else min(page, most)
        after = statement.where(_table.c.username_key > last).limit(part)
        rows = [selection.row(row) for row in connection.execute(after)]
        yield from rows
        if len(rows) < part:
            return
        last = rows[-1].username_key
        most = None if most is None else most - part


def having_address(connection: Connection, address_key: str) -> Iterator[AccountRow]:
    """The accounts that have an address, the one first whose own it is.

    :param address_key: the folded address
    """
    selection = selection_of(None)
    addresses = aliased(EmailAddress)
    statement = selection.statement.join(addresses, addresses.account_id == _table.c.id).where(
        addresses.address_key == address_key
    )
    is_own = or_(addresses.verified, addresses.primary)
    rows = connection.execute(statement.order_by(is_own.desc(), _table.c.username_key))
    return (selection.row(row) for row in rows)


class Connections(Protocol):
    """Autocommit connections; each is used by one reader at a time."""

    def take(self) -> Connection: ...

    def give_back(self, connection: Connection) -> None: ...


class Reader:
    """Accounts of one caller; one that was found is not read again.

    :param connections: of which it takes one when it first reads
    :param columns: what their ``profile`` has
    :ivar taken: the connection that it took; who closes the reader gives it back
    """

    def __init__(self, connections: Connections, keyring: Keyring, columns: Columns | None = None) -> None:
        self.taken: Connection | None = None
        self._connections = connections
        self._keyring = keyring
        self._lookups = _lookups_of(columns)
        self._by_username: dict[str, AccountRow | None] = {}

    @property
    def connection(self) -> Connection:
        """An autocommit connection: every statement sees what is committed when it runs."""
        if self.taken is None:
            self.taken = self._connections.take()
        return self.taken

    def by_username(self, username: str) -> AccountRow | None:
        """The account of that name, case aside."""
        key = fold(username)
        if "\0" in key:  # PostgreSQL will not even look for it
            return None
        if key not in self._by_username:
            self._by_username[key] = self._first(self._lookups.by_username, username_key=key)
        return self._by_username[key]

    def by_usernames(self, usernames: Iterable[str]) -> list[AccountRow]:
        """The accounts of these names, case aside, each once, in this order; unknown names give none."""
        keys = [key for key in dict.fromkeys(map(fold, usernames)) if is_storable(key)]
        unread = [key for key in keys if key not in self._by_username]
        if unread:
            self._by_username |= dict.fromkeys(unread)
            for values in self._lookups.by_usernames.all(self.connection, unread):
                self.remember(self._lookups.selection.row(values))
        return [row for key in keys if (row := self._by_username[key]) is not None]

    def by_primary_address(self, address_key: str) -> AccountRow | None:
        """The account whose primary address that is.

        :param address_key: the folded address
        """
        values = self.connection.execute(
            self._lookups.by_primary_address, {"address_key": address_key}
        ).first()
        return self.remember(self._lookups.selection.row(values) if values is not None else None)

    def by_api_key(self, api_key: str) -> tuple[AccountRow, ApiKeyRow] | None:
        """The account whose API key that is, exactly, and the key, which may have expired."""
        keyring = self._keyring
        values: Sequence[Any] | None
        if keyring.has_one_secret:
            values = self._lookups.by_api_key.first(
                self.connection,
                digest=keyring.digest(DIGEST_PURPOSE, api_key),
                digest_of_hash=keyring.digest(HASH_PURPOSE, hash_of(api_key)),
            )
        else:
            digests = digests_of(keyring, api_key)
            values = self.connection.execute(self._lookups.by_api_keys, {"digests": digests}).first()
        if values is None:
            return None
        account = self._lookups.selection.row(values)
        self._by_username[account.username_key] = account
        return account, ApiKeyRow._make(self._lookups.selection.after(values))

    def by_id(self, account_id: int) -> AccountRow | None:
        """The account with that id."""
        for row in self._by_username.values():
            if row is not None and row.id == account_id:
                return row
        return self.remember(self._first(self._lookups.by_id, account_id=account_id))

    def password_hash(self, account_id: int) -> str | None:
        """The bcrypt hash of the account's password; None where there is none."""
        values = _PASSWORD_HASH.first(self.connection, account_id=account_id)
        return values[0] if values is not None else None

    def remember(self, row: AccountRow | None) -> AccountRow | None:
        """Keep an account that a statement of another module found; it is not read again."""
        if row is not None:
            self._by_username[row.username_key] = row
        return row

    def forget(self, account_id: int) -> None:
        """The account is going to change: what was read of it before does not count any more."""
        for key, row in list(self._by_username.items()):
            if row is not None and row.id == account_id:
                del self._by_username[key]

    def _first(self, statement: Prepared, **parameters: Any) -> AccountRow | None:
        values = statement.first(self.connection, **parameters)
        return self._lookups.selection.row(values) if values is not None else None
