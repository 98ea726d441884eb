"""What people say about themselves: columns of the account that prove and open nothing."""

from collections.abc import Mapping
from contextlib import nullcontext

from accountsapp.domain.data.reads import AccountRow, by_id
from accountsapp.domain.emails import changing
from accountsapp.domain.store import Store
from accountsapp.domain.unset import UNSET, Unset

FIELDS = frozenset({"name", "location", "company", "homepage", "gravatar_email"})
"""Columns that may be changed here."""


def change(store: Store, account_id: int, values: Mapping[str, str | None]) -> AccountRow:
    """Set what is given; the rest stays.

    :param values: by column, checked by the API; None clears
    :returns: the account after it
    :raises StaleCredential: it was locked or deleted meanwhile
    """
    if not values.keys() <= FIELDS:
        raise ValueError(", ".join(sorted(values.keys() - FIELDS)))
    account = store.lock(account_id)
    for column, value in values.items():
        setattr(account, column, value)
    store.session.flush()
    return by_id(store.session.connection(), account_id)


def update(
    store: Store, row: AccountRow, *, name: str | None | Unset = UNSET, email: str | Unset = UNSET
) -> AccountRow:
    """Change what was given of an account's name and address; a new address waits for its confirmation.

    :param row: the account as it was read
    :param name: one that ``parse_name`` gave
    :param email: one that ``emails.parse`` gave
    :returns: the account after it
    :raises TooManyAttempts: too many new addresses
    """
    changes_email = not isinstance(email, Unset) and changing.is_change(row, email)
    with store.throttle.counted("email-change", row.id) if changes_email else nullcontext():
        account = store.lock(row.id)
        if not isinstance(name, Unset):
            account.name = name
        if not isinstance(email, Unset):
            changing.ask(store, account, email)
        store.session.flush()
        return by_id(store.session.connection(), row.id)
