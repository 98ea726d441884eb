"""Signing in, on the page that needs it: its own URL shows the form and takes it.

A page for signed-in people is a :class:`~accountsapp.pages.resources.PersonPage`, and has the form by the
directive ``config.add_sign_in``.
"""

from typing import TYPE_CHECKING, Any

from pyramid.csrf import get_csrf_token
from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import HTTPForbidden
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config

from accountsapp.domain.credentials import signin
from accountsapp.domain.errors import InactiveAccount, StaleCredential, WrongPassword
from accountsapp.pages import kept_forms
from accountsapp.pages.flash import Message
from accountsapp.pages.html import go, page
from accountsapp.pages.kept_forms import IS_KEPT, IS_LOST, keep, seal, typed
from accountsapp.pages.language import translated
from accountsapp.pages.refusals import StaleForm, refusal_page, stale_form
from accountsapp.pages.resources import PersonPage
from accountsapp.security import session_cookie
from accountsapp.security.identity import ANONYMOUS, Reason
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import failure_of
from accountsapp.web.request import Request
from accountsapp.web.transactions import is_unsafe

if TYPE_CHECKING:
    from pyramid.config import Configurator


@error_view_config(HTTPForbidden, containment=PersonPage)
def sign_in_first(error: HTTPForbidden, request: Request) -> Response:
    """Who is not signed in gets the form; who may not although signed in is told so."""
    failure = failure_of(error, request)
    if failure.reason is not Reason.NO_CREDENTIAL:
        return refusal_page(request, failure)
    return _signed_out(request) if is_unsafe(request) else _form(request.context, request)


@error_view_config(StaleCredential, containment=PersonPage)
def sign_in_again(error: StaleCredential, request: Request) -> Response:
    """Who was signed in when the request began, and is not any more, gets the form too."""
    request.known_caller = ANONYMOUS
    return _signed_out(request)


@exception_view_config(BadCSRFToken, containment=PersonPage, anonymous=True)
@exception_view_config(BadCSRFOrigin, containment=PersonPage, anonymous=True)
def form_again(error: Exception, request: Request) -> Response:
    """The form with the name that was typed, and why it was not taken; or to somebody who sent another form
    of the page, which is kept.
    """
    if request.context.keeps_form and typed(request, error):
        return _signed_out(request, error, 400)
    username = request.parameters.last_in_body("username")
    return _form(
        request.context,
        request,
        400,
        stale_form=stale_form(request, error),
        username=username if isinstance(username, str) else "",
    )


def _signed_out(request: Request, error: Exception | None = None, status: int = 200) -> Response:
    """The form, to somebody who sent another one.

    :param error: why that was not taken, beside that nobody is signed in
    """
    sealed = seal(request, error) if request.context.keeps_form else None
    text = translated(request, IS_LOST if sealed is None else IS_KEPT)
    response = _form(request.context, request, status, message=Message(text, "info"))
    if sealed is not None:
        keep(request, response, sealed)
    return response


def sign_in(context: PersonPage, request: Request) -> Response:
    """Take the form and come back to the same URL, or show it again.

    A body without a password is that of another form, whose session has ended: no failure to tell or count.
    """
    query, identity = context.query, request.identity
    username = request.parameters.last_in_body("username")
    password = request.parameters.last_in_body("password")
    if password is None:
        return _signed_out(request)
    username = username if isinstance(username, str) else ""
    try:
        account = signin.authenticate(request.store, username, password)
    except WrongPassword:
        message = Message(translated(request, "User name or password is wrong."), "error")
    except InactiveAccount:
        message = Message(translated(request, "This account is not active."), "error")
    else:
        response = go(context.path + query)
        former = identity.secret if identity is not None else None
        session_cookie.begin(request, response, signin.sign_in(request.store, account, former=former))
        return response
    return _form(context, request, 400, message=message, username=username)


def _form(
    context: PersonPage,
    request: Request,
    status: int = 200,
    *,
    message: Message | None = None,
    stale_form: StaleForm | None = None,
    username: str = "",
) -> Response:
    """
    :param message: what is said first, translated
    :param stale_form: why it was not taken, where it did not come from a page of ours
    """
    values: dict[str, Any] = {"flash": message.text, "status_word": message.status} if message else {}
    return page(
        request,
        "sign_in.jinja2",
        status,
        csrf_token=get_csrf_token(request),
        scripts=["password.js"],
        destination=context.destination,
        entrance=context.entrance,
        **values,
        stale_form=stale_form,
        form={"username": username, "errors": {}},
    )


def sign_out(request: Request, response: Response) -> Response:
    """End the session of the request, and let the answer take its cookie away, and a form that was kept."""
    signin.sign_out(request.store, request.caller.secret or "")
    session_cookie.end(request, response)
    kept_forms.forget(request, response)
    return response


class AnonymousPredicate:
    """View predicate ``anonymous``: whether nobody was proved."""

    def __init__(self, expected: bool, _info: Any) -> None:
        self._expected = expected

    def text(self) -> str:
        return f"anonymous = {self._expected}"

    phash = text

    def __call__(self, context: Any, request: Request) -> bool:
        return (request.identity is None) is self._expected


def add_sign_in(config: "Configurator", context: type[PersonPage], *, anew: bool = False) -> None:
    """The ``config.add_sign_in`` directive: the page takes the form from whoever is not signed in.

    :param anew: whether also from who is: a new session then takes the place of his
    """
    predicates = {} if anew else {"anonymous": True}
    config.add_view(
        sign_in,
        context=context,
        request_method="POST",
        permission=NO_PERMISSION_REQUIRED,
        **predicates,
    )


def includeme(config: "Configurator") -> None:
    """The predicate and the directive; :mod:`accountsapp.pages` scans the rest."""
    config.add_view_predicate("anonymous", AnonymousPredicate)
    config.add_directive("add_sign_in", add_sign_in)
