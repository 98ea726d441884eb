"""What belongs to the whole tree: answers to OPTIONS, health, metrics, errors outside the APIs."""

from ipaddress import ip_address, ip_network
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pyramid.config import PHASE3_CONFIG
from pyramid.exceptions import PredicateMismatch
from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.migrations.revision import WrongRevision, check_revision
from accountsapp.waiting import Deadline
from accountsapp.web.answers import HEADERS, json_answer
from accountsapp.web.failures import allowed_methods, failure_of
from accountsapp.web.reports import REPORTER
from accountsapp.web.resources import Root

READY_WITHIN = 2.0
"""Seconds in which the database of a server that is ready has answered."""


@exception_view_config(PredicateMismatch, request_method="OPTIONS")
def options(error: Exception, request: Any) -> Response:
    """What may be done at this URL; asks for no credential and looks at no account."""
    methods = ", ".join(allowed_methods(request))
    headers = [*HEADERS, ("Allow", methods)]
    if request.api is not None:
        headers += [*request.api.headers, *request.api.preflight]
        headers += [("Access-Control-Allow-Methods", methods)] if request.api.preflight else []
    return Response(status=204, headerlist=headers)


@exception_view_config(HTTPException)
@exception_view_config(Exception)
def failed(error: Exception, request: Any) -> Response:
    """The last resort: errors of URLs that belong to no API."""
    failure = failure_of(error, request)
    response = json_answer(request, {"error": failure.text}, failure.status)
    response.headerlist.extend(failure.headers)
    return response


@view_config(context=Root, name="healthz", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def healthz(context: Root, request: Any) -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@view_config(context=Root, name="readyz", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def readyz(context: Root, request: Any) -> Any:
    """The database answers and is at the right revision; and whether it took what was last written."""
    database = request.database
    checks = {"database": "ok", "write": database.writing.cause or "ok"}
    try:
        with Deadline(READY_WITHIN):
            check_revision(database)
            database.reading.over()
    except WrongRevision:
        checks["database"] = "wrong revision"
    except SQLAlchemyError:
        checks["database"] = "does not answer"
    if checks["database"] != "ok":
        return json_answer(request, {"status": "unavailable", "checks": checks}, 503)
    return {"status": "ok" if checks["write"] == "ok" else "degraded", "checks": checks}


@view_config(context=Root, name="metrics", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def metrics(context: Root, request: Any) -> Response:
    """Prometheus text, for the addresses of ``accountsapp.metrics_from``; nobody else finds it."""
    try:
        client = ip_address(request.client_addr)
    except ValueError:
        raise HTTPNotFound from None
    if not any(client in ip_network(network) for network in request.app_settings.metrics_from):
        raise HTTPNotFound
    REPORTER.tell()
    return Response(generate_latest(), headerlist=[("Content-Type", CONTENT_TYPE_LATEST), *HEADERS])


def collect_methods(config: Any) -> None:
    """Remember which methods each view has, by context class and name, for ``Allow``."""
    registry = config.registry
    registry.methods = {}
    for item in registry.introspector.get_category("views") or ():
        view = item["introspectable"]
        if view["request_methods"] is not None and isinstance(view["context"], type):
            key = (view["context"], view["name"] or "")
            registry.methods.setdefault(key, set()).update(_methods(view["request_methods"]))


def _methods(declared: str | tuple[str, ...]) -> set[str]:
    methods = {declared} if isinstance(declared, str) else set(declared)
    return methods | {"HEAD"} if "GET" in methods else methods


def includeme(config: Any) -> None:
    # After all views. Not a subscriber: with a single one Pyramid announces four events a request.
    config.action("methods", collect_methods, args=(config,), order=PHASE3_CONFIG + 1)
    config.scan(__name__)
