"""How requests come in and go out.

The execution policy runs a request, again where the database asks for it, or where the caller has lost a
right meanwhile. The front door is the outermost tween: every request gets an id, is reported, its connections
closed.
"""

from collections.abc import Callable, Iterable
from functools import partial
from random import getrandbits
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from pyramid.location import lineage
from pyramid.response import Response
from pyramid.router import default_execution_policy
from pyramid.tweens import INGRESS
from webob.response import EmptyResponse

from accountsapp.db import database
from accountsapp.db.errors import is_retryable
from accountsapp.domain.errors import AuthorityChanged
from accountsapp.security.identity import Identity
from accountsapp.waiting import Deadline, remaining
from accountsapp.web import cors
from accountsapp.web.client_address import client_address
from accountsapp.web.methods import allowed_methods
from accountsapp.web.reports import METHODS, REPORTER, Report
from accountsapp.web.request import LIMITS
from accountsapp.web.transactions import SAFE_METHODS

LONGEST_WAIT = 7.5
"""Seconds after which a request, with all its tries, waits for nothing that has not been begun."""

READS = 2
"""How often a request that cannot write is tried: once more if its connection was lost."""

WRITES = 3
"""How often another one is: also while the database says that others are in the way, or what the caller may
is not what it was when he was let in."""

AGAIN = "accountsapp.again"
"""In the environ: the answer is not sent, the request is run once more."""

ATTEMPT = "accountsapp.attempt"
"""In the environ: how often the request was tried before."""

STARTED = "accountsapp.started"
"""In the environ: the ``perf_counter`` of its first try."""

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request


def execute(environ: dict[str, Any], router: Any) -> Callable[..., Iterable[bytes]]:
    """Execution policy: runs a request, once more where that may succeed."""
    environ[STARTED] = perf_counter()
    with Deadline(LONGEST_WAIT):
        for attempt in range(_tries(environ)):
            environ[ATTEMPT] = attempt
            response = default_execution_policy(environ, router)
            if not environ.pop(AGAIN, False):
                break
            if LIMITS in environ:
                environ[LIMITS].try_again()
        return partial(_send, response)


def _tries(environ: dict[str, Any]) -> int:
    return READS if environ["REQUEST_METHOD"] in SAFE_METHODS else WRITES


def _send(response: Response, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Send the headers as they stand.

    WebOb goes through them, to make ``Location`` absolute by the request's ``Host``, which can be anything.
    An ``HTTPException`` would be sent without the body it makes when it is called: here they are raised, and
    the error views answer.
    """
    start_response(response.status, response.headerlist)
    body: Iterable[bytes] = response.app_iter
    return EmptyResponse(body) if environ["REQUEST_METHOD"] == "HEAD" else body


def front_door(handler: Callable[["Request"], Response], registry: Any) -> Callable[["Request"], Response]:
    """Tween factory."""

    def enter(request: "Request") -> Response:
        request.id = f"{getrandbits(64):016x}"
        request.client_addr = client_address(request.environ)
        try:
            try:
                response = handler(request)
            except Exception as error:  # noqa: BLE001 whatever it is, the client gets an answer
                # Raised outside the exception views, such as by the commit or by an error view.
                request.exception = error
                response = request.invoke_exception_view()
            if _is_tried_again(request):
                request.environ[AGAIN] = True
                return response
            _add_headers(request, response)
            cors.add_headers(request, response)
        finally:
            request.close()
        response.headerlist.append(("X-Request-Id", request.id))
        _note_key(request)
        REPORTER.add(_report(request, response, perf_counter() - request.environ[STARTED]))
        return response

    return enter


def _add_headers(request: "Request", response: Response) -> None:
    """What the nearest API root says that every answer has."""
    api = request.api
    if api is None:
        return
    response.headerlist.extend(api.headers)
    if api.tells_methods and "Allow" not in response.headers:
        response.headerlist.append(("Allow", ", ".join(allowed_methods(request))))


def _is_tried_again(request: "Request") -> bool:
    """Whether running it once more may succeed, and there is time to wait for a lock once more."""
    failure = getattr(request, "exception", None)
    if failure is None or not (is_retryable(failure) or isinstance(failure, AuthorityChanged)):
        return False
    left = remaining()
    has_time = left is None or left > database.BUSY_TIMEOUT
    return has_time and request.environ[ATTEMPT] + 1 < _tries(request.environ)


def _report(request: "Request", response: Response, seconds: float) -> Report:
    method, status, caller = request.method, response.status_int, request.known_caller
    context = type(getattr(request, "context", None))
    return Report(
        time(),
        method if method in METHODS else "other",
        context.__name__,
        # Of a URL that there is not, the last name is the client's own.
        request.view_name if status != 404 else "-",
        caller.account_id if isinstance(caller, Identity) else None,
        status,
        seconds,
        request.id,
        _path(request),
        request.client_addr,
        context.__module__,
    )


def _note_key(request: "Request") -> None:
    """Have it noted that the API key was used that proved the caller, also where he was refused."""
    caller = request.known_caller
    if isinstance(caller, Identity) and caller.key_id is not None:
        key_uses = request.registry.process.key_uses
        if key_uses.add(caller.key, caller.place):
            REPORTER.do_later(key_uses.write)


def _path(request: "Request") -> str:
    """The path as WSGI has it, up to a secret that it ends with."""
    path: str = request.environ.get("PATH_INFO", "")
    if getattr(getattr(request, "context", None), "logged_as", None) is None:
        return path
    places = [*lineage(request.context)][::-1]
    named = (getattr(place, "logged_as", None) for place in places)
    depth, logged_as = next((depth, name) for depth, name in enumerate(named) if name is not None)
    return "/".join([*path.split("/", depth)[:depth], logged_as])


def includeme(config: "Configurator") -> None:
    config.set_execution_policy(execute)
    config.add_tween("accountsapp.web.front.front_door", under=INGRESS)
