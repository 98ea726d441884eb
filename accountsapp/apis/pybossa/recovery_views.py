"""A forgotten password: the mail is asked for, and the link in it used."""

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.pybossa import forms
from accountsapp.apis.pybossa.answers import Done, Shown, answer
from accountsapp.apis.pybossa.forms import CORRECT, load_form, load_reset
from accountsapp.apis.pybossa.paths import SIGN_IN
from accountsapp.apis.pybossa.resources import ForgottenPassword, PasswordReset
from accountsapp.apis.pybossa.schemas import ForgottenForm
from accountsapp.apis.pybossa.settings import Settings
from accountsapp.apis.pybossa.shown_forms import forgotten_form, outcome, reset_form
from accountsapp.domain.credentials import recovery
from accountsapp.domain.errors import DeadLink, InvalidValue
from accountsapp.i18n import mark as _
from accountsapp.pages.html import path_on_site
from accountsapp.security import session_cookie
from accountsapp.web.error_views import error_view_config
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

SENT = _("We have sent you an e-mail with a link to set a new password")
UNKNOWN = [_("We don't have this email in our records.")]
MALFORMED = _("Something went wrong, please correct the errors on the form")
RESET = _("You reset your password successfully!")


@view_config(context=ForgottenPassword, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_forgotten(context: ForgottenPassword, request: Request) -> Shown:
    return forgotten_form(request)


@view_config(context=ForgottenPassword, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def ask_for_mail(context: ForgottenPassword, request: Request) -> Shown:
    email = load_form(ForgottenForm, request).email_addr
    if request.app_settings.section(Settings).hide_unknown:
        recovery.ask(request.store, email, by_any_address=True)
    elif not recovery.ask_openly(request.store, email):
        return forgotten_form(request, **outcome(UNKNOWN, "error"))
    return forgotten_form(request, **outcome(SENT, "success"))


@error_view_config(InvalidFields, containment=ForgottenPassword)
def malformed_address(error: InvalidFields, request: Request) -> Response:
    """The form again, with what is wrong."""
    return answer(request, forgotten_form(request, error.texts, **outcome(MALFORMED, "error")))


@view_config(context=PasswordReset, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_reset(context: PasswordReset, request: Request) -> Shown:
    return reset_form(request, _username(context, request))


@view_config(context=PasswordReset, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def reset(context: PasswordReset, request: Request) -> Response:
    """Nobody is signed in by it: who has the link types the new password once more."""
    _username(context, request)
    recovery.reset_by_code(request.store, context.code, load_reset(request).new_password)
    content = {**outcome(RESET, "success"), "next": path_on_site(request, "/")}
    response = answer(request, Done(content, leads_to=path_on_site(request, SIGN_IN)))
    session_cookie.end_dead(request, response)
    return response


@error_view_config(InvalidFields, containment=PasswordReset)
@error_view_config(InvalidValue, containment=PasswordReset)
def refused_password(error: InvalidFields | InvalidValue, request: Request) -> Response:
    """The form again; the link is still good."""
    texts = error.texts if isinstance(error, InvalidFields) else forms.texts_of(error, "new_password")
    username = _username(request.context, request)
    return answer(request, reset_form(request, username, texts, **outcome(CORRECT, "error")))


def _username(context: PasswordReset, request: Request) -> str:
    link = recovery.find_by_code(request.store, context.code)
    if link is None:
        raise DeadLink
    return link.account.username
