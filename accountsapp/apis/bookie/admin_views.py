"""``/api/v1/a/…``: what administrators do with all accounts."""

from datetime import timedelta
from typing import Any

from pyramid.view import view_config

from accountsapp.apis.bookie.resources import (
    Accounts,
    ApplicationLog,
    Deletion,
    InviteCount,
    Invites,
    NonActivated,
    Users,
)
from accountsapp.apis.bookie.schemas import (
    AdminColumns,
    InviteNumber,
    LogQuery,
    NewUser,
    Slice,
    SortedSlice,
    load,
    show_full,
    show_log,
)
from accountsapp.domain import audit
from accountsapp.domain.accounts import administration, lifecycle, profile, registration
from accountsapp.domain.clock import now
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import AccountNotFound, InvalidValue
from accountsapp.security.permissions import Permission
from accountsapp.web import fields
from accountsapp.web.request import Request


@view_config(context=Users, name="list", request_method="GET", permission=Permission.ADMINISTER)
def list_users(context: Users, request: Request) -> dict[str, Any]:
    part = load(SortedSlice, request.parameters)
    store = request.store
    page = administration.users(
        store.connection,
        AdminColumns,
        order=part.order,
        limit=part.limit,
        offset=part.offset,
        recent=store.recent,
    )
    return _show_page(page)


@view_config(context=Accounts, name="inactive", request_method="GET", permission=Permission.ADMINISTER)
def list_inactive(context: Accounts, request: Request) -> dict[str, Any]:
    part = load(Slice, request.parameters)
    page = administration.inactive(
        request.store.connection, AdminColumns, limit=part.limit, offset=part.offset
    )
    return _show_page(page)


@view_config(context=Users, name="add", request_method="POST", permission=Permission.ADMINISTER)
def add_user(context: Users, request: Request) -> dict[str, Any]:
    new = load(NewUser, request.parameters)
    account, password = registration.add_with_random_password(request.store, new.username, new.email)
    columns = profile.read(request.store, account.id, AdminColumns)
    return {**show_full(account, columns), "random_pass": password}


@view_config(context=Deletion, request_method="DELETE", permission=Permission.ADMINISTER)
def delete_user(context: Deletion, request: Request) -> dict[str, Any]:
    account = _account_of(request, context.__name__, "User not found.")
    if account.id == request.actor.id:
        raise InvalidValue("username", "You cannot delete your own account here.")
    lifecycle.delete(request.store, account.id)
    return {"success": True, "message": f"Removed user: {account.username}"}


@view_config(context=Invites, request_method="GET", permission=Permission.ADMINISTER)
def list_invites(context: Invites, request: Request) -> dict[str, Any]:
    part = load(Slice, request.parameters)
    store = request.store
    users = administration.invites(
        store.connection, limit=part.limit, offset=part.offset, recent=store.recent
    )
    return {"users": users}


@view_config(context=InviteCount, request_method="POST", permission=Permission.ADMINISTER)
def set_invites(context: InviteCount, request: Request) -> dict[str, Any]:
    account = _account_of(request, context.whose, "Invalid user account.")
    count = fields.load(InviteNumber, {"count": context.count}).count
    after = administration.set_invites(request.store, account.id, count)
    return show_full(after, profile.read(request.store, account.id, AdminColumns))


@view_config(context=NonActivated, request_method="GET", permission=Permission.ADMINISTER)
def list_stale(context: NonActivated, request: Request) -> dict[str, Any]:
    names = [username for _id, username in administration.stale(request.store.connection)]
    return {"count": len(names), "status": True, "data": names}


@view_config(context=NonActivated, request_method="DELETE", permission=Permission.ADMINISTER)
def delete_stale(context: NonActivated, request: Request) -> dict[str, Any]:
    administration.delete_stale(request.store)
    return {"status": True, "message": "Removed non activated accounts"}


@view_config(context=ApplicationLog, name="list", request_method="GET", permission=Permission.ADMINISTER)
def list_log(context: ApplicationLog, request: Request) -> dict[str, Any]:
    query = load(LogQuery, request.parameters)
    since = now() - timedelta(days=query.days)
    logs = [
        show_log(row) for row in audit.listing(request.store.connection, since=since, events=query.events())
    ]
    return {"count": len(logs), "logs": logs}


def _show_page(page: administration.Page) -> dict[str, Any]:
    users = [show_full(account, account.profile) for account in page.rows]
    return {"count": len(users), "total": page.total, "users": users}


def _account_of(request: Request, username: str, text: str) -> AccountRow:
    account = request.store.reader.by_username(username)
    if account is None:
        raise AccountNotFound(text)
    return account
