"""The companion calls: ping, a forgotten password, invitations."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.bookie.resources import BookieAccount, PingWithoutName, StrayPing, Suspend
from accountsapp.domain.accounts import invitations
from accountsapp.domain.credentials import recovery
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request


@view_config(context=BookieAccount, name="ping", request_method="GET", permission=Permission.ACCOUNT_READ)
def ping(context: BookieAccount, request: Request) -> dict[str, Any]:
    return {"success": True, "message": "Looks good"}


@view_config(context=PingWithoutName, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def ping_without_name(context: PingWithoutName, request: Request) -> dict[str, Any]:
    return {"success": False, "message": "Missing username in your api url."}


@view_config(context=StrayPing, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def stray_ping(context: StrayPing, request: Request) -> dict[str, Any]:
    return {"success": False, "message": "The API url should be /api/v1"}


@view_config(context=Suspend, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def ask_for_code(context: Suspend, request: Request) -> dict[str, str]:
    recovery.ask(request.store, request.parameters.last("email"))
    return {"message": "If an account has that address, please check your email for what to do next."}


@view_config(context=Suspend, request_method="DELETE", permission=NO_PERMISSION_REQUIRED)
def use_code(context: Suspend, request: Request) -> dict[str, str]:
    parameter = request.parameters.last
    username = recovery.reset(
        request.store,
        parameter("username"),
        parameter("code"),
        parameter("password"),
        new_username=parameter("new_username"),
    )
    return {"message": "Account activated, please log in.", "username": username}


@view_config(context=BookieAccount, name="invite", request_method="POST", permission=Permission.ACCOUNT_WRITE)
def invite(context: BookieAccount, request: Request) -> dict[str, str]:
    address = invitations.invite(request.store, context.target.id, request.parameters.last("email"))
    return {"message": f"You have invited: {address}"}
