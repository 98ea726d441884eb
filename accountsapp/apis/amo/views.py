"""The calls on accounts, on one's own account, and on the caller's session."""

from typing import Any
from urllib.parse import urlencode

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.amo.presenting import show_created, show_notification, show_public, show_self
from accountsapp.apis.amo.resources import (
    Account,
    LoginStart,
    Notifications,
    Picture,
    Profile,
    Session,
    SuperCreate,
    Unsubscribe,
)
from accountsapp.apis.amo.schemas import NewAccount, ProfileChange, Unsubscription, load_choices
from accountsapp.domain.accounts import lifecycle, notifying, profile, super_creation
from accountsapp.domain.credentials import signin
from accountsapp.domain.rules.notifications import notifications
from accountsapp.pages.html import path_on_site
from accountsapp.pages.menu import Place
from accountsapp.security import session_cookie
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import HEADERS, empty_answer, json_answer
from accountsapp.web.fields import load_body
from accountsapp.web.next_path import safe_path
from accountsapp.web.request import Request


@view_config(context=Account, request_method="GET", permission=Permission.PROFILE_READ)
def read_account(context: Account, request: Request) -> dict[str, Any]:
    sees_more = request.policy.grants(request, context, Permission.ACCOUNT_READ)
    return (show_self if sees_more else show_public)(request, context.target)


@view_config(context=Account, request_method="PATCH", permission=Permission.ACCOUNT_WRITE)
def update_account(context: Account, request: Request) -> dict[str, Any]:
    stored = context.target.profile
    change = load_body(ProfileChange, request, stored=stored)
    account = profile.change(
        request.store, context.target.id, change.columns(stored), picture=change.picture_upload
    )
    return show_self(request, account)


@view_config(context=Account, request_method="DELETE", permission=Permission.ACCOUNT_DELETE)
def delete_account(context: Account, request: Request) -> Response:
    response = empty_answer()
    if context.target.id == request.actor.id:
        _end_cookie(request, response)
    lifecycle.delete(request.store, context.target.id)
    return response


@view_config(context=Picture, request_method="DELETE", permission=Permission.ACCOUNT_WRITE)
def remove_picture(context: Picture, request: Request) -> dict[str, Any]:
    account = profile.change(request.store, context.target.id, picture=None)
    return show_self(request, account)


@view_config(context=Notifications, request_method="GET", permission=Permission.ACCOUNT_READ)
def list_notifications(context: Notifications, request: Request) -> list[dict[str, Any]]:
    return [show_notification(kind) for kind in notifications(context.target.profile.notifications)]


@view_config(context=Notifications, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def choose_notifications(context: Notifications, request: Request) -> list[dict[str, Any]]:
    chosen = notifying.choose(request.store, context.target.id, load_choices(request))
    return [show_notification(kind) for kind in chosen]


@view_config(context=Profile, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_profile(context: Profile, request: Request) -> dict[str, Any]:
    return show_self(request, request.actor)


@view_config(context=Unsubscribe, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def unsubscribe(context: Unsubscribe, request: Request) -> dict[str, Any]:
    unsubscription = load_body(Unsubscription, request)
    return show_notification(
        notifying.unsubscribe(
            request.store, unsubscription.token, unsubscription.hash, unsubscription.notification
        )
    )


@view_config(context=SuperCreate, request_method="POST", permission=Permission.ACCOUNT_CREATE)
def super_create(context: SuperCreate, request: Request) -> Response:
    parameters = load_body(NewAccount, request)
    created = super_creation.create(
        request.store,
        username=parameters.username,
        email=parameters.email,
        fxa_id=parameters.fxa_id,
        group=parameters.group,
    )
    return json_answer(request, show_created(created), 201)


@view_config(context=Session, request_method="DELETE", permission=Permission.SESSIONS_WRITE)
def end_session(context: Session, request: Request) -> Response:
    value = request.caller.secret or ""
    response = json_answer(request, {"ok": True})
    if value in session_cookie.values_in(request):
        _end_cookie(request, response)
    signin.sign_out(request.store, value)
    return response


@view_config(context=LoginStart, request_method="GET", permission=Permission.SESSIONS_BEGIN)
def start_login(context: LoginStart, request: Request) -> Response:
    """To the page where people sign in, and from there back to ``to``."""
    path = request.registry.menu.path_to(Place.SIGN_IN)
    to = safe_path(request.parameters.last_in_query("to"), request.app_settings.site_url)
    query = f"?{urlencode({'next': to})}" if to is not None else ""
    return Response(status=302, headerlist=[("Location", path_on_site(request, path) + query), *HEADERS])


def _end_cookie(request: Request, response: Response) -> None:
    """Take the cookie of a session away that ends, if it was sent along."""
    if session_cookie.values_in(request):
        session_cookie.end(request, response)
