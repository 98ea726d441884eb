"""Refusals and faults as pages: what happened in words, and where to go from there."""

from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from pyramid.csrf import get_csrf_token
from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from accountsapp.i18n import mark as _
from accountsapp.i18n import translations
from accountsapp.pages.html import page, path_on_site
from accountsapp.pages.kept_forms import typed
from accountsapp.pages.language import translated
from accountsapp.pages.resources import Pages, PersonPage
from accountsapp.pages.visitor import ask_nobody
from accountsapp.web import failures
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import Failure, failure_of
from accountsapp.web.request import Request
from accountsapp.web.resources import Root
from accountsapp.web.views import json_failure

HEADINGS = {
    400: _("That could not be read"),
    403: _("You may not see this"),
    404: _("There is no such page"),
    405: _("That cannot be done here"),
    413: _("That is too much"),
    415: _("That could not be read"),
    429: _("Too many attempts"),
    500: _("Something went wrong on our side"),
    503: _("We are busy right now"),
}
TEXTS = {
    400: _("Your browser sent something that we do not understand. Nothing was changed."),
    403: _("This page belongs to somebody else, or is not for everybody."),
    404: _("The address may have a typing error, or what was here is gone."),
    405: _("This address does not take what your browser sent. Nothing was changed."),
    413: _("What you sent is larger than we take. Nothing was changed."),
    415: _("Your browser sent something that we do not understand. Nothing was changed."),
    500: _("It is not your fault, and we have made a note of it. Please try again later."),
    503: _("Please try again in a moment."),
}
NOT_POSSIBLE = _("That is not possible")
"""Of a refusal that says its own reason."""
STALE_FORM = _(
    "Your browser did not send the cookie that belongs to this form, or the form was too old."
    " Nothing was changed; please send it again."
)
FOREIGN_PAGE = _(
    "Your browser says that this form is not from a page of ours. Nothing was changed; please open the page"
    " again."
)
FOREIGN_SITE = _(
    "This form works under the address %(site_url)s alone. Nothing was changed; please open it there."
)


def refusal_page(request: Request, failure: Failure) -> Response:
    """A failure as a page, with its status and headers."""
    if failure.status >= 500:
        ask_nobody(request)
    heading, text = HEADINGS.get(failure.status, HEADINGS[400]), TEXTS.get(failure.status, TEXTS[400])
    if failure.status == 403 and failure.reason is None and failure.text not in failures.TEXTS.values():
        heading, text = NOT_POSSIBLE, failure.text
    response = page(
        request,
        "refused.jinja2",
        failure.status,
        heading=translated(request, heading),
        text=_minutes(request, failure) or translated(request, text),
        may_try_again=failure.status in (429, 503),
        request_id=request.id if failure.status == 500 else None,
    )
    response.headerlist.extend(failure.headers)
    return response


def _minutes(request: Request, failure: Failure) -> str | None:
    """How long to wait, of a throttle that is full."""
    seconds = dict(failure.headers).get("Retry-After")
    if failure.status != 429 or seconds is None:
        return None
    minutes = -(-int(seconds) // 60)
    text: str = translations(request.locale_name).ngettext(
        "Please wait a minute, then try again.", "Please wait %(minutes)s minutes, then try again.", minutes
    )
    return text % {"minutes": minutes}


class StaleForm(NamedTuple):
    """A form that was not taken because it did not come from a page of ours.

    :ivar problem: why, translated, for who filled it in
    :ivar elsewhere: its URL under the site's own name, where it works; empty for the URL as it is
    """

    problem: str
    elsewhere: str


def stale_form(request: Request, error: Exception) -> StaleForm:
    """
    :param error: ``BadCSRFToken`` or ``BadCSRFOrigin``
    """
    if not isinstance(error, BadCSRFOrigin):
        return StaleForm(translated(request, STALE_FORM), "")
    site_url = request.app_settings.site_url
    if request.host == urlsplit(site_url).netloc:
        return StaleForm(translated(request, FOREIGN_PAGE), "")
    path = _entrance(request) or quote(request.environ["PATH_INFO"].encode("latin-1"))
    query = request.environ.get("QUERY_STRING", "")
    elsewhere = site_url + path + (f"?{query}" if query else "")
    return StaleForm(translated(request, FOREIGN_SITE, site_url=site_url), elsewhere)


def _entrance(request: Request) -> str | None:
    """That of the page, if it has one of its own."""
    return request.context.entrance if isinstance(request.context, PersonPage) else None


@error_view_config(BadCSRFToken, containment=PersonPage)
@error_view_config(BadCSRFOrigin, containment=PersonPage)
def form_not_taken(error: Exception, request: Request) -> Response:
    """What was typed, to be sent again, or the way back; who signs in gets that form (``sign_in.py``)."""
    stale, entrance = stale_form(request, error), _entrance(request)
    values: dict[str, Any] = {
        "heading": translated(request, _("Please send that again")),
        "stale_form": stale,
        "again": stale.elsewhere or (path_on_site(request, entrance) if entrance else ""),
    }
    fields = typed(request, error)
    if fields:
        values |= {"fields": fields, "csrf_token": get_csrf_token(request)}
    return page(request, "stale_form.jinja2", 400, **values)


@error_view_config(HTTPException, containment=Pages)
@error_view_config(Exception, containment=Pages)
@error_view_config(HTTPException, containment=PersonPage)
@error_view_config(Exception, containment=PersonPage)
def failed(error: Exception, request: Request) -> Response:
    """Whatever else is refused on a page."""
    return refusal_page(request, failure_of(error, request))


@error_view_config(HTTPException, containment=Root)
@error_view_config(Exception, containment=Root)
def failed_outside(error: Exception, request: Request) -> Response:
    """What belongs to no API and no page: as a page to a browser that asks for one, else as JSON."""
    if request.api is None and prefers_html(request):
        return failed(error, request)
    return json_failure(error, request)


def prefers_html(request: Request) -> bool:
    """Whether ``Accept`` names HTML and wants nothing of JSON more."""
    if "text/html" not in request.headers.get("Accept", "").lower():
        return False
    offers = request.accept.acceptable_offers(["text/html", "application/json"])
    return bool(offers) and offers[0][0] == "text/html"
