"""Forms that come back with what was typed: the token that they were sent with is not good any more."""

from pyramid.exceptions import BadCSRFOrigin

from accountsapp.apis.pybossa.answers import Shown
from accountsapp.apis.pybossa.resources import (
    AccountSettings,
    ForgottenPassword,
    PasswordReset,
    Registration,
    SignIn,
)
from accountsapp.apis.pybossa.settings_forms import button_of, settings_forms
from accountsapp.apis.pybossa.shown_forms import forgotten_form, registration_form, reset_form, sign_in_form
from accountsapp.domain.credentials import recovery
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request


def filled_form(request: Request) -> Shown | None:
    """The form that was sent, with a fresh token.

    :returns: None where nothing was typed, or it is not for who asks
    """
    context = request.context
    match context:
        case Registration() if request.app_settings.registration != "closed":
            return registration_form(request)
        case SignIn():
            return sign_in_form(request)
        case ForgottenPassword():
            return forgotten_form(request)
        case PasswordReset():
            link = recovery.find_by_code(request.store, context.code)
            return reset_form(request, link.account.username) if link is not None else None
        case AccountSettings() if request.policy.grants(request, context, Permission.ACCOUNT_WRITE):
            return settings_forms(request, context.target, button=button_of(request))
    return None


def is_of_own_page(request: Request, error: Exception) -> bool:
    """Whether the form stood on a page under the name that the request came to, whatever the site is called.

    What a page of somebody else put into it does not come back.

    :param error: ``BadCSRFToken`` or ``BadCSRFOrigin``
    """
    origin: str = request.headers.get("Origin", "")
    return not isinstance(error, BadCSRFOrigin) or origin.partition("://")[2] == request.host
