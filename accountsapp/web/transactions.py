"""The transaction of a request: which requests have one, and how often one is tried."""

from typing import TYPE_CHECKING

from pyramid.tweens import EXCVIEW

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Those that write nothing."""

LARGEST_RETRIED = 1024 * 1024
"""Bytes of a request body that is kept in memory to be read again."""


def is_unsafe(request: "Request") -> bool:
    """Whether the request may write: only then is there a transaction, and only then are there retries."""
    return request.environ["REQUEST_METHOD"] not in SAFE_METHODS


def attempts(request: "Request") -> int:
    """How often a request that may write is tried while the database says that others are in the way."""
    return 3 if (request.content_length or 0) <= LARGEST_RETRIED else 1


def includeme(config: "Configurator") -> None:
    """One transaction a request on unsafe methods.

    ``pyramid_tm`` is added as a tween, not included: its ``request.tm`` would build a class per request.
    """
    config.get_settings().update({"tm.activate_hook": is_unsafe, "tm.annotate_user": False})
    config.add_tween("pyramid_tm.tm_tween_factory", over=EXCVIEW)
