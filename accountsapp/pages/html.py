"""HTML answers."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from pyramid.renderers import render
from pyramid.response import Response

from accountsapp.pages import flash
from accountsapp.pages.language import day, minute
from accountsapp.pages.menu import Place
from accountsapp.pages.visitor import visitor_of
from accountsapp.web.answers import HEADERS
from accountsapp.web.request import Request
from accountsapp.web.uploads import path_of_picture

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
PAGE_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Frame-Options", "DENY"),
    *(header for header in HEADERS if header[0] != "Referrer-Policy"),
)
PART = "<!-- part -->"
"""Where a part of a page is going to be. What a page shows is escaped, so nobody else can write it."""


def page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    leads_away: bool = False,
    scripts: Sequence[str] = (),
    policy: str = POLICY,
    **values: Any,
) -> Response:
    """A page of the product: nothing from elsewhere, not to be framed or kept.

    Beside the values each template has ``site`` (:class:`~accountsapp.pages.branding.Branding`), ``menu``,
    ``visitor`` and ``language``; for paths of this site ``href(path)``, and ``link_to(place)``, which is None
    where no such :class:`~accountsapp.pages.menu.Place` is mounted; ``picture_path(url)``, which is None for
    pictures of other sites; ``day`` and ``minute`` for dates; and what Jinja's ``i18n`` gives.

    :param template: a name below ``pages/templates``, or an asset specification
    :param leads_away: whether a form's answer sends the browser to another site. The policy then says nothing
        of forms: browsers hold ``form-action`` against every further redirect too, and those are that site's
    :param policy: what it may load, besides scripts
    :param scripts: names below ``/static`` of the scripts that it may run; without them it runs none
    :param values: what the template shows, escaped; ``flash`` and ``status_word`` are a message, by
        default the one-time one that another page left (:mod:`~accountsapp.pages.flash`).
        With a ``csrf_token`` among them the page's own site is told where a request comes from: under
        ``no-referrer`` browsers send forms with ``Origin: null``
    """
    referrer = "same-origin" if "csrf_token" in values else "no-referrer"
    asset = template if ":" in template else f"accountsapp:pages/templates/{template}"
    site, menu, visitor = request.registry.branding, request.registry.menu, visitor_of(request)

    def link_to(place: str) -> str | None:
        path = menu.path_to(Place(place), visitor)
        return site.href(path) if path is not None else None

    context = {
        "site": site,
        "href": site.href,
        "link_to": link_to,
        "menu": menu.entries(visitor),
        "pages_of_account": partial(menu.of_account, visitor),
        "visitor": visitor,
        "language": request.locale_name.replace("_", "-"),
        "day": partial(day, request),
        "minute": partial(minute, request),
        "picture_path": partial(path_of_picture, request.app_settings),
        "referrer": referrer,
        "scripts": scripts,
        **values,
    }
    message = flash.message_of(request) if "flash" not in values else None
    if message is not None:
        context |= {"flash": message.text, "status_word": message.status}
    body = render(asset, context, request=request).encode()
    headers = [
        *PAGE_HEADERS,
        ("Content-Security-Policy", _policy(policy, leads_away, bool(scripts))),
        ("Referrer-Policy", referrer),
        ("Content-Length", str(len(body))),
    ]
    response = Response(app_iter=[body], status=status, headerlist=headers)
    if message is not None:
        flash.forget(request, response)
    return response


def page_around(
    request: Request,
    part: str,
    key: Hashable,
    sources: tuple[object, ...],
    make_page: Callable[[str], Response],
) -> Response:
    """A page without a form, of which all but one part is kept for all who are not signed in and want the
    same language.

    :param part: HTML
    :param key: which page it is
    :param sources: the values of :class:`~accountsapp.domain.recent.Recent` that the rest is made of
    :param make_page: calls :func:`page`, whose template has the part once, as it is given
    """
    if visitor_of(request) is not None or flash.COOKIE.is_in(request):
        return make_page(part)

    def make() -> tuple[list[tuple[str, str]], bytes, bytes]:
        response = make_page(PART)
        before, _, after = response.body.partition(PART.encode())
        kept = [(name, value) for name, value in response.headerlist if name != "Content-Length"]
        return kept, before, after

    headers, before, after = request.store.recent.made_of_all((key, request.locale_name), sources, make)
    body = b"".join((before, part.encode(), after))
    return Response(app_iter=[body], headerlist=[*headers, ("Content-Length", str(len(body)))])


def _policy(policy: str, leads_away: bool, has_scripts: bool) -> str:
    if has_scripts:
        policy = f"{policy}; script-src 'self'"
    return policy if leads_away else f"{policy}; form-action 'self'"


def go(uri: str) -> Response:
    """Send the browser on.

    :param uri: an absolute URI, or a path on this site with that of ``site_url`` (:func:`path_on_site`)
    """
    return Response(status=303, headerlist=[("Location", uri), *HEADERS])


def path_on_site(request: Request, path: str) -> str:
    """A path of the application as the public has it: with the path of ``site_url`` in front."""
    return request.app_settings.site_path + path
