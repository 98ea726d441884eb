"""The four forms of somebody's settings: stored values, or what was sent and is wrong."""

from collections.abc import Mapping
from typing import Any

from accountsapp.apis.pybossa import forms
from accountsapp.apis.pybossa.answers import Shown
from accountsapp.apis.pybossa.forms import FIELDS_OF_DOMAIN, Texts, load_form
from accountsapp.apis.pybossa.paths import path_of_account
from accountsapp.apis.pybossa.presenters import avatar_url, full_name
from accountsapp.apis.pybossa.schemas import FLAG_WORDS, ProfileForm
from accountsapp.apis.pybossa.uploading import COORDINATES
from accountsapp.domain.accounts import signing_up
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.rules.emails import key_of
from accountsapp.i18n import babel_locale
from accountsapp.pages.html import path_on_site
from accountsapp.pages.kept_forms import Fields
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

PROFILE, UPLOAD, PASSWORD, EXTERNAL = "Profile", "Upload", "Password", "External"
"""What ``btn`` says: which form was sent."""
FLAGS = ("privacy_mode", "subscribed")
PROFILE_FIELDS = ("fullname", "name", "email_addr", "locale", *FLAGS)
FIELDS = ("ckan_api", "email_addr", "fullname", "id", "locale", "name", *FLAGS)
UPLOAD_FIELDS = ("avatar", "id", "x1", "x2", "y1", "y2")


def button_of(request: Request) -> str:
    """Which form was sent."""
    return str(request.parameters.last_in_body("btn"))


def stored_values(account: AccountRow) -> dict[str, Any]:
    """What the forms of the profile and of external services show."""
    profile = account.profile
    return {
        "ckan_api": profile.ckan_api,
        "email_addr": account.email,
        "fullname": full_name(account),
        "id": account.id,
        "locale": profile.locale,
        "name": account.username,
        "privacy_mode": profile.privacy_mode,
        "subscribed": profile.subscribed,
    }


def settings_forms(
    request: Request,
    account: AccountRow,
    errors: Texts | None = None,
    *,
    button: str | None = None,
    kept: Fields | None = None,
    **further: Any,
) -> Shown:
    """``/account/{username}/update``.

    :param button: of the form that was sent, and has these errors
    :param kept: what was sent while one had to sign in first, if not now
    """
    sent, is_form = (kept, True) if kept else (request.parameters.body, request.has_form)
    has_password = request.store.reader.password_hash(account.id) is not None
    values = stored_values(account)
    upload: dict[str, Any] = dict.fromkeys(COORDINATES, 0)
    if button == PROFILE:
        values |= _with_flags(_unticked(is_form) | forms.shown_values(sent, PROFILE_FIELDS))
    elif button == EXTERNAL:
        values |= forms.shown_values(sent, ("ckan_api",))
    elif button == UPLOAD:
        upload |= forms.shown_values(sent, COORDINATES)
    of_form = errors if button in (PROFILE, EXTERNAL) else None
    of_password = errors if button == PASSWORD else None
    content = {
        "flash": None,
        "form": forms.form(request, FIELDS, values, of_form),
        "password_form": forms.form(request, forms.RESET, None, of_password),
        "show_passwd_form": has_password,
        "template": "/account/update.html",
        "title": f"Update your profile: {full_name(account)}",
        "upload_form": forms.form(request, UPLOAD_FIELDS, upload, errors if button == UPLOAD else None),
        **further,
    }
    stored_locale = account.profile.locale
    locales = list(request.app_settings.locales)
    if stored_locale and stored_locale not in locales:
        locales.append(stored_locale)
    path = path_on_site(request, path_of_account(account.username))
    choices = [(name, _language(name)) for name in locales]
    further_values = {
        "account_path": path,
        "awaited_email": account.awaited_email,
        "email": account.email,
        "flags_on": [name for name in FLAGS if getattr(account.profile, name)],
        "full_name": full_name(account),
        "kept": button if kept else None,
        "is_own": account.id == request.actor.id,
        "picture_url": avatar_url(request.app_settings, account.id, account.profile),
        "locale_choices": choices,
        "username": account.username,
        "scripts": ("password.js", "crop.js"),
    }
    return Shown(content, "settings.jinja2", further_values)


def _language(locale: str) -> str:
    """What a language calls itself; a stored locale that is none stays as it is."""
    language = babel_locale(locale)
    return language.get_display_name(language) or locale if str(language) == locale else locale


def _with_flags(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flags that were understood are shown as they are."""
    return {
        name: FLAG_WORDS.get(str(value).lower(), value) if name in FLAGS else value
        for name, value in values.items()
    }


def load_profile(request: Request, account: AccountRow) -> ProfileForm:
    """What is to change of the profile; what is sent as it is stored is no change, and is not checked.

    :raises InvalidFields: all that is wrong, also that somebody else has the name or the address
    """
    values = {name: value for name, value in request.parameters.body if name in PROFILE_FIELDS}
    values = {**_unticked(request.has_form), **values}
    stored = stored_values(account)
    changed = {name: value for name, value in values.items() if not _is_same(name, value, stored[name])}
    texts: dict[str, list[str]] = {}
    try:
        loaded = load_form(ProfileForm, request, changed)
    except InvalidFields as error:
        texts = error.texts

    def good(field: str) -> str | None:
        return str(changed[field]).strip() if field in changed and field not in texts else None

    for problem in signing_up.taken(
        request.store, username=good("name"), email=good("email_addr"), but=account.id
    ):
        texts.setdefault(FIELDS_OF_DOMAIN[problem.field], []).append(str(problem))
    if texts:
        raise InvalidFields(forms.in_order(ProfileForm, texts))
    return loaded


def _unticked(is_form: bool) -> dict[str, bool]:
    """The flags of a form: those that are off are not sent. In JSON what is not sent stays."""
    return dict.fromkeys(FLAGS, False) if is_form else {}


def _is_same(name: str, value: object, stored: object) -> bool:
    if name == "email_addr":
        return isinstance(value, str) and key_of(value.strip()) == key_of(str(stored))
    return value == stored and type(value) is type(stored)
