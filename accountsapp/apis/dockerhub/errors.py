"""How the Docker Hub API refuses: ``{"detail": "…"}``, or the bad fields by name."""

from typing import Any

from pyramid.exceptions import PredicateMismatch
from pyramid.httpexceptions import HTTPException, HTTPForbidden
from pyramid.response import Response
from pyramid.view import exception_view_config

from accountsapp.apis.dockerhub.resources import DockerHubRoot
from accountsapp.apis.dockerhub.schemas import InvalidFields
from accountsapp.domain.errors import EmailNotFound, InvalidValue
from accountsapp.security.identity import Reason
from accountsapp.security.scopes import NEEDED
from accountsapp.web.answers import json_answer
from accountsapp.web.failures import TEXTS, allowed_methods, failure_of

REALM = "accounts"
UNPROVED = (Reason.NO_CREDENTIAL, Reason.BAD_CREDENTIAL, Reason.INACTIVE)


@exception_view_config(HTTPException, containment=DockerHubRoot)
@exception_view_config(Exception, containment=DockerHubRoot)
def failed(error: Exception, request: Any) -> Response:
    """A refusal that is not about a value, or a fault of ours."""
    failure = failure_of(error, request)
    if failure.reason in UNPROVED:
        return _refusal(request, 401, TEXTS[401], _challenges(request))
    if failure.reason is Reason.SCOPE and isinstance(error, HTTPForbidden):
        scope = NEEDED[error.result.permission]
        challenge = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{scope}"'
        text = f"This token does not have the scope {scope}."
        return _refusal(request, 403, text, [("WWW-Authenticate", challenge)])
    if failure.reason is Reason.NOT_ALLOWED and request.context.account is None:
        return _refusal(request, 404, TEXTS[404])
    return _refusal(request, failure.status, failure.text, failure.headers)


@exception_view_config(PredicateMismatch, containment=DockerHubRoot)
@exception_view_config(PredicateMismatch, containment=DockerHubRoot, request_method="OPTIONS")
def not_offered(error: PredicateMismatch, request: Any) -> Response:
    """Another method, ``OPTIONS`` among them."""
    methods = [method for method in allowed_methods(request) if method != "OPTIONS"]
    return _refusal(request, 405, TEXTS[405], [("Allow", ", ".join(methods))])


@exception_view_config(InvalidFields, containment=DockerHubRoot)
def bad_fields(error: InvalidFields, request: Any) -> Response:
    """Values that break the rules of their fields."""
    return json_answer(request, error.texts, 400)


@exception_view_config(InvalidValue, containment=DockerHubRoot)
def bad_value(error: InvalidValue, request: Any) -> Response:
    """A value that cannot be had."""
    return json_answer(request, {error.field: [str(error)]}, 400)


@exception_view_config(EmailNotFound, containment=DockerHubRoot)
def no_such_email(error: EmailNotFound, request: Any) -> Response:
    """The account does not have that address."""
    return _refusal(request, 404, "You do not have that e-mail address.")


def verification_required(request: Any) -> Response:
    """The caller's word does not prove an address: returned, not raised, because the mail is to be sent."""
    text = "That e-mail address must be confirmed first: it was sent a link."
    return json_answer(request, {"detail": text, "code": "verification_required"}, 403)


def _refusal(request: Any, status: int, text: str, headers: list[tuple[str, str]] | None = None) -> Response:
    response = json_answer(request, {"detail": text}, status)
    response.headerlist.extend(headers or [])
    return response


def _challenges(request: Any) -> list[tuple[str, str]]:
    bearer = f'Bearer realm="{REALM}"'
    if request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower() == "bearer":
        bearer += ', error="invalid_token"'
    return [
        ("WWW-Authenticate", f'Basic realm="{REALM}", charset="UTF-8"'),
        ("WWW-Authenticate", bearer),
    ]
