"""The community: everybody who is listed, the best, and what happened of late."""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from html import escape
from typing import Any, TypeVar

from pyramid.httpexceptions import HTTPNotFound
from pyramid.renderers import render
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import TEMPLATES, Shown, ShownToAll
from accountsapp.apis.pybossa.community_presenters import MemberColumns, feed_item, list_entries, top_entry
from accountsapp.apis.pybossa.negotiation import wants_json
from accountsapp.apis.pybossa.paths import MOUNT, path_of_account
from accountsapp.apis.pybossa.presenters import avatar_url, full_name
from accountsapp.apis.pybossa.resources import Community, CommunityPage
from accountsapp.domain.activity import community, feed
from accountsapp.domain.activity.community import MemberRow, RankedMember
from accountsapp.domain.activity.feed import FeedItem
from accountsapp.domain.clock import now
from accountsapp.domain.rules.text import initial_of
from accountsapp.pages.html import path_on_site
from accountsapp.pages.language import ago_in
from accountsapp.web.answers import SharedList
from accountsapp.web.request import Request
from accountsapp.web.uploads import path_of_picture

S = TypeVar("S")
T = TypeVar("T")

PAGE = "community.jinja2"
ITEMS_OF_PAGE = 20
"""Of the feed, what a page shows."""


@view_config(context=Community, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_first_page(context: Community, request: Request) -> Shown | ShownToAll:
    return community_page(request, 1)


@view_config(context=CommunityPage, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_page(context: CommunityPage, request: Request) -> Shown | ShownToAll:
    return community_page(request, context.number)


def community_page(request: Request, number: int) -> Shown | ShownToAll:
    """
    :raises HTTPNotFound: there are not so many pages
    """
    store = request.store
    total = community.total(store)
    pagination = {
        "next": number * community.PAGE < total,
        "page": number,
        "per_page": community.PAGE,
        "prev": number > 1,
        "total": total,
    }
    content = {
        "pagination": pagination,
        "template": "account/index.html",
        "title": "Community",
        "total": total,
    }
    if wants_json(request):
        return Shown({**content, **_lists(request, number)}, PAGE)
    people = _made_of_page(
        request,
        number,
        ("people", request.locale_name),
        lambda members: _rendered(
            request,
            "people",
            people=_people(request, members),
            number=number,
            pages=community.pages(store),
            previous=number - 1,
            next=number + 1 if pagination["next"] else None,
            page_path=path_on_site(request, f"{MOUNT}/page"),
        ),
    )
    best, items = community.top(store, MemberColumns), feed.feed(store, MemberColumns)
    return ShownToAll(
        people,
        sources=(best, items),
        key=("community", total),
        make=lambda people: Shown(content, PAGE, _parts(request, people, items), has_form=False),
    )


def _made_of_page(request: Request, number: int, kind: Hashable, make: Callable[[list[MemberRow]], T]) -> T:
    product = community.made_of_page(request.store, number, MemberColumns, kind, make)
    if product is None:
        raise HTTPNotFound
    return product


def _lists(request: Request, number: int) -> dict[str, Any]:
    """The lists of the JSON answer; what they have in common with other answers is kept for a while."""
    store, settings, moment = request.store, request.app_settings, now()
    best, viewer = _best_and_viewer(request)
    top_users = store.recent.made_of(
        top_entry, best, lambda best: SharedList(top_entry(settings, ranked) for ranked in best)
    )
    return {
        "accounts": _made_of_page(
            request, number, "entries", lambda members: list_entries(settings, members, moment)
        ),
        "top_users": [*top_users, *viewer] if viewer else top_users,
        "update_feed": store.recent.made_of(
            feed_item,
            feed.feed(store, MemberColumns),
            lambda items: SharedList(feed_item(settings, item) for item in items),
        ),
    }


def _parts(request: Request, people: str, items: Sequence[FeedItem]) -> dict[str, Any]:
    """The parts of the page, rendered; what is the same for everybody of a language is kept for a while."""
    settings = request.app_settings
    best, viewer = _best_and_viewer(request)

    def path_of(username: str) -> str:
        return path_on_site(request, path_of_account(username))

    def ago(moment: datetime) -> str:
        return ago_in(request.locale_name, moment - now())

    return {
        "people": people,
        "best": _part(
            request,
            "best",
            best,
            lambda best: {"best": [top_entry(settings, ranked) for ranked in best], "path_of": path_of},
        ),
        "latest": _part(
            request,
            "latest",
            items,
            lambda items: {
                "latest": [(feed_item(settings, item), ago(item.moment)) for item in items[:ITEMS_OF_PAGE]],
                "path_of": path_of,
            },
        ),
        "viewer": viewer,
        "path_of": path_of,
    }


def _part(request: Request, name: str, source: S, values: Callable[[S], dict[str, Any]]) -> str:
    """A part of the page, rendered from what is made of its source."""
    return request.store.recent.made_of(
        (name, request.locale_name), source, lambda source: _rendered(request, name, **values(source))
    )


def _rendered(request: Request, name: str, **values: Any) -> str:
    return render(f"{TEMPLATES}community_{name}.jinja2", values, request=request)


def _people(request: Request, members: list[MemberRow]) -> list[tuple[str, str | None, str, str, str]]:
    """Of each, as HTML: its path, that of its picture, initial and full name, how long ago it was made."""
    settings, moment, ago = request.app_settings, now(), partial(ago_in, request.locale_name)
    base = path_on_site(request, "")
    people = []
    for member in members:
        name = full_name(member)
        picture = path_of_picture(settings, avatar_url(settings, member.id, member.profile))
        people.append(
            (
                escape(base + path_of_account(member.username)),
                escape(picture) if picture is not None else None,
                escape(initial_of(name)),
                escape(name),
                escape(ago(member.created - moment)),
            )
        )
    return people


def _best_and_viewer(request: Request) -> tuple[tuple[RankedMember, ...], list[dict[str, Any]]]:
    """The best, the same tuple for everybody, and the entry of who looks, if it is not among them."""
    store = request.store
    viewer_id = request.identity.account_id if request.identity is not None else None
    best, shown = community.top(store, MemberColumns), community.top(store, MemberColumns, viewer_id)
    return best, [top_entry(store.settings, ranked) for ranked in shown[len(best) :]]
