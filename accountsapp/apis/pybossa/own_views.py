"""What somebody who is signed in asks for: the newsletter, and the proof of the address."""

from typing import Any

from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import Done, Shown
from accountsapp.apis.pybossa.paths import path_of_account
from accountsapp.apis.pybossa.resources import EmailConfirmation, Newsletter
from accountsapp.apis.pybossa.schemas import is_true
from accountsapp.apis.pybossa.shown_forms import outcome
from accountsapp.domain.accounts import profile
from accountsapp.domain.emails import addresses
from accountsapp.i18n import mark as _
from accountsapp.pages.html import path_on_site
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request

SUBSCRIBED = _("You are subscribed to our newsletter")
LINK_SENT = "An email has been sent to validate your e-mail address."
LINK_SENT_ON_PAGE = _("We have sent you an e-mail with a link. Open it to confirm your address.")
VALID = _("Your e-mail address is already valid.")


@view_config(
    context=Newsletter,
    request_method="GET",
    permission=Permission.ACCOUNT_WRITE,
    acts=True,
    asks_first=True,
)
@view_config(context=Newsletter, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def newsletter(context: Newsletter, request: Request) -> Shown | Done:
    """``subscribe=true`` subscribes; there is no way out here: that is a flag of the settings."""
    subscribe = request.parameters.last("subscribe")
    following: dict[str, Any] = {"next": context.next_path or path_on_site(request, "/")}
    if is_true(subscribe):
        profile.change(request.store, request.actor.id, {"subscribed": True})
        return Done({**outcome(SUBSCRIBED, "success"), **following})
    if subscribe is not None:
        return Done(following)
    heading = {"template": "account/newsletter.html", "title": "Subscribe to our Newsletter"}
    return Shown({**following, **heading}, context.question)


@view_config(
    context=EmailConfirmation,
    request_method="GET",
    permission=Permission.ACCOUNT_WRITE,
    acts=True,
    asks_first=True,
)
@view_config(context=EmailConfirmation, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def confirm_email(context: EmailConfirmation, request: Request) -> Done:
    """Mail a link to the primary address, unless it is proved already."""
    is_sent = addresses.ask_to_prove_primary(request.store, request.actor.id)
    path = path_on_site(request, path_of_account(request.actor.username)) + "/"
    if not is_sent:
        return Done({**outcome(VALID, "info"), "next": path})
    return Done({**outcome(LINK_SENT, "info"), "next": path}, message=LINK_SENT_ON_PAGE)
