"""Accounts: read, listed, changed."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.view import view_config

from accountsapp.apis.openedx.presenting import presenter_of
from accountsapp.apis.openedx.queries import accounts_of, is_shared, list_query
from accountsapp.apis.openedx.resources import Account, Accounts, Me
from accountsapp.apis.openedx.schemas import load_account_change
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.accounts import profile
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import JsonText
from accountsapp.web.checks import check_acl, check_scope
from accountsapp.web.request import Request


@view_config(context=Accounts, request_method="GET", permission=Permission.ACCOUNT_READ)
def list_accounts(context: Accounts, request: Request) -> JsonText:
    """Those that are named; by address staff alone finds one."""
    query = list_query(request)
    if query.email is not None:
        check_acl(request, context, Permission.ACCOUNT_FIND)
    accounts, addresses = accounts_of(request, query)
    if not accounts:
        raise HTTPNotFound
    return presenter_of(request).show_all(request, accounts, addresses, shared=query.shared)


@view_config(context=Account, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_account(context: Account, request: Request) -> JsonText:
    return presenter_of(request).show_one(request, context.target, shared=is_shared(request))


@view_config(context=Account, request_method="PATCH", permission=Permission.ACCOUNT_WRITE)
def change_account(context: Account, request: Request) -> JsonText:
    if any(name == "email" for name, _ in request.parameters.body):
        check_scope(request, context, Permission.EMAIL_WRITE)
    change = load_account_change(request, context.target)
    further = change.further(request.app_settings.section(Settings))
    account = profile.change(request.store, context.target.id, change.columns(), **further)
    return presenter_of(request).show_one(request, account, shared=False)


@view_config(context=Me, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_me(context: Me, request: Request) -> dict[str, Any]:
    return {"username": request.actor.username}
