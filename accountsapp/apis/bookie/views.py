"""The five calls on one's own account."""

from typing import Any

from pyramid.view import view_config

from accountsapp.apis.bookie.resources import BookieAccount, BookieProfile
from accountsapp.apis.bookie.schemas import Update, load, show_account
from accountsapp.domain.accounts import profile
from accountsapp.domain.credentials import held_keys, password_change
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request


@view_config(context=BookieProfile, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_account(context: BookieProfile, request: Request) -> dict[str, Any]:
    account = context.target
    return show_account(account, account.profile)


@view_config(context=BookieProfile, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def update_account(context: BookieProfile, request: Request) -> dict[str, Any]:
    change = load(Update, request.parameters)
    account = profile.change(request.store, context.target.id, change.columns(), email=change.email)
    return show_account(account, account.profile)


@view_config(context=BookieAccount, name="api_key", request_method="GET", permission=Permission.KEY_READ)
def read_api_key(context: BookieAccount, request: Request) -> dict[str, Any]:
    account = context.target
    return {
        "username": account.username,
        "api_key": held_keys.reveal(request.store, account, request.caller.secret, request.caller.key_id),
    }


@view_config(context=BookieAccount, name="api_key", request_method="POST", permission=Permission.KEY_WRITE)
@view_config(
    context=BookieAccount,
    name="reset_api_key",
    request_method="POST",
    permission=Permission.KEY_WRITE,
)
def reset_api_key(context: BookieAccount, request: Request) -> dict[str, Any]:
    caller = request.caller
    api_key = held_keys.replace(request.store, context.target.id, caller.secret, caller.key_id)
    return {"api_key": api_key, "message": "API key was successfully changed"}


@view_config(context=BookieAccount, name="api_key", request_method="DELETE", permission=Permission.KEY_END)
def end_api_key(context: BookieAccount, request: Request) -> dict[str, Any]:
    held_keys.end(request.store, context.target.id, request.caller.secret, request.caller.key_id)
    return {"username": context.target.username, "message": "API key was revoked"}


@view_config(
    context=BookieAccount,
    name="password",
    request_method="POST",
    permission=Permission.PASSWORD_WRITE,
)
@view_config(
    context=BookieProfile,
    name="password",
    request_method="POST",
    permission=Permission.PASSWORD_WRITE,
)
def change_password(context: BookieAccount | BookieProfile, request: Request) -> dict[str, Any]:
    account = password_change.change(
        request.store,
        context.target.id,
        current=request.parameters.last_in_body("current_password"),
        new=request.parameters.last_in_body("new_password"),
    )
    return {
        "username": account.username,
        "api_key": held_keys.reveal(request.store, account, request.caller.secret, request.caller.key_id),
        "message": "done",
    }
