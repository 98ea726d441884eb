"""Which methods a URL offers: collected from the views, told in ``Allow``."""

from typing import TYPE_CHECKING, Any

from pyramid.config import PHASE3_CONFIG
from pyramid.exceptions import PredicateMismatch
from pyramid.interfaces import IMultiView, IRequest, IViewClassifier
from pyramid.predicates import RequestMethodPredicate
from pyramid.response import Response
from pyramid.view import exception_view_config
from zope.interface import implementedBy

from accountsapp.web.answers import empty_answer

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request


def methods_of(declared: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The methods of a view's ``request_method``, sorted; none where it names none."""
    if declared is None:
        return ()
    return (declared,) if isinstance(declared, str) else tuple(sorted(declared))


def allowed_methods(request: "Request") -> list[str]:
    """The methods of the URL that the request names, sorted; ``HEAD`` where ``GET`` is, and ``OPTIONS``."""
    methods = {"OPTIONS"}
    for context in type(request.context).__mro__:
        methods |= request.registry.methods.get((context, request.view_name), set())
    return sorted(methods)


@exception_view_config(PredicateMismatch, request_method="OPTIONS")
def options(error: PredicateMismatch, request: "Request") -> Response:
    """What may be done at this URL; asks for no credential and looks at no account."""
    response = empty_answer()
    response.headerlist.append(("Allow", ", ".join(allowed_methods(request))))
    return response


def _collect(config: "Configurator") -> None:
    """Remember which methods each view has, by context class and name, and try those for GET first."""
    registry = config.registry
    registry.methods = {}
    for item in registry.introspector.get_category("views") or ():
        view = item["introspectable"]
        methods = methods_of(view["request_methods"])
        if methods and isinstance(view["context"], type):
            offered = registry.methods.setdefault((view["context"], view["name"] or ""), set())
            offered.update(methods, ["HEAD"] if "GET" in methods else [])
    for context, name in registry.methods:
        _put_reads_first(registry, context, name)


def _put_reads_first(registry: Any, context: type, name: str) -> None:
    """Reorder the views of one URL, which differ in their methods or keep their order among themselves.

    Pyramid tries one after the other and makes an exception for each that does not fit, which takes 7 µs.
    """
    lookup = (IViewClassifier, IRequest, implementedBy(context))
    several = registry.adapters.registered(lookup, IMultiView, name=name)
    if several is not None:
        several.views.sort(key=lambda entry: not _is_read(entry[1]))


def _is_read(view: Any) -> bool:
    return any(
        isinstance(predicate, RequestMethodPredicate) and "GET" in predicate.val
        for predicate in view.__predicates__
    )


def includeme(config: "Configurator") -> None:
    # After all views. Not a subscriber: with a single one Pyramid announces four events a request.
    config.action("methods", _collect, args=(config,), order=PHASE3_CONFIG + 1)
    config.scan(__name__)
