"""How members refuse: ``{"error": "…"}``, or ``{"errors": {field: [text]}}``."""

from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import TEXTS, failure_of
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request
from tests.support.sixth_api.resources import MembersRoot


@error_view_config(HTTPException, containment=MembersRoot)
@error_view_config(Exception, containment=MembersRoot)
def failed(error: Exception, request: Request) -> Response:
    failure = failure_of(error, request)
    if failure.reason is not None and failure.reason.is_of_credential:
        response = json_answer(request, {"error": TEXTS[401]}, 401)
        response.headerlist.append(("WWW-Authenticate", 'Bearer realm="members"'))
        return response
    response = json_answer(request, {"error": failure.text}, failure.status)
    response.headerlist.extend(failure.headers)
    return response


@error_view_config(InvalidFields, containment=MembersRoot)
def bad_fields(error: InvalidFields, request: Request) -> Response:
    return json_answer(request, {"errors": error.texts}, 422)
