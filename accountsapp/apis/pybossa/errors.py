"""How the account pages refuse: an error object, or a page with the same status."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from accountsapp.apis.pybossa.answers import answer
from accountsapp.apis.pybossa.negotiation import VARY, wants_json
from accountsapp.apis.pybossa.paths import SIGN_IN
from accountsapp.apis.pybossa.resources import AccountSettings, PasswordReset, PybossaRoot
from accountsapp.apis.pybossa.returning import filled_form, is_of_own_page
from accountsapp.domain.errors import DeadLink, RegistrationClosed
from accountsapp.i18n import mark as _
from accountsapp.pages import flash, kept_forms
from accountsapp.pages.html import go, path_on_site
from accountsapp.pages.refusals import form_not_taken, refusal_page, stale_form
from accountsapp.pages.views import SIGN_IN as TO_SIGN_IN
from accountsapp.pages.views import done
from accountsapp.security.identity import Reason
from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import TEXTS, Failure, failure_of
from accountsapp.web.request import Request
from accountsapp.web.resources import AccountResource, PartOfAccount
from accountsapp.web.transactions import is_unsafe

DEAD = _("This link does not work any more: it was used, has expired or was replaced by a newer one.")
RESET_IS_DEAD = (
    _("It was used, has expired or was replaced by a newer one. Please ask for a new one."),
    [(_("Ask for a new link"), "forgotten-password"), TO_SIGN_IN],
)
"""What the page says of a link to a new password, and where it leads."""
PROOF_IS_DEAD = (
    _(
        "It was used, has expired or was replaced by a newer one."
        " Once you are signed in, your profile can send you another one."
    ),
    [(_("Profile"), "profile"), TO_SIGN_IN, (_("Register"), "register")],
)
"""The same of a link that confirms an address."""


@error_view_config(HTTPException, containment=PybossaRoot)
@error_view_config(Exception, containment=PybossaRoot)
def failed(error: Exception, request: Request) -> Response:
    """Any refusal, or a fault of ours."""
    failure = failure_of(error, request)
    if failure.reason is not None and failure.reason.is_of_credential:
        return _sign_in_first(request)
    context = request.context
    if (
        failure.reason is Reason.NOT_ALLOWED
        and isinstance(context, AccountResource | PartOfAccount)
        and context.account is None
    ):
        return refuse(request, Failure(404, TEXTS[404]))
    return refuse(request, failure)


@error_view_config(BadCSRFToken, containment=PybossaRoot)
@error_view_config(BadCSRFOrigin, containment=PybossaRoot)
def forged(error: BadCSRFToken | BadCSRFOrigin, request: Request) -> Response:
    """A form that does not come from a page of ours, or is too old."""
    if wants_json(request):
        return refuse(request, failure_of(error, request))
    form = filled_form(request) if is_of_own_page(request, error) else None
    if form is not None:
        further = {**form.further, "stale_form": stale_form(request, error)}
        return answer(request, replace(form, further=further), 400)
    response = form_not_taken(error, request)
    response.headerlist.append(VARY)
    return response


@error_view_config(DeadLink, containment=PybossaRoot)
def dead_link(error: DeadLink, request: Request) -> Response:
    """A link that is not good; the page leads on to a new one."""
    if wants_json(request):
        return refuse(request, Failure(403, DEAD))
    text, ways = RESET_IS_DEAD if isinstance(request.context, PasswordReset) else PROOF_IS_DEAD
    response = done(request, _("This link does not work any more"), text, ways, 403)
    response.headerlist.append(VARY)
    return response


@error_view_config(RegistrationClosed, containment=PybossaRoot)
def closed(error: RegistrationClosed, request: Request) -> Response:
    """The operator lets nobody register."""
    return refuse(request, Failure(403, str(error)))


def _sign_in_first(request: Request) -> Response:
    if wants_json(request):
        content = {**_error_object(401, TEXTS[401]), "next": path_on_site(request, SIGN_IN)}
        response = json_answer(request, {**content, "status": "not_signed_in"}, 401)
    else:
        destination = path_on_site(
            request, request.path_qs if request.method in ("GET", "HEAD") else request.path
        )
        response = go(f"{path_on_site(request, SIGN_IN)}?next={quote(destination)}")
        if is_unsafe(request):
            _tell_of_form(request, response)
    response.headerlist.append(VARY)
    return response


def _tell_of_form(request: Request, response: Response) -> None:
    """That the form was not taken; the settings have it again once its owner has signed in."""
    sealed = kept_forms.seal(request) if isinstance(request.context, AccountSettings) else None
    if sealed is not None:
        kept_forms.keep(request, response, sealed)
    text = kept_forms.IS_LOST if sealed is None else kept_forms.IS_KEPT
    flash.tell(request, response, text, "info")


def refuse(request: Request, failure: Failure) -> Response:
    """An error object, or a page that says the same."""
    if not wants_json(request):
        response = refusal_page(request, failure)
    else:
        response = json_answer(request, _error_object(failure.status, failure.text), failure.status)
        response.headerlist.extend(failure.headers)
    response.headerlist.append(VARY)
    return response


def _error_object(status: int, text: str) -> dict[str, Any]:
    return {"code": status, "description": text, "template": f"{status}.html"}
