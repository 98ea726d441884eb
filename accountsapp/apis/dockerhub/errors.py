"""How the Docker Hub API refuses: ``{"detail": "…"}``, or the bad fields by name."""

from collections.abc import Sequence

from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from accountsapp.apis.dockerhub.resources import DockerHubRoot
from accountsapp.domain.errors import EmailNotFound, InvalidValue
from accountsapp.security.identity import Reason
from accountsapp.security.scopes import NEEDED
from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import TEXTS, failure_of
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

REALM = "accounts"


@error_view_config(HTTPException, containment=DockerHubRoot)
@error_view_config(Exception, containment=DockerHubRoot)
def failed(error: Exception, request: Request) -> Response:
    """A refusal that is not about a value, or a fault of ours."""
    failure = failure_of(error, request)
    if failure.reason is not None and failure.reason.is_of_credential:
        return _refusal(request, 401, _words(request, failure.reason), _challenges(request))
    if failure.reason is Reason.SCOPE and failure.refused is not None:
        scope = NEEDED[failure.refused.permission]
        challenge = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{scope}"'
        text = f"This token does not have the scope {scope}."
        return _refusal(request, 403, text, [("WWW-Authenticate", challenge)])
    if failure.reason is Reason.NOT_ALLOWED and request.context.account is None:
        return _refusal(request, 404, TEXTS[404])
    return _refusal(request, failure.status, failure.text, failure.headers)


@error_view_config(InvalidFields, containment=DockerHubRoot)
def bad_fields(error: InvalidFields, request: Request) -> Response:
    """Values that break the rules of their fields."""
    return json_answer(request, error.texts, 400)


@error_view_config(InvalidValue, containment=DockerHubRoot)
def bad_value(error: InvalidValue, request: Request) -> Response:
    """A value that cannot be had."""
    return json_answer(request, {error.field: [str(error)]}, 400)


@error_view_config(EmailNotFound, containment=DockerHubRoot)
def no_such_email(error: EmailNotFound, request: Request) -> Response:
    """The account does not have that address."""
    return _refusal(request, 404, "You do not have that e-mail address.")


def verification_required(request: Request) -> Response:
    """The caller's word does not prove an address: returned, not raised, because the mail is to be sent.

    The text is true whether or not one was sent now, so that it does not tell who else asked.
    """
    text = "That e-mail address must be confirmed first: it is mailed a link, at most one in ten minutes."
    return json_answer(request, {"detail": text, "code": "verification_required"}, 403)


def _refusal(request: Request, status: int, text: str, headers: Sequence[tuple[str, str]] = ()) -> Response:
    response = json_answer(request, {"detail": text}, status)
    response.headerlist.extend(headers)
    return response


def _words(request: Request, reason: Reason) -> str:
    """What is wrong with the credential, as far as its sender can know without us."""
    sent = "HTTP_AUTHORIZATION" in request.environ
    if reason is Reason.NO_CREDENTIAL and not sent:
        return TEXTS[401]
    if reason in (Reason.NO_CREDENTIAL, Reason.MALFORMED):
        return "The Authorization header cannot be read: neither HTTP Basic nor a bearer token."
    return "Wrong user name, password or token."


def _challenges(request: Request) -> list[tuple[str, str]]:
    bearer = f'Bearer realm="{REALM}"'
    if request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower() == "bearer":
        bearer += ', error="invalid_token"'
    return [
        ("WWW-Authenticate", f'Basic realm="{REALM}", charset="UTF-8"'),
        ("WWW-Authenticate", bearer),
    ]
