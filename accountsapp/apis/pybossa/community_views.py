"""The community: everybody who is listed, the best, and what happened of late."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import Shown
from accountsapp.apis.pybossa.community_presenters import MemberColumns, feed_item, list_entry, top_entry
from accountsapp.apis.pybossa.paths import MOUNT, path_of_account
from accountsapp.apis.pybossa.resources import Community, CommunityPage
from accountsapp.domain.activity import community, feed
from accountsapp.domain.clock import now
from accountsapp.domain.store import Store
from accountsapp.pages.html import path_on_site
from accountsapp.web.answers import SharedList
from accountsapp.web.request import Request


@view_config(context=Community, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_first_page(context: Community, request: Request) -> Shown:
    return community_page(request, 1)


@view_config(context=CommunityPage, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_page(context: CommunityPage, request: Request) -> Shown:
    return community_page(request, context.number)


def community_page(request: Request, number: int) -> Shown:
    """
    :raises HTTPNotFound: there are not so many pages
    """
    store, settings, moment = request.store, request.app_settings, now()
    members = community.page(store, number, MemberColumns)
    if members is None:
        raise HTTPNotFound
    total = community.total(store)
    viewer_id = request.identity.account_id if request.identity is not None else None
    content = {
        "accounts": store.recent.made_of(
            (list_entry, number),
            members,
            lambda rows: SharedList(list_entry(settings, member, moment) for member in rows),
        ),
        "pagination": {
            "next": number * community.PAGE < total,
            "page": number,
            "per_page": community.PAGE,
            "prev": number > 1,
            "total": total,
        },
        "template": "account/index.html",
        "title": "Community",
        "top_users": _top_users(store, viewer_id),
        "total": total,
        "update_feed": store.recent.made_of(
            feed_item,
            feed.feed(store, MemberColumns),
            lambda items: SharedList(feed_item(settings, item) for item in items),
        ),
    }
    further = {
        "path_of": lambda name: path_on_site(request, path_of_account(name)),
        "page_path": path_on_site(request, f"{MOUNT}/page"),
    }
    return Shown(content, "community.jinja2", further, has_form=False)


def _top_users(store: Store, viewer_id: int | None) -> list[dict[str, Any]]:
    """The best, with the viewer at the end; without, the same list for everybody."""
    best, shown = community.top(store, MemberColumns), community.top(store, MemberColumns, viewer_id)
    users = store.recent.made_of(
        top_entry,
        best,
        lambda members: SharedList(top_entry(store.settings, ranked) for ranked in members),
    )
    return users if shown is best else [*users, top_entry(store.settings, shown[-1])]
