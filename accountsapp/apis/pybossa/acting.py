"""GETs that act: only for a client that proves that it means it; a page asks first.

A link on a page of somebody else, a prefetch or a mail scanner must not delete an account.
"""

from typing import TYPE_CHECKING, Any

from pyramid.httpexceptions import HTTPForbidden

from accountsapp.apis.pybossa.answers import Shown, answer
from accountsapp.apis.pybossa.negotiation import HTML, accepted, wants_json
from accountsapp.security import csrf
from accountsapp.web.bodies import JSON, content_type_of
from accountsapp.web.request import Request
from accountsapp.web.transactions import is_unsafe

if TYPE_CHECKING:
    from pyramid.config import Configurator

PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz")


def is_proved(request: Request) -> bool:
    """Whether only a client of ours, or a script that may read our answers, could have sent the request."""
    ranges = accepted(request)
    own_script = _site_of(request) == "same-origin" and request.headers.get("Sec-Fetch-Mode") not in (
        None,
        "navigate",
    )
    return (
        content_type_of(request)[0] == JSON
        or (ranges.get(JSON, (0.0, 0))[0] > 0 and HTML not in ranges)
        or own_script
        or csrf.has_header(request)
    )


def is_objected(request: Request) -> bool:
    """Whether a browser says that it comes from another site, from a link, or before anybody asked."""
    is_foreign = _site_of(request) in ("cross-site", "same-site")
    origin = request.headers.get("Origin")
    is_vouched = origin in request.app_settings.cors_origins or csrf.has_header(request)
    return (
        (is_foreign and not is_vouched)
        or request.headers.get("Sec-Fetch-Mode") == "navigate"
        or is_prefetch(request)
    )


def is_prefetch(request: Request) -> bool:
    """Whether a browser looks at the page before anybody asks for it."""
    return any("prefetch" in request.headers.get(name, "").lower() for name in PREFETCH_HEADERS)


def _site_of(request: Request) -> str | None:
    return request.headers.get("Sec-Fetch-Site")


def asking_view(view: Any, info: Any) -> Any:
    """View deriver, inside the checks: a view that says ``asks_first=True`` acts on a safe method only where
    that is meant; its context is a :class:`~accountsapp.apis.pybossa.resources.Acting`.
    """
    if not info.options.get("asks_first"):
        return view

    def asking(context: Any, request: Request) -> Any:
        if is_unsafe(request):
            return view(context, request)
        if not wants_json(request):
            if context.acts_for_pages and _is_meant_for_a_page(request):
                return view(context, request)
            return answer(request, Shown({}, context.question, context.details))
        if context.would_act and (request.method == "HEAD" or not is_proved(request) or is_objected(request)):
            raise HTTPForbidden
        return view(context, request)

    return asking


def _is_meant_for_a_page(request: Request) -> bool:
    return request.method != "HEAD" and _site_of(request) != "cross-site" and not is_prefetch(request)


asking_view.options = ("asks_first",)  # type: ignore[attr-defined]  # how Pyramid asks a deriver for its view options


def includeme(config: "Configurator") -> None:
    config.add_view_deriver(asking_view, under="secured_view", over="acting_view")
