"""Profiles and projects: what everybody sees of an account, and what its owner sees."""

from collections.abc import Sequence
from html import escape
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import Done, Shown, answer
from accountsapp.apis.pybossa.community_presenters import owned_project, public_project
from accountsapp.apis.pybossa.negotiation import wants_json
from accountsapp.apis.pybossa.paths import MOUNT, SIGN_IN, path_of_account, settings_of
from accountsapp.apis.pybossa.presenters import full_name, is_listed, own_user, public_user
from accountsapp.apis.pybossa.resources import OwnProfile, OwnProjects, UserAccount
from accountsapp.domain.activity import community, projects
from accountsapp.domain.activity.projects import ProjectRow
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.mailing import links
from accountsapp.pages.html import path_on_site
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request

NO_INDEX = ("X-Robots-Tag", "noindex")


@view_config(context=UserAccount, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_profile(context: UserAccount, request: Request) -> Response:
    """
    :raises HTTPNotFound: its name is an address, which nobody else is told
    """
    account, viewer = context.target, request.identity
    is_own = viewer is not None and viewer.account_id == account.id
    if not is_own and not is_listed(account):
        raise HTTPNotFound
    is_administrator = viewer is not None and viewer.account is not None and viewer.account.is_admin
    shown = own_profile(request, account) if is_own else public_profile(request, account, is_administrator)
    response = answer(request, shown)
    if account.profile.privacy_mode:
        response.headerlist.append(NO_INDEX)
    return response


@view_config(context=OwnProfile, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_own_profile(context: OwnProfile, request: Request) -> Done | Shown:
    """A page goes on to the profile of who is signed in, or to sign in first."""
    sign_in = path_on_site(request, SIGN_IN)
    if request.identity is None:
        content = {"next": sign_in, "status": "not_signed_in"}
        return Done(content, leads_to=f"{sign_in}?next={path_on_site(request, MOUNT)}/profile")
    if wants_json(request):
        return own_profile(request, request.actor)
    return Done({}, leads_to=f"{path_on_site(request, path_of_account(request.actor.username))}/")


@view_config(context=OwnProjects, request_method="GET", permission=Permission.ACCOUNT_READ)
def show_projects(context: OwnProjects, request: Request) -> Shown:
    created = projects.created_by(request.store.connection, context.target.id, drafts=True)
    content = {
        **_own_projects(created),
        "template": "account/projects.html",
        "title": "Projects",
    }
    return Shown(content, "projects.jinja2", has_form=False)


def public_profile(request: Request, account: AccountRow, is_administrator: bool) -> Shown:
    """What others see of an account; an administrator also sees its drafts, and is led to its settings."""
    connection, settings = request.store.connection, request.app_settings
    created = projects.created_by(connection, account.id, drafts=is_administrator)
    contributed = projects.contributed_by(connection, account.id)
    standing = community.standing(request.store, account.id)
    content = {
        "projects_contrib": [public_project(project) for project in contributed],
        "projects_created": [public_project(project) for project in created],
        "template": "/account/public_profile.html",
        "title": f"{escape(full_name(account))} &middot; User Profile",
        "user": public_user(settings, account, now(), standing),
    }
    further = {
        "is_private": account.profile.privacy_mode,
        "settings_path": path_on_site(request, settings_of(account.username)) if is_administrator else None,
    }
    return Shown(content, "public_profile.jinja2", further, has_form=False)


def own_profile(request: Request, account: AccountRow) -> Shown:
    """What an account sees of itself."""
    store, connection = request.store, request.store.connection
    is_link_out = account.awaited_email is not None or links.is_out(connection, account.id)
    user = own_user(
        request.app_settings,
        account,
        now(),
        community.standing(store, account.id),
        total=community.total(store),
        api_key=api_keys.reveal(store, account, session=request.caller.secret),
        confirmation_sent=is_link_out,
    )
    contributed = projects.contributed_by(connection, account.id, drafts=True)
    created = projects.created_by(connection, account.id, drafts=True)
    content = {
        "projects_contrib": [public_project(project) for project in contributed],
        "projects_created": [public_project(project) for project in created if project.published],
        **_own_projects(created),
        "template": "account/profile.html",
        "title": "Profile",
        "user": user,
    }
    further = {
        "account_path": path_on_site(request, path_of_account(account.username)),
        "awaited_email": account.awaited_email,
        "is_private": account.profile.privacy_mode,
    }
    return Shown(content, "profile.jinja2", further)


def _own_projects(created: Sequence[ProjectRow]) -> dict[str, Any]:
    return {
        "projects_draft": [owned_project(project) for project in created if not project.published],
        "projects_published": [owned_project(project) for project in created if project.published],
    }
