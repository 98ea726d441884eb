"""What belongs to the whole tree: health, metrics, errors outside the APIs."""

from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST
from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.db.errors import AWAY, cause_of
from accountsapp.migrations.revision import WrongRevision, check_revision
from accountsapp.waiting import Deadline
from accountsapp.web import error_views
from accountsapp.web.answers import HEADERS, json_answer
from accountsapp.web.client_address import is_among
from accountsapp.web.failures import failure_of
from accountsapp.web.metrics import figures
from accountsapp.web.request import Request
from accountsapp.web.resources import Root

if TYPE_CHECKING:
    from pyramid.config import Configurator

READY_WITHIN = 2.0
"""Seconds in which the database of a server that is ready has answered."""


@exception_view_config(HTTPException)
@exception_view_config(Exception)
def failed(error: Exception, request: Request) -> Response:
    """By the error view of the nearest place (:mod:`accountsapp.web.error_views`)."""
    view = error_views.find(request, error) or json_failure
    return view(error, request)


def json_failure(error: Exception, request: Request) -> Response:
    """The last resort: errors of URLs that belong to no API."""
    failure = failure_of(error, request)
    response = json_answer(request, {"error": failure.text}, failure.status)
    response.headerlist.extend(failure.headers)
    return response


@view_config(context=Root, name="healthz", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def healthz(context: Root, request: Request) -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@view_config(context=Root, name="readyz", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def readyz(context: Root, request: Request) -> Any:
    """The database answers, is at the right revision, and has keys that can be opened; and whether it took
    what was last written, and the storage of the throttle counts."""
    database = request.database
    checks = {"database": "ok", "write": database.writing.cause or "ok"}
    try:
        with Deadline(READY_WITHIN):
            check_revision(database)
            database.reading.over()
            if not request.registry.process.opens_keys():
                checks["keys"] = "accountsapp.secret opens none of them"
    except WrongRevision:
        checks["database"] = "wrong revision"
    except SQLAlchemyError as error:
        checks["database"] = _word_of(error)
    if (cause := request.registry.throttle.trouble.cause) is not None:
        checks["throttle"] = cause
    if checks["database"] != "ok" or "keys" in checks:
        return json_answer(request, {"status": "unavailable", "checks": checks}, 503)
    return {"status": "ok" if set(checks.values()) == {"ok"} else "degraded", "checks": checks}


def _word_of(error: SQLAlchemyError) -> str:
    """What is wrong with a database that cannot be read."""
    cause = cause_of(error)
    return cause if cause not in (None, AWAY) else "does not answer"


@view_config(context=Root, name="metrics", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def metrics(context: Root, request: Request) -> Response:
    """Prometheus text, for the addresses of ``accountsapp.metrics_from``; nobody else finds it."""
    if not is_among(request.client_addr, request.app_settings.metrics_from):
        raise HTTPNotFound
    return Response(figures(request.database), headerlist=[("Content-Type", CONTENT_TYPE_LATEST), *HEADERS])


def includeme(config: "Configurator") -> None:
    config.scan(__name__)
