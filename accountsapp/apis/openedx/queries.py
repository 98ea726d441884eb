"""Which accounts a list is asked for."""

from typing import NamedTuple

from pyramid.httpexceptions import HTTPBadRequest

from accountsapp.apis.openedx.presenting import AccountColumns, Addresses, presenter_of
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.data import listings
from accountsapp.domain.data.rows import AccountRow
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import is_storable
from accountsapp.web.request import Request


class ListQuery(NamedTuple):
    """
    :ivar usernames: in their order; some may be named more than once
    :ivar email: an address whose account is wanted; None where none is named
    :ivar shared: whether no more is wanted than others see
    """

    usernames: list[str]
    email: str | None
    shared: bool


def is_shared(request: Request) -> bool:
    """Whether the query asks for no more than others see."""
    return bool(request.parameters.last_in_query("view") == "shared")


def list_query(request: Request) -> ListQuery:
    """
    :raises HTTPBadRequest: more names than a request may have
    """
    parameter = request.parameters.last_in_query
    written = parameter("usernames") or parameter("username") or ""
    usernames = [name for name in written.split(",") if name]
    most = request.app_settings.section(Settings).max_usernames
    if len(usernames) > most and len(set(map(fold, usernames))) > most:
        raise HTTPBadRequest(f"There may be at most {most} names in one request.")
    return ListQuery(usernames, parameter("email"), is_shared(request))


def accounts_of(request: Request, query: ListQuery) -> tuple[list[AccountColumns], Addresses]:
    """The accounts that are there: those of the names, else that of the address, else the caller's own."""
    if query.usernames:
        return _named(request, query.usernames)
    if query.email is not None:
        # A plus that was not encoded comes as a space, which no address has.
        address = query.email.replace(" ", "+")
        reader = request.store.reader
        account = reader.by_primary_address(key_of(address)) if is_storable(address) else None
    else:
        account = request.caller.account
    return _with_addresses([account] if account is not None else [])


def _named(request: Request, usernames: list[str]) -> tuple[list[AccountColumns], Addresses]:
    """The addresses are read where somebody may see them: his own has come with the credential, and so has
    the rest of his account."""
    store, caller = request.store, request.caller
    if caller.is_staff or presenter_of(request).shares_addresses:
        return _with_addresses(store.reader.by_usernames(usernames))
    accounts, own = listings.by_usernames(store.connection, usernames, AccountColumns), caller.account
    if own is None:
        return accounts, {}
    accounts = [account if account.id != own.id else own.profile for account in accounts]
    return accounts, {own.id: own.email}


def _with_addresses(accounts: list[AccountRow]) -> tuple[list[AccountColumns], Addresses]:
    return [account.profile for account in accounts], {account.id: account.email for account in accounts}
