"""Home, and the pages behind mailed links: GET shows one form, POST uses the code."""

from collections.abc import Sequence

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.accounts import confirming
from accountsapp.domain.credentials import recovery
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.emails import addresses, changing
from accountsapp.domain.errors import DeadLink, EmailTaken, InvalidValue, InvalidValues, StaleCredential
from accountsapp.i18n import mark as _
from accountsapp.pages.exports import Export
from accountsapp.pages.html import page
from accountsapp.pages.language import translated
from accountsapp.pages.menu import FOR_STRANGERS
from accountsapp.pages.resources import AddressProof, EmailChange, Pages, RegistrationConfirmation, Reset
from accountsapp.pages.visitor import visitor_of
from accountsapp.security import session_cookie
from accountsapp.web.error_views import error_view_config
from accountsapp.web.request import Request
from accountsapp.web.resources import Root

SETTINGS = (_("Settings"), "settings")
SIGN_IN = (_("Sign in"), "sign-in")
NEW_PASSWORD_LINK = (_("Ask for a new password link"), "forgotten-password")
NEW_LINK = {RegistrationConfirmation: (_("Register"), "register"), AddressProof: SETTINGS, Export: SETTINGS}
"""Where another one is to be had."""
FIELDS = {"username": "new_username", "password": "new_password"}
"""What the form that sets a password calls the fields of the domain, in its order."""


@view_config(context=Root, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def home(context: Root, request: Request) -> Response:
    registry = request.registry
    return page(request, "home.jinja2", apis=registry.apis, documented=registry.documents.names)


@view_config(context=EmailChange, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_email_change(context: EmailChange, request: Request) -> Response:
    link = changing.find(request.store, context.code)
    if link is None:
        raise DeadLink
    return page(
        request,
        "confirm_email.jinja2",
        username=link.account.username,
        address=link.account.awaited_email,
    )


@view_config(context=EmailChange, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def confirm_email_change(context: EmailChange, request: Request) -> Response:
    changing.confirm(request.store, context.code)
    return done(
        request,
        _("Address confirmed"),
        _("Your new e-mail address is in force."),
        [SETTINGS, SIGN_IN],
    )


@view_config(context=AddressProof, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_address_proof(context: AddressProof, request: Request) -> Response:
    link = addresses.find_proof(request.store, context.code)
    if link is None:
        raise DeadLink
    return page(request, "prove_address.jinja2", username=link.account.username, address=link.address)


@view_config(context=AddressProof, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def prove_address(context: AddressProof, request: Request) -> Response:
    addresses.confirm(request.store, context.code)
    return done(
        request,
        _("Address confirmed"),
        _("This e-mail address is confirmed."),
        [SETTINGS, SIGN_IN],
    )


@view_config(context=RegistrationConfirmation, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_registration(context: RegistrationConfirmation, request: Request) -> Response:
    username = confirming.find(request.store, context.code)
    if username is None:
        raise DeadLink
    return page(request, "confirm_registration.jinja2", username=username)


@view_config(context=RegistrationConfirmation, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def confirm_registration(context: RegistrationConfirmation, request: Request) -> Response:
    confirming.confirm(request.store, context.code)
    return done(request, _("Account made"), _("Your account is ready. You can sign in now."), [SIGN_IN])


@view_config(context=Reset, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_reset(context: Reset, request: Request) -> Response:
    return _reset_form(context, request)


@view_config(context=Reset, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def use_reset(context: Reset, request: Request) -> Response:
    parameter = request.parameters.last_in_body
    recovery.reset(
        request.store,
        context.username,
        context.code,
        parameter("new_password"),
        new_username=parameter("new_username"),
    )
    response = done(
        request,
        _("Password set"),
        _("Your new password is in force. Sign in with it now."),
        [SIGN_IN],
    )
    session_cookie.end_dead(request, response)
    return response


@error_view_config(InvalidValue, containment=Reset)
def refused_value(error: InvalidValue, request: Request) -> Response:
    """The form again, with what is wrong beside the field; the code is still good."""
    return _reset_form(request.context, request, [error], status=400)


@error_view_config(InvalidValues, containment=Reset)
def refused_values(error: InvalidValues, request: Request) -> Response:
    """As for one."""
    return _reset_form(request.context, request, error.errors, status=400)


def _reset_form(
    context: Reset, request: Request, errors: Sequence[InvalidValue] = (), status: int = 200
) -> Response:
    link = recovery.find(request.store, context.username, context.code)
    if link is None:
        raise DeadLink
    texts = {error.field: translated(request, str(error)) for error in errors}
    return page(
        request,
        "reset.jinja2",
        status,
        username=link.account.username,
        pending=link.account.state == AccountState.PENDING,
        form={
            "new_username": request.parameters.last_in_body("new_username", ""),
            "errors": {FIELDS[field]: texts[field] for field in FIELDS if field in texts},
        },
    )


@error_view_config(DeadLink, containment=Pages)
@error_view_config(EmailTaken, containment=Pages)
@error_view_config(StaleCredential, containment=Pages)
def dead_link(error: Exception, request: Request) -> Response:
    """Unknown, used, expired, void, or the address is somebody else's by now."""
    return done(
        request,
        _("This link does not work any more"),
        _("It was used, has expired or was replaced by a newer one. Please ask for a new one."),
        [NEW_LINK.get(type(request.context), NEW_PASSWORD_LINK), SIGN_IN],
        404,
    )


def done(
    request: Request, heading: str, text: str, ways: Sequence[tuple[str, str]], status: int = 200
) -> Response:
    """A page that says what has happened, and leads on.

    :param ways: label and :class:`~accountsapp.pages.menu.Place` of where to go from here; what is not
        mounted is left out, and who is signed in is not sent to sign in where there is another way
    """
    if visitor_of(request) is not None:
        ways = [way for way in ways if way[1] not in FOR_STRANGERS] or ways
    return page(
        request,
        "done.jinja2",
        status,
        heading=translated(request, heading),
        text=translated(request, text),
        ways=ways,
    )
