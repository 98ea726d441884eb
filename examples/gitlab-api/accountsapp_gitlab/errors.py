"""How GitLab refuses: ``{"message": …}``."""

from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import failure_of
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request
from accountsapp_gitlab.resources import GitlabRoot

MESSAGES = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found"}


@error_view_config(HTTPException, containment=GitlabRoot)
@error_view_config(Exception, containment=GitlabRoot)
def failed(error: Exception, request: Request) -> Response:
    failure = failure_of(error, request)
    of_credential = failure.reason is not None and failure.reason.is_of_credential
    status = 401 if of_credential else failure.status
    response = json_answer(request, {"message": MESSAGES.get(status, failure.text)}, status)
    response.headerlist.extend(failure.headers)
    return response


@error_view_config(InvalidFields, containment=GitlabRoot)
def bad_fields(error: InvalidFields, request: Request) -> Response:
    return json_answer(request, {"message": error.texts}, 400)
