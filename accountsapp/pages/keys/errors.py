"""What is refused on the page of keys: the page again with what is wrong, nothing done."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response

from accountsapp.domain.errors import (
    DomainError,
    KeyNameTaken,
    NotRotatable,
    PasswordNeeded,
    TooManyKeys,
    UnknownKey,
    WrongPassword,
)
from accountsapp.i18n import mark as _
from accountsapp.pages.kept_forms import keep, seal
from accountsapp.pages.keys.forms import CUSTOM, values_of
from accountsapp.pages.keys.resources import Keys, NewKeys, OwnKey
from accountsapp.pages.keys.showing import show
from accountsapp.pages.language import translated
from accountsapp.pages.refusals import failed
from accountsapp.web.error_views import error_view_config
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

ENTER_PASSWORD = _("Please enter your password again.")
ENTER_PASSWORD_ONLY = _("Please enter your password again; what you typed is kept.")


@error_view_config(PasswordNeeded, containment=Keys)
def ask_password(error: PasswordNeeded, request: Request) -> Response:
    """The form that asks for it, in the place of the others; a new key that was described is kept."""
    sealed = seal(request) if request.context.keeps_form else None
    text = ENTER_PASSWORD if sealed is None else ENTER_PASSWORD_ONLY
    response = show(request, 403, problem=translated(request, text))
    if sealed is not None:
        keep(request, response, sealed)
    return response


@error_view_config(WrongPassword, containment=Keys)
def wrong_password(error: WrongPassword, request: Request) -> Response:
    return show(request, 400, asks_password=True, texts={"password": _("That is not your password.")})


@error_view_config(InvalidFields, containment=Keys)
def invalid_fields(error: InvalidFields, request: Request) -> Response:
    return _form_again(request, 400, dict(error.texts))


@error_view_config(KeyNameTaken, containment=Keys)
def name_taken(error: KeyNameTaken, request: Request) -> Response:
    return _form_again(request, 409, {"name": str(error)})


@error_view_config(NotRotatable, containment=Keys)
def not_rotatable(error: NotRotatable, request: Request) -> Response:
    return _form_again(request, 409, {"overlap": str(error)})


@error_view_config(TooManyKeys, containment=Keys)
def too_many(error: TooManyKeys, request: Request) -> Response:
    text = _("An account may have at most %(most)s named keys; revoke one first.")
    return _form_again(request, 409, {}, problem=translated(request, text, most=error.most))


@error_view_config(UnknownKey, containment=Keys)
def unknown_key(error: DomainError, request: Request) -> Response:
    """As a key that is not listed."""
    return failed(HTTPNotFound(), request)


def _form_again(
    request: Request, status: int, texts: dict[str, str | list[str]], problem: str = ""
) -> Response:
    """The page with what was typed and what is wrong with it."""
    context = request.context
    if isinstance(context, NewKeys):
        new = {"preset": CUSTOM, **values_of(request.parameters.body), "errors": texts}
        return show(request, status, new=new, problem=problem)
    rotated = context.__name__ if isinstance(context, OwnKey) else ""
    return show(request, status, rotated=rotated, texts=texts, problem=problem)
