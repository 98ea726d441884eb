"""What the calls of addons-server show, each key by name."""

import re
from typing import Any

from accountsapp.apis.amo.schemas import ProfileColumns
from accountsapp.domain.accounts.super_creation import SuperCreated
from accountsapp.domain.activity.authorship import figures_of
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.rules.app_permissions import EVERYTHING
from accountsapp.domain.rules.notifications import Notification
from accountsapp.pages.menu import Place
from accountsapp.pages.visitor import Visitor
from accountsapp.security.session_cookie import COOKIE
from accountsapp.web.formats import seconds
from accountsapp.web.request import Request
from accountsapp.web.uploads import picture_url

_ANONYMOUS = re.compile(r"anonymous-[0-9a-f]{32}")
TROUBLE = "Changes cannot be saved at the moment."


def show_public(request: Request, account: AccountRow) -> dict[str, Any]:
    """What everybody sees of who publishes add-ons."""
    profile: ProfileColumns = account.profile
    figures, picture = figures_of(profile.addon_figures_text), profile.picture
    return {
        "average_addon_rating": figures.average_addon_rating,
        "biography": profile.biography or None,
        "created": seconds(profile.joined),
        "has_anonymous_display_name": not profile.display_name,
        "has_anonymous_username": _ANONYMOUS.fullmatch(account.username) is not None,
        "homepage": profile.homepage or None,
        "id": account.id,
        "is_addon_developer": figures.is_addon_developer,
        "is_artist": figures.is_artist,
        "location": profile.location or None,
        "name": profile.display_name or f"Firefox user {account.id}",
        "num_addons_listed": figures.num_addons_listed,
        "occupation": profile.occupation or None,
        "picture_type": "image/png" if picture is not None else None,
        "picture_url": picture_url(request.app_settings, account.id, picture)
        if picture is not None
        else None,
        "username": account.username,
    }


def show_self(request: Request, account: AccountRow) -> dict[str, Any]:
    """What its owner and editors see of an account."""
    profile: ProfileColumns = account.profile
    last_login = profile.last_login
    return {
        **show_public(request, account),
        "deleted": False,
        "display_name": profile.display_name or None,
        "email": account.email,
        "fxa_edit_email_url": _settings_url(request, account),
        "last_login": seconds(last_login) if last_login is not None else None,
        "last_login_ip": profile.last_login_ip or "",
        "is_verified": account.email_verified,
        "permissions": sorted({*profile.permissions, *([EVERYTHING] if account.is_admin else [])}),
        "read_dev_agreement": profile.read_dev_agreement,
        "site_status": site_status(request),
    }


def site_status(request: Request) -> dict[str, Any]:
    """Whether the database took what this process last wrote, as ``/readyz`` says."""
    in_trouble = request.database.writing.cause is not None
    return {"read_only": in_trouble, "notice": TROUBLE if in_trouble else None}


def _settings_url(request: Request, account: AccountRow) -> str:
    """The page where the account's address is changed; where no mounted API has one, the home page."""
    path = request.registry.menu.path_to(Place.SETTINGS, Visitor(account.id, account.username, None))
    return f"{request.app_settings.site_url}{path or '/'}"


def show_notification(notification: Notification) -> dict[str, Any]:
    return {
        "name": notification.name,
        "enabled": notification.enabled,
        "mandatory": notification.mandatory,
    }


def show_created(created: SuperCreated) -> dict[str, Any]:
    """A new account with its session, for the program that asked for both."""
    group = created.group
    return {
        "user_id": created.account.id,
        "username": created.account.username,
        "display_name": created.display_name,
        "email": created.account.email,
        "fxa_id": created.fxa_id,
        "groups": [[group.number, group.name, group.permission]] if group is not None else [],
        "session_cookie": {
            "name": COOKIE,
            "value": created.session,
            "encoded": f"{COOKIE}={created.session}",
        },
    }
