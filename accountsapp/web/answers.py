"""Answers, made as bytes straight into the response: JSON, and JSON wrapped for a script tag.

An API root names its way (``answer``); views return what is to be said, and the view deriver calls it.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.response import Response
from pyramid.viewderivers import INGRESS, VIEW

HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
"""Every answer has these: account data is nobody else's to keep, and keys travel in URLs."""

CALLBACK = re.compile(
    r"[A-Za-z_$][A-Za-z0-9_$]*(?:\[[0-9]+\])?(?:\.[A-Za-z_$][A-Za-z0-9_$]*(?:\[[0-9]+\])?)*"
)
LONGEST_CALLBACK = 128

Renderer = Callable[..., Response]


def json_answer(request: Any, value: Any, status: int = 200) -> Response:
    """A JSON response."""
    return _response(request, _dumps(value), "application/json", status)


def jsonp_answer(request: Any, value: Any, status: int = 200) -> Response:
    """As :func:`json_answer`, wrapped in the callback that the query string names, if it is a good one.

    The leading comment keeps the reflected name from being the first bytes of the file; the JSON inside is
    ASCII, so that line separators and charsets do not matter, and has no ``<``.
    """
    callback = callback_of(request)
    text = _dumps(value)
    if callback is None:
        return _response(request, text, "application/json", status)
    script = f"/**/{callback}({text.replace('<', chr(92) + 'u003c')});"
    return _response(request, script, "application/javascript; charset=utf-8", status)


def is_callback(name: str) -> bool:
    """Whether the name is one that a script may be asked to call.

    Identifiers joined by dots, each optionally followed by ``[digits]``; 1 to 128 ASCII characters.
    """
    return len(name) <= LONGEST_CALLBACK and CALLBACK.fullmatch(name) is not None


def callback_of(request: Any) -> str | None:
    """The callback, if exactly one was given and it is a good one."""
    try:
        values = request.callbacks
    except HTTPBadRequest:
        return None
    return values[0] if len(values) == 1 and is_callback(values[0]) else None


def check_callback(request: Any) -> None:
    """
    :raises HTTPBadRequest: a callback was given that cannot be called, or more than one
    """
    values = request.callbacks
    if values and (len(values) > 1 or not is_callback(values[0])):
        raise HTTPBadRequest("Invalid callback.")


_dumps = json.JSONEncoder(allow_nan=False).encode


def _response(request: Any, text: str, content_type: str, status: int) -> Response:
    body = text.encode("ascii")
    api = request.api
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        *HEADERS,
        *(api.headers if api is not None else ()),
    ]
    if status == 200:
        return Response(app_iter=[body], headerlist=headers)
    return Response(app_iter=[body], status=status, headerlist=headers)


def checking_callback(view: Any, info: Any) -> Any:
    """View deriver, outside the permission check: a bad callback is refused before anything has an effect."""

    if info.exception_only:
        return view

    def checked(context: Any, request: Any) -> Any:
        if request.api is not None and request.api.answer is jsonp_answer:
            check_callback(request)
        return view(context, request)

    return checked


def answering(view: Any, info: Any) -> Any:
    """View deriver, next to the view: what a view of an API returns becomes a response in the API's way."""
    if info.options.get("renderer") is not None:
        return view

    def answered(context: Any, request: Any) -> Response:
        result = view(context, request)
        if isinstance(result, Response):
            return result
        return (request.api.answer if request.api is not None else json_answer)(request, result)

    return answered


def includeme(config: Any) -> None:
    config.add_view_deriver(checking_callback, under=INGRESS, over="secured_view")
    config.add_view_deriver(answering, under="rendered_view", over=VIEW)
