"""The settings of an account: four forms, of which ``btn`` names the one that was sent."""

from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPUnsupportedMediaType
from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.apis.pybossa import forms
from accountsapp.apis.pybossa.answers import Done, Shown, answer, answer_with_other_session
from accountsapp.apis.pybossa.forms import CORRECT, WRONG_PASSWORD, load_form, load_password
from accountsapp.apis.pybossa.negotiation import wants_json
from accountsapp.apis.pybossa.paths import path_of_account, settings_of
from accountsapp.apis.pybossa.resources import AccountSettings, ApiKeyReset
from accountsapp.apis.pybossa.schemas import ExternalForm
from accountsapp.apis.pybossa.settings_forms import (
    EXTERNAL,
    PASSWORD,
    PROFILE,
    UPLOAD,
    button_of,
    load_profile,
    settings_forms,
)
from accountsapp.apis.pybossa.shown_forms import outcome
from accountsapp.apis.pybossa.uploading import AVATAR, load_picture
from accountsapp.domain.accounts import profile
from accountsapp.domain.credentials import api_keys, password_change
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.emails import changing
from accountsapp.domain.errors import InvalidValue, WrongPassword
from accountsapp.domain.unset import Unset
from accountsapp.i18n import mark as _
from accountsapp.pages import kept_forms
from accountsapp.pages.html import path_on_site
from accountsapp.pages.kept_forms import BUTTON
from accountsapp.security import csrf
from accountsapp.security.permissions import Permission
from accountsapp.web.error_views import error_view_config
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

UPLOADED = _("Your avatar has been updated")
UPDATED = _("Your profile has been updated!")
LINK_SENT = _(
    "Your profile has been updated! The new e-mail address counts once you open the link sent to it."
)
PASSWORD_CHANGED = _("Your password has been changed")
NEW_KEY = "New API-KEY generated"
NEW_KEY_ON_PAGE = _("The new API key is in force. The old one does not work any more.")


@view_config(context=AccountSettings, request_method="GET", permission=Permission.ACCOUNT_READ)
def show_settings(context: AccountSettings, request: Request) -> Response:
    kept = [] if wants_json(request) else kept_forms.kept(request, request.path)
    response = answer(
        request, settings_forms(request, context.target, button=dict(kept).get(BUTTON), kept=kept)
    )
    if kept:
        kept_forms.forget(request, response)
    return response


@view_config(context=AccountSettings, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def update(context: AccountSettings, request: Request) -> Response:
    """
    :raises HTTPUnsupportedMediaType: no form has that name, in that very spelling
    """
    change = CHANGES.get(button_of(request))
    if change is None:
        raise HTTPUnsupportedMediaType("The button of the form is missing or unknown.")
    return change(context.target, request)


def update_profile(account: AccountRow, request: Request) -> Response:
    form = load_profile(request, account)
    changed = profile.change(
        request.store,
        account.id,
        form.columns(),
        username=form.name,
        email=form.email_addr,
        email_again=changing.may_ask_again(request.store, account),
    )
    flash = UPDATED if isinstance(form.email_addr, Unset) else LINK_SENT
    return answer(request, _done(request, flash, changed.username))


def update_external(account: AccountRow, request: Request) -> Response:
    form = load_form(ExternalForm, request)
    columns = {name: getattr(form, name) for name in form.model_fields_set}
    changed = profile.change(request.store, account.id, columns)
    return answer(request, _done(request, UPDATED, changed.username))


def update_password(account: AccountRow, request: Request) -> Response:
    form, session = load_password(request, account), request.caller.secret or ""
    session_after = password_change.change_in_session(
        request.store,
        account.id,
        current=form.current_password,
        new=form.new_password,
        value=session,
        form=csrf.form_of(get_csrf_token(request)),
    )
    done = _done(request, PASSWORD_CHANGED, account.username)
    return answer_with_other_session(request, done, session_after)


def upload_picture(account: AccountRow, request: Request) -> Response:
    changed = profile.change(request.store, account.id, picture=load_picture(request))
    return answer(request, _done(request, UPLOADED, changed.username))


CHANGES = {
    PROFILE: update_profile,
    UPLOAD: upload_picture,
    PASSWORD: update_password,
    EXTERNAL: update_external,
}


@error_view_config(InvalidFields, containment=AccountSettings)
@error_view_config(InvalidValue, containment=AccountSettings)
def refused_change(error: InvalidFields | InvalidValue, request: Request) -> Response:
    """The forms again, with all that is wrong in the one that was sent."""
    texts = error.texts if isinstance(error, InvalidFields) else forms.texts_of(error, "new_password")
    if WRONG_PASSWORD in texts.get("current_password", ()):
        return _forms_again(request, texts, WRONG_PASSWORD)
    return _forms_again(request, texts, texts.get(AVATAR, [CORRECT])[0])


@error_view_config(WrongPassword, containment=AccountSettings)
def wrong_password(error: WrongPassword, request: Request) -> Response:
    """The forms again: it was not the present password."""
    return _forms_again(request, {"current_password": [WRONG_PASSWORD]}, WRONG_PASSWORD)


def _forms_again(request: Request, texts: forms.Texts, flash: str) -> Response:
    account = request.context.target
    return answer(
        request, settings_forms(request, account, texts, button=button_of(request), **outcome(flash, "error"))
    )


def _done(request: Request, flash: str, username: str) -> Done:
    path = path_on_site(request, settings_of(username))
    return Done({**outcome(flash, "success"), "next": path})


@view_config(context=ApiKeyReset, request_method="GET", permission=Permission.KEY_READ)
def ask_for_new_key(context: ApiKeyReset, request: Request) -> Shown:
    content = {"form": {"csrf": get_csrf_token(request)}}
    username = context.target.username
    settings_path = path_on_site(request, settings_of(username))
    return Shown(content, "resetapikey.jinja2", {"username": username, "settings_path": settings_path})


@view_config(context=ApiKeyReset, request_method="POST", permission=Permission.KEY_WRITE)
def reset_key(context: ApiKeyReset, request: Request) -> Done:
    api_keys.reset(request.store, context.target.id)
    path = path_on_site(request, path_of_account(context.target.username))
    return Done({**outcome(NEW_KEY, "success"), "next": path}, message=NEW_KEY_ON_PAGE)
