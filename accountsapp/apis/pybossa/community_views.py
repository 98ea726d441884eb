"""The community: everybody who is listed, the best, and what happened of late."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.pybossa.answers import Shown
from accountsapp.apis.pybossa.community_presenters import MemberColumns, feed_item, list_entry, top_entry
from accountsapp.apis.pybossa.paths import MOUNT, path_of_account
from accountsapp.apis.pybossa.resources import Community, CommunityPage
from accountsapp.domain.activity import community, feed
from accountsapp.domain.clock import now
from accountsapp.pages.html import path_on_site
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
        "accounts": [list_entry(settings, member, moment) for member in members],
        "pagination": {
            "next": number * community.PAGE < total,
            "page": number,
            "per_page": community.PAGE,
            "prev": number > 1,
            "total": total,
        },
        "template": "account/index.html",
        "title": "Community",
        "top_users": [
            top_entry(settings, ranked) for ranked in community.top(store, MemberColumns, viewer_id)
        ],
        "total": total,
        "update_feed": [feed_item(settings, item) for item in feed.feed(store, MemberColumns)],
    }
    further = {
        "path_of": lambda name: path_on_site(request, path_of_account(name)),
        "page_path": path_on_site(request, f"{MOUNT}/page"),
    }
    return Shown(content, "community.jinja2", further, has_form=False)
