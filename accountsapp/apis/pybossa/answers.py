"""What views return, and how it is sent: as JSON, or as a page."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyramid.csrf import get_csrf_token
from pyramid.response import Response

from accountsapp.apis.pybossa.negotiation import VARY, wants_json
from accountsapp.pages import flash, kept_forms
from accountsapp.pages.html import go, page, page_around
from accountsapp.security import session_cookie
from accountsapp.web.answers import json_answer
from accountsapp.web.request import Request

NOT_FOR_TEMPLATES = ("flash", "status", "template")
TEMPLATES = "accountsapp:apis/pybossa/templates/"


@dataclass(frozen=True)
class Shown:
    """Something to look at or to fill in.

    :ivar content: as JSON
    :ivar template: of the page, which shows the content too
    :ivar further: what the page shows besides
    :ivar has_form: whether the page has one, with a token
    """

    content: Mapping[str, Any]
    template: str
    further: Mapping[str, Any] = field(default_factory=dict)
    has_form: bool = True


@dataclass(frozen=True)
class ShownToAll:
    """A page that is the same for everybody who is not signed in, but for one part.

    :ivar part: HTML
    :ivar sources: what the rest is made of, the same objects as long as it is the same
    :ivar key: what else it depends on
    :ivar make: gives what is shown, with a part
    """

    part: str
    sources: tuple[object, ...]
    key: Hashable
    make: Callable[[str], Shown]


@dataclass(frozen=True)
class Done:
    """Something was done; a page goes on to another one, where the message is shown.

    :ivar content: as JSON, with ``flash``, ``status`` and ``next`` where there are some
    :ivar leads_to: the path to which a page goes on, if it is not ``next``
    """

    content: Mapping[str, Any]
    leads_to: str | None = None
    message: str | None = None


def answer(request: Request, value: Any, status: int = 200) -> Response:
    """The response for what a view returned."""
    if isinstance(value, ShownToAll):
        response = page_around(
            request, value.part, value.key, value.sources, lambda part: show_page(request, value.make(part))
        )
    elif wants_json(request):
        response = json_answer(request, value.content, status)
    elif isinstance(value, Done):
        response = go(value.leads_to or value.content["next"])
        message = value.message or value.content.get("flash")
        if message:
            flash.tell(request, response, message, value.content.get("status", "success"))
    else:
        response = show_page(request, value, status)
    response.headerlist.append(VARY)
    return response


def show_page(request: Request, shown: Shown, status: int = 200) -> Response:
    """The page of some content."""
    values = {name: value for name, value in shown.content.items() if name not in NOT_FOR_TEMPLATES}
    message = shown.content.get("flash")
    if message:
        values["flash"] = message if isinstance(message, str) else " ".join(message)
        values["status_word"] = shown.content.get("status", "info")
    if shown.has_form:
        values["csrf_token"] = get_csrf_token(request)
    return page(request, TEMPLATES + shown.template, status, **{**values, **shown.further})


def answer_with_session(request: Request, value: Any, session: str | None) -> Response:
    """As :func:`answer`, with a new session.

    :param session: the value of its cookie; None leaves the browser what it has
    """
    response = answer(request, value)
    if session is not None:
        session_cookie.begin(request, response, session)
    return response


def answer_with_other_session(request: Request, value: Any, session: str | None) -> Response:
    """As :func:`answer`, with another value of the session.

    :param session: the value of its cookie; None leaves the browser what it has
    """
    response = answer(request, value)
    if session is not None:
        session_cookie.replace(request, response, session)
    return response


def answer_without_session(request: Request, value: Any) -> Response:
    """As :func:`answer`, taking the session's cookie away, and a form that was kept."""
    response = answer(request, value)
    session_cookie.end(request, response)
    kept_forms.forget(request, response)
    return response
