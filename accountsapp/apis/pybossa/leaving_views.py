"""Taking one's data along, and leaving."""

from dataclasses import replace

from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import Done, answer, answer_without_session
from accountsapp.apis.pybossa.paths import path_of_account
from accountsapp.apis.pybossa.resources import Deletion, Export
from accountsapp.apis.pybossa.shown_forms import outcome
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.errors import EmailNotVerified
from accountsapp.domain.transfer import archives
from accountsapp.i18n import mark as _
from accountsapp.pages.html import path_on_site
from accountsapp.security.permissions import Permission
from accountsapp.web.error_views import error_view_config
from accountsapp.web.request import Request

DELETED = _("Your account is being deleted")
STARTED = _("GDPR export started")
STARTED_ON_PAGE = _("Your export has begun. We mail you the links when it is ready.")
UNPROVED = _("Please validate your e-mail address first")


@view_config(
    context=Deletion, request_method="GET", permission=Permission.ACCOUNT_WRITE, acts=True, asks_first=True
)
@view_config(context=Deletion, request_method=("POST", "DELETE"), permission=Permission.ACCOUNT_WRITE)
def delete(context: Deletion, request: Request) -> Response:
    lifecycle.ask_deletion(request.store, context.target.id)
    done = Done({"job": "enqueued", "template": None}, leads_to=path_on_site(request, "/"), message=DELETED)
    return answer_without_session(request, done)


@view_config(
    context=Export, request_method="GET", permission=Permission.ACCOUNT_WRITE, acts=True, asks_first=True
)
@view_config(context=Export, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def export(context: Export, request: Request) -> Done:
    archives.ask(request.store, context.target.id)
    return replace(_back_to_profile(context, request, STARTED, "success"), message=STARTED_ON_PAGE)


@error_view_config(EmailNotVerified, containment=Export)
def unproved(error: EmailNotVerified, request: Request) -> Response:
    """Personal data goes to no address that nobody has proved."""
    return answer(request, _back_to_profile(request.context, request, UNPROVED, "error"))


def _back_to_profile(context: Export, request: Request, flash: str, status: str) -> Done:
    path = path_on_site(request, path_of_account(context.target.username))
    return Done({**outcome(flash, status), "next": f"{path}/"})
