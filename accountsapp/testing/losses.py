"""What a caller may lose while a request of his is under way, although his credential is not ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Update, update

from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.oauth_models import AccessToken
from accountsapp.domain.data.proofs import ADMINISTRATOR, NO_RIGHTS
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.domain.rules.key_scopes import FULL
from accountsapp.process import Process
from accountsapp.security.permissions import Permission
from accountsapp.testing.credentials import Holder
from accountsapp.testing.endings import ALONE, end_key, end_token
from accountsapp.testing.oauth import ALL

Narrow = Callable[[Holder, str | None], Update]
"""Gives all credentials of that kind these scopes; None is all scopes."""


def _keys(holder: Holder, scopes: str | None) -> Update:
    return update(ApiKey).where(ApiKey.account_id == holder.person.id, ~IS_DEFAULT).values(scopes=scopes)


def _tokens(holder: Holder, scopes: str | None) -> Update:
    all_of_it = " ".join(ALL)
    return (
        update(AccessToken)
        .where(AccessToken.account_id == holder.person.id)
        .values(scope=scopes if scopes is not None else all_of_it)
    )


NARROWINGS: dict[object, tuple[Narrow, str, str]] = {
    end_key: (_keys, "email:read", "account:read"),
    end_token: (_tokens, Scope.EMAIL_READ, Scope.PROFILE_READ),
}
"""By how they are ended (:data:`ALONE`): with a scope that is enough for nothing but to see an address, and
one for where it is enough."""
UNNARROWED = (Permission.CALLER_READ, Permission.KEY_END)
"""What every credential grants, whatever its scopes."""


def can_be_narrowed(kind: str, permission: str) -> bool:
    """Whether credentials of that kind can lose a permission that they grant."""
    return ALONE.get(kind) in NARROWINGS and permission not in UNNARROWED


def narrowable(holder: Holder) -> Holder:
    """The same with a named key in the place of the default key, which is always good for all."""
    return holder._replace(person=replace(holder.person, api_key=holder.named[FULL]))


@contextmanager
def narrowing(stores: Process, kind: str, holder: Holder, permission: str) -> Iterator[Callable[[], None]]:
    """Gives what narrows a credential so that it does not grant a permission; it is undone at the end."""
    narrow, scope, other = NARROWINGS[ALONE[kind]]
    lesser = other if permission == Permission.EMAIL_READ else scope
    try:
        yield lambda: _run(stores, narrow(holder, lesser))
    finally:
        _run(stores, narrow(holder, None))


@contextmanager
def demoting(stores: Process, holder: Holder) -> Iterator[Callable[[], None]]:
    """Gives what takes an administrator's rights; it is undone at the end."""
    account = update(Account).where(Account.id == holder.person.id)
    try:
        yield lambda: _run(stores, account.values(NO_RIGHTS._asdict()))
    finally:
        _run(stores, account.values(ADMINISTRATOR._asdict()))


def _run(stores: Process, change: Update) -> None:
    with stores.transaction() as store:
        store.session.execute(change.execution_options(synchronize_session=False))
