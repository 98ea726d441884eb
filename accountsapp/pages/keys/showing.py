"""The page of keys: what there is, what was just made, and the forms to change it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.csrf import get_csrf_token
from pyramid.response import Response

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import NamedKey
from accountsapp.domain.rules.key_scopes import EXTENSION, FULL, PRESETS, READ_ONLY, SCOPES
from accountsapp.i18n import mark as _
from accountsapp.pages.html import page
from accountsapp.pages.keys.forms import CUSTOM, NEVER
from accountsapp.pages.language import translated
from accountsapp.security.freshness import is_fresh
from accountsapp.security.permissions import Permission
from accountsapp.web import formats
from accountsapp.web.request import Request

PRESET_WORDS = {
    READ_ONLY: (_("Read only"), _("For what only wants to know who you are")),
    EXTENSION: (_("Extension"), _("For extensions and clients: your data, and their own key")),
    FULL: (_("Everything"), _("All that your account may; think twice")),
    CUSTOM: (_("Only what I choose"), ""),
}
SCOPE_WORDS = {
    Permission.ACCOUNT_READ: _("See your account"),
    Permission.ACCOUNT_WRITE: _("Change your account, invite others"),
    Permission.EMAIL_READ: _("See your e-mail addresses"),
    Permission.EMAIL_WRITE: _("Change your e-mail addresses"),
    Permission.KEY_READ: _("Show this key again"),
    Permission.KEY_WRITE: _("Replace this key"),
    Permission.PASSWORD_WRITE: _("Change your password, knowing the present one"),
    Permission.ADMINISTER: _("Administer all accounts, if you are an administrator"),
}
STATE_WORDS = {
    "active": _("active"),
    "retiring": _("being replaced"),
    "expired": _("expired"),
}
PLACE_WORDS = {
    "header": _("in the header"),
    "query": _("in the query of a URL"),
    "body": _("in the body"),
    "bearer": _("as a bearer token"),
}
LIFETIMES = (
    ("7", _("7 days")),
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("1 year")),
    ("730", _("2 years")),
    (NEVER, _("No end")),
)
OVERLAPS = (
    ("0", _("Not at all")),
    ("1", _("1 hour")),
    ("24", _("1 day")),
    ("72", _("3 days")),
    ("168", _("1 week")),
)
"""How long a key that is rotated works on, in hours."""
EMPTY: Mapping[str, Any] = {"preset": READ_ONLY, "scope": (), "expires_in": "365", "errors": {}}
"""The form for a new key before it is filled in."""


class Revealed(NamedTuple):
    """A key in clear.

    :ivar key: None for the default key
    :ivar replaced: the key whose place it takes, if that one still works
    """

    api_key: str
    key: NamedKey | None = None
    replaced: NamedKey | None = None


def show(
    request: Request,
    status: int = 200,
    *,
    revealed: Revealed | None = None,
    new: Mapping[str, Any] = EMPTY,
    is_kept: bool = False,
    rotated: str = "",
    texts: Mapping[str, Any] | None = None,
    problem: str = "",
    asks_password: bool = False,
) -> Response:
    """
    :param revealed: what is shown this once
    :param new: the form for a new key as it was filled in, and its ``errors``
    :param is_kept: whether that was before one had to sign in or enter the password
    :param rotated: the id of the key whose form for rotating has ``texts``
    :param texts: what is wrong with a form that has no values to show again, by field
    :param problem: what is wrong beside the forms, translated
    :param asks_password: whether the form for it is shown although the session is fresh
    """
    store = request.store
    message: dict[str, Any] = {"flash": problem, "status_word": "error"} if problem else {}
    return page(
        request,
        "keys.jinja2",
        status,
        scripts=["password.js", "copy.js"],
        csrf_token=get_csrf_token(request),
        username=request.actor.username,
        keys=named_keys.listing(store.connection if status >= 400 else store.latest, request.actor.id),
        is_fresh=not asks_password and is_fresh(request),
        revealed=revealed,
        new=new,
        is_kept=is_kept,
        rotated=rotated,
        refused_form={"errors": texts or {}},
        **message,
        presets=[(name, *PRESET_WORDS[name]) for name in (*PRESETS, CUSTOM)],
        scopes=[(scope, SCOPE_WORDS[Permission(scope)]) for scope in SCOPES],
        states=STATE_WORDS,
        places=PLACE_WORDS,
        lifetimes=_translated(request, LIFETIMES),
        overlaps=_translated(request, OVERLAPS),
        iso=formats.seconds,
    )


def _translated(request: Request, choices: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(value, translated(request, label)) for value, label in choices]
