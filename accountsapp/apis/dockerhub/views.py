"""The six calls on one's own account."""

from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.apis.dockerhub.errors import verification_required
from accountsapp.apis.dockerhub.resources import Emails, User
from accountsapp.apis.dockerhub.schemas import (
    Address,
    AddressChange,
    ProfileChange,
    show_address,
    show_user,
)
from accountsapp.domain.accounts import profile
from accountsapp.domain.emails import addresses
from accountsapp.domain.emails.addresses import ProofAsked
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import empty_answer, json_answer
from accountsapp.web.fields import load_body
from accountsapp.web.request import Request


@view_config(context=User, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_user(context: User, request: Request) -> dict[str, Any]:
    account = context.target
    return show_user(request, account, account.profile)


@view_config(context=User, request_method="PATCH", permission=Permission.ACCOUNT_WRITE)
def update_user(context: User, request: Request) -> dict[str, Any]:
    change = load_body(ProfileChange, request)
    account = profile.change(request.store, context.target.id, change.columns())
    return show_user(request, account, account.profile)


@view_config(context=Emails, request_method="GET", permission=Permission.EMAIL_READ)
def list_emails(context: Emails, request: Request) -> list[dict[str, Any]]:
    rows = addresses.listing(request.store.connection, context.target.id)
    return [show_address(email) for email in rows]


@view_config(context=Emails, request_method="POST", permission=Permission.EMAIL_WRITE)
def add_email(context: Emails, request: Request) -> Response:
    email = addresses.add(request.store, context.target.id, load_body(Address, request).email)
    return json_answer(request, show_address(email), 201)


@view_config(context=Emails, request_method="PATCH", permission=Permission.EMAIL_WRITE)
def update_email(context: Emails, request: Request) -> Any:
    change = load_body(AddressChange, request)
    email = addresses.change(
        request.store,
        context.target.id,
        change.email,
        verify=change.verified,
        make_primary=change.primary,
        trusted=request.caller.vouches,
    )
    if isinstance(email, ProofAsked):
        return verification_required(request)
    return show_address(email)


@view_config(context=Emails, request_method="DELETE", permission=Permission.EMAIL_WRITE)
def remove_email(context: Emails, request: Request) -> Response:
    addresses.remove(request.store, context.target.id, load_body(Address, request).email)
    return empty_answer()
