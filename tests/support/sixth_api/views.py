"""The three views."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.accounts import profile
from accountsapp.security.permissions import Permission
from accountsapp.web.fields import load_body
from accountsapp.web.request import Request
from tests.support.sixth_api.resources import Member, MembersRoot
from tests.support.sixth_api.schemas import MemberChange, show_member
from tests.support.sixth_api.settings import Settings


@view_config(context=MembersRoot, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_max_length(context: MembersRoot, request: Request) -> dict[str, int]:
    return {"max_length": request.app_settings.section(Settings).max_length}


@view_config(context=Member, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_member(context: Member, request: Request) -> dict[str, Any]:
    account = context.target
    return show_member(account, account.profile)


@view_config(context=Member, request_method="PATCH", permission=Permission.ACCOUNT_WRITE)
def change_member(context: Member, request: Request) -> dict[str, Any]:
    change = load_body(MemberChange, request)
    account = profile.change(request.store, context.target.id, {"name": change.full_name or None})
    return show_member(account, account.profile)
