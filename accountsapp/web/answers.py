"""Answers, made as bytes straight into the response: JSON, and JSON wrapped for a script tag.

An API root names its way (``answer``); views return what is to be said, and the view deriver calls it.
"""

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from pyramid.response import Response
from pyramid.viewderivers import VIEW

from accountsapp.web import jsonp

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request

HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
"""Every answer has these: account data is nobody else's to keep, and keys travel in URLs."""


class Answer(Protocol):
    """Makes the response from what a view returns."""

    def __call__(self, request: "Request", value: Any, status: int = 200, /) -> Response: ...


encode = json.JSONEncoder(allow_nan=False).encode
"""JSON as all answers have it."""
encode_text: Callable[[str], str] = json.encoder.encode_basestring_ascii
"""As :data:`encode`, of a text alone."""


class JsonText(str):
    """An answer that is JSON already, or a member of one."""


class SharedList(list[Any]):
    """A list that many answers have, as a member of the answer itself; its JSON is made once."""

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__(items)
        self.json = encode(self)


def json_answer(request: "Request", value: Any, status: int = 200) -> Response:
    """A JSON response."""
    return _response(_json(value), "application/json", status)


def _json(value: Any) -> str:
    if type(value) is JsonText:
        return value
    if type(value) is not dict or _WRITTEN.isdisjoint(map(type, value.values())):
        return encode(value)
    members = [f"{encode_text(name)}: {_json_of_member(item)}" for name, item in value.items()]
    return f"{{{', '.join(members)}}}"


_WRITTEN = frozenset((SharedList, JsonText))


def _json_of_member(item: Any) -> str:
    if type(item) is SharedList:
        return item.json
    return item if type(item) is JsonText else encode(item)


def jsonp_answer(request: "Request", value: Any, status: int = 200) -> Response:
    """As :func:`json_answer`, wrapped in the callback that the query string names, if it is a good one."""
    callback = request.callback
    if callback is None:
        return json_answer(request, value, status)
    script = jsonp.wrap(callback, encode(value))
    return _response(script, "application/javascript; charset=utf-8", status)


def empty_answer() -> Response:
    """A response without a body: 204."""
    return Response(status=204, headerlist=list(HEADERS))


def _response(text: str, content_type: str, status: int) -> Response:
    body = text.encode("ascii")
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), *HEADERS]
    if status == 200:
        return Response(app_iter=[body], headerlist=headers)
    return Response(app_iter=[body], status=status, headerlist=headers)


def answering(view: Any, info: Any) -> Any:
    """View deriver, next to the view: what a view of an API returns becomes a response in the API's way."""
    if info.options.get("renderer") is not None:
        return view

    def answered(context: Any, request: "Request") -> Response:
        result = view(context, request)
        if isinstance(result, Response):
            return result
        return (request.api.answer if request.api is not None else json_answer)(request, result)

    return answered


def includeme(config: "Configurator") -> None:
    config.add_view_deriver(answering, under="rendered_view", over=VIEW)
