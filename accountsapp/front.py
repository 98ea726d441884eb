"""The front door, the outermost tween: every request gets an id, one access line, its connections closed."""

import logging
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

from prometheus_client import Histogram
from pyramid.response import Response
from pyramid.tweens import INGRESS
from pyramid_retry import mark_error_retryable

from accountsapp.db import is_retryable
from accountsapp.logs import ACCESS
from accountsapp.security.identity import Identity

access_log = logging.getLogger(ACCESS)

REQUESTS = Histogram("accountsapp_request_seconds", "Time to answer a request", ["method", "status"])


def front_door(handler: Callable[[Any], Response], registry: Any) -> Callable[[Any], Response]:
    """Tween factory."""

    def enter(request: Any) -> Response:
        started = perf_counter()
        try:
            try:
                response = handler(request)
            except Exception as error:  # noqa: BLE001 whatever it is, the client gets an answer
                # Raised outside the exception views, such as by the commit.
                request.exception = error
                response = request.invoke_exception_view()
            failure = getattr(request, "exception", None)
            if failure is not None and is_retryable(failure):
                mark_error_retryable(failure)
        finally:
            request.close_store()
        response.headerlist.append(("X-Request-Id", request.id))
        _note(request, response, perf_counter() - started)
        return response

    return enter


LINE = "%s %s/%s account=%s status=%d ms=%.1f request=%s"


def _note(request: Any, response: Response, seconds: float) -> None:
    """One access line: never the query string, in which keys travel."""
    method = request.method if request.method in METHODS else "other"
    status = response.status_int
    _times(method, status).observe(seconds)
    if access_log.isEnabledFor(logging.INFO):
        caller = request.__dict__.get("caller")
        words = (
            method,
            type(request.__dict__.get("context")).__name__,
            request.__dict__.get("view_name", "") if status != 404 else "-",
            caller.account_id if isinstance(caller, Identity) else "-",
            status,
            seconds * 1000,
            request.id,
        )
        # Not through info(), which searches the stack for the line that logs.
        access_log.handle(access_log.makeRecord(ACCESS, logging.INFO, __file__, 0, LINE, words, None))


@cache
def _times(method: str, status: int) -> Any:
    return REQUESTS.labels(method, str(status))


METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def includeme(config: Any) -> None:
    config.add_tween("accountsapp.front.front_door", under=INGRESS)
