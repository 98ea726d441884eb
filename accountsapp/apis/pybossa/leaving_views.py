"""Taking one's data along, and leaving."""

from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import Done, answer_without_session
from accountsapp.apis.pybossa.resources import Deletion
from accountsapp.domain.accounts import lifecycle
from accountsapp.pages.html import path_on_site
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request

DELETED = "Your account is being deleted"


@view_config(
    context=Deletion, request_method="GET", permission=Permission.ACCOUNT_WRITE, acts=True, asks_first=True
)
@view_config(context=Deletion, request_method=("POST", "DELETE"), permission=Permission.ACCOUNT_WRITE)
def delete(context: Deletion, request: Request) -> Response:
    lifecycle.ask_deletion(request.store, context.target.id)
    done = Done({"job": "enqueued", "template": None}, leads_to=path_on_site(request, "/"), message=DELETED)
    return answer_without_session(request, done)
