"""Throw-away APIs, mounted in the whole application: for what the shape must carry and no API shows yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

import accountsapp
from accountsapp.web.answers import json_answer
from accountsapp.web.failures import failure_of
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot

Setup = Callable[[Configurator], None]


@dataclass(frozen=True)
class _Adding:
    """As ``accountsapp.configure``; two that add the same are equal."""

    configure: Callable[..., Configurator]
    setup: Setup

    def __call__(self, *arguments: Any) -> Configurator:
        config = self.configure(*arguments)
        self.setup(config)
        return config


@contextmanager
def added(monkeypatch: Any, setup: Setup) -> Iterator[None]:
    """While it lasts, applications are made with what ``setup`` adds."""
    with monkeypatch.context() as patch:
        patch.setattr(accountsapp, "configure", _Adding(accountsapp.configure, setup))
        yield


def error_view(error: Exception, request: Request) -> Response:
    """Says status and reason."""
    failure = failure_of(error, request)
    body = {"reason": failure.reason, "text": failure.text}
    return json_answer(request, body, failure.status)


def mount(config: Configurator, path: str, root: type[ApiRoot]) -> None:
    """The root, with its error view."""
    config.mount(path, root)
    for error in (HTTPException, Exception):
        config.add_error_view(error_view, error, root)


def add_view(config: Configurator, view: Any, **options: Any) -> None:
    options.setdefault("request_method", "GET")
    options.setdefault("permission", NO_PERMISSION_REQUIRED)
    config.add_view(view, **options)
