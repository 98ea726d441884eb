"""The transaction of a request: which requests have one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyramid.tweens import EXCVIEW

if TYPE_CHECKING:
    from pyramid.config import Configurator
    from pyramid.response import Response

    from accountsapp.web.request import Request

    Handler = Callable[[Request], Response]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Those that write nothing."""


def is_unsafe(request: "Request") -> bool:
    """Whether the request may write: only then is there a transaction, and only then are there retries."""
    return request.environ["REQUEST_METHOD"] not in SAFE_METHODS


def preparing(handler: "Handler", registry: Any) -> "Handler":
    """Tween factory, inside of pyramid_tm's: what a request changed is written before it is committed."""

    def prepare(request: "Request") -> "Response":
        response = handler(request)
        if "store" in request.__dict__ and is_unsafe(request) and getattr(request, "exception", None) is None:
            request.store.prepare()
        return response

    return prepare


def includeme(config: "Configurator") -> None:
    """One transaction a request on unsafe methods.

    ``pyramid_tm`` is added as a tween, not included: its ``request.tm`` would build a class per request.
    """
    config.get_settings().update({"tm.activate_hook": is_unsafe, "tm.annotate_user": False})
    config.add_tween("pyramid_tm.tm_tween_factory", over=EXCVIEW)
    config.add_tween(
        "accountsapp.web.transactions.preparing", under="pyramid_tm.tm_tween_factory", over=EXCVIEW
    )
