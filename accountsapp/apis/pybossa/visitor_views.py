"""Registering, signing in and out, and what mailed links confirm."""

from typing import Any

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.pybossa import forms
from accountsapp.apis.pybossa.answers import (
    Done,
    Shown,
    answer,
    answer_with_session,
    answer_without_session,
)
from accountsapp.apis.pybossa.forms import CORRECT, load_form, load_registration
from accountsapp.apis.pybossa.paths import SIGN_IN, settings_of
from accountsapp.apis.pybossa.presenters import full_name
from accountsapp.apis.pybossa.resources import ChangePassword, Confirmation, Registration, SignIn, SignOut
from accountsapp.apis.pybossa.schemas import SignInForm
from accountsapp.apis.pybossa.settings import Settings
from accountsapp.apis.pybossa.shown_forms import outcome, registration_form, sign_in_form
from accountsapp.domain.accounts import confirming, signing_up
from accountsapp.domain.credentials import signin
from accountsapp.domain.errors import (
    InactiveAccount,
    InvalidValue,
    PendingAccount,
    UnknownAccount,
    WrongPassword,
)
from accountsapp.i18n import mark as _
from accountsapp.pages.html import go, path_on_site
from accountsapp.pages.language import translated
from accountsapp.security.permissions import Permission
from accountsapp.web.error_views import error_view_config
from accountsapp.web.fields import InvalidFields
from accountsapp.web.next_url import is_absolute, safe_url
from accountsapp.web.request import Request

WELCOME = _("Welcome back %(name)s")
SIGNED_OUT = _("You are now signed out")
THANKS = _("Thanks for signing up")
UNKNOWN = _("We do not know that account. Did you sign up?")
WRONG = _("Wrong e-mail address or password")
INACTIVE = _("This account is not active")
READY = _("Your e-mail address is confirmed and the account is ready")


@view_config(context=Registration, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_registration(context: Registration, request: Request) -> Shown:
    signing_up.check_open(request.store)
    return registration_form(request)


@view_config(context=Registration, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def register(context: Registration, request: Request) -> Response:
    signing_up.check_open(request.store)
    form = load_registration(request)
    session = signing_up.sign_up(
        request.store,
        form.name,
        form.email_addr,
        password=form.password,
        former=session_of(request),
        name=form.fullname,
    )
    if session is None:
        return answer(request, _sent_for_validation(form.email_addr))
    done = Done({**outcome(THANKS, "success"), "next": context.next_path or path_on_site(request, "/")})
    return answer_with_session(request, done, session)


def _sent_for_validation(address: str) -> Shown:
    content = {
        "status": "sent",
        "template": "account/account_validation.html",
        "title": "Account validation",
    }
    return Shown(content, "account_validation.jinja2", {"address": address}, has_form=False)


@error_view_config(InvalidFields, containment=Registration)
@error_view_config(InvalidValue, containment=Registration)
def refused_registration(error: InvalidFields | InvalidValue, request: Request) -> Response:
    """The form again, with all that is wrong."""
    texts = error.texts if isinstance(error, InvalidFields) else forms.texts_of(error, "password")
    return answer(request, registration_form(request, texts, **outcome(CORRECT, "error")))


@view_config(
    context=Confirmation,
    request_method="GET",
    permission=NO_PERMISSION_REQUIRED,
    acts=True,
    asks_first=True,
)
@view_config(context=Confirmation, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def confirm(context: Confirmation, request: Request) -> Done:
    """Nobody is signed in by it: whoever opens a mailed link may be somebody else."""
    confirming.confirm_any(request.store, context.code)
    return Done({**outcome(READY, "success"), "next": path_on_site(request, SIGN_IN)})


@view_config(context=SignIn, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_sign_in(context: SignIn, request: Request) -> Shown | Done:
    if request.identity is None:
        return sign_in_form(request)
    front_end = context.next_path if is_absolute(context.next_path) else None
    return Done({"next": front_end or path_on_site(request, "/")})


@view_config(context=SignIn, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_in(context: SignIn, request: Request) -> Response:
    form = load_form(SignInForm, request)
    account = signin.authenticate(request.store, form.email, form.password)
    session = signin.sign_in(request.store, account, former=session_of(request))
    name = full_name(account)
    done = Done(
        {
            **outcome(WELCOME % {"name": name}, "success"),
            "next": context.next_path or path_on_site(request, "/"),
        },
        message=translated(request, WELCOME, name=name),
    )
    return answer_with_session(request, done, session)


@error_view_config(InvalidFields, containment=SignIn)
def unfilled_sign_in(error: InvalidFields, request: Request) -> Response:
    """The form again, with what is missing."""
    return answer(request, sign_in_form(request, error.texts, **outcome(CORRECT, "error")))


@error_view_config(WrongPassword, containment=SignIn)
@error_view_config(InactiveAccount, containment=SignIn)
def refused_sign_in(error: WrongPassword | InactiveAccount, request: Request) -> Response:
    """The form again; whether there is such an account is told where the operator lets it be."""
    flash, status = WRONG, "error"
    if not request.app_settings.section(Settings).hide_unknown:
        if isinstance(error, UnknownAccount | PendingAccount):
            flash, status = UNKNOWN, "info"
        elif isinstance(error, InactiveAccount):
            flash = INACTIVE
    return answer(request, sign_in_form(request, **outcome(flash, status)))


@view_config(
    context=SignOut, request_method="GET", permission=NO_PERMISSION_REQUIRED, acts=True, asks_first=True
)
@view_config(context=SignOut, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(context: SignOut, request: Request) -> Response:
    session = session_of(request)
    if session is not None:
        signin.sign_out(request.store, session)
    content: dict[str, Any] = {**outcome(SIGNED_OUT, "success"), "message": SIGNED_OUT}
    parameter = request.parameters.last_in_query
    following = safe_url(parameter("next") or parameter("redirect_url"), request.app_settings)
    done = Done({**content, "next": following or path_on_site(request, "/")})
    return answer_without_session(request, done)


@view_config(context=ChangePassword, request_method="GET", permission=Permission.ACCOUNT_READ)
def change_password(context: ChangePassword, request: Request) -> Response:
    """To the settings of who is signed in, else to sign in first."""
    settings = path_on_site(request, settings_of(request.actor.username))
    return go(settings)


def session_of(request: Request) -> str | None:
    """The value of the session that the request presents."""
    return request.identity.secret if request.identity is not None else None
