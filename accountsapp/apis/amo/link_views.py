"""The pages behind the links of mails: GET shows one form, POST switches that kind of mail off.

Token and hash are the authority. Mail programs send the POST by themselves (RFC 8058).
"""

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.amo.resources import MailedLink
from accountsapp.domain.accounts import notifying
from accountsapp.domain.errors import BadProof, InvalidValue
from accountsapp.i18n import mark as _
from accountsapp.pages.html import page
from accountsapp.pages.language import translated
from accountsapp.pages.views import done
from accountsapp.web.error_views import error_view_config
from accountsapp.web.request import Request

ABOUT = {
    "reply": _("A developer answers your review."),
    "new_features": _("News about the product."),
    "upgrade_success": _("An add-on of yours was made compatible automatically."),
    "sdk_upgrade_success": _("An SDK-built add-on of yours was made compatible automatically."),
    "new_review": _("Somebody reviewed an add-on of yours."),
    "announcements": _("The newsletter."),
}
"""What each kind that can be switched off is about."""


@view_config(context=MailedLink, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_unsubscribing(context: MailedLink, request: Request) -> Response:
    notifying.check_proof(request.store, *context.proof)
    notifying.check_optional(context.__name__, "notification")
    return page(
        request,
        "accountsapp:apis/amo/templates/unsubscribe.jinja2",
        about=translated(request, ABOUT[context.__name__]),
    )


@view_config(context=MailedLink, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def unsubscribe(context: MailedLink, request: Request) -> Response:
    notifying.unsubscribe(request.store, *context.proof, context.__name__)
    return done(
        request, _("No more of these mails"), _("You will not be sent mails of this kind any more."), []
    )


@error_view_config(BadProof, containment=MailedLink)
@error_view_config(InvalidValue, containment=MailedLink)
def bad_link(error: Exception, request: Request) -> Response:
    """Whatever is wrong with it, the page is the same."""
    text = _("It is not complete, or not one of ours. Nothing was changed.")
    return done(request, _("This link is not good"), text, [], 403)
