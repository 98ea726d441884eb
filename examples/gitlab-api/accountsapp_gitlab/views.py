"""The three calls."""

from typing import Any

from pyramid.view import view_config

from accountsapp.domain.accounts import profile
from accountsapp.security.permissions import Permission
from accountsapp.web.fields import load_body
from accountsapp.web.request import Request
from accountsapp_gitlab.resources import CurrentUser, User
from accountsapp_gitlab.schemas import COLUMN_OF, UserChange, show_current_user, show_user


@view_config(context=CurrentUser, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_current_user(context: CurrentUser, request: Request) -> dict[str, Any]:
    return show_current_user(request.actor, request.actor.profile)


@view_config(context=User, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_user(context: User, request: Request) -> dict[str, Any]:
    return show_user(context.target, context.target.profile)


@view_config(context=User, request_method="PUT", permission=Permission.ACCOUNT_WRITE)
def change_user(context: User, request: Request) -> dict[str, Any]:
    change = load_body(UserChange, request)
    columns = {COLUMN_OF[field]: getattr(change, field) or None for field in change.model_fields_set}
    account = profile.change(request.store, context.target.id, columns)
    return show_user(account, account.profile)
