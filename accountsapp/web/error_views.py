"""Error views: what answers an exception that was raised below a place of the tree.

They are as Pyramid's exception views with ``containment=``, but looked up by the class of the exception and
the place. Pyramid tries one view after the other, which costs 7 µs for each that does not fit, and each API
has some. What needs a further predicate is an exception view of Pyramid's; those come first.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import venusian
from pyramid.location import lineage
from pyramid.response import Response

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request

ErrorView = Callable[[Any, "Request"], Response]
ErrorViews = dict[type[BaseException], list[tuple[type, ErrorView]]]


class error_view_config:  # noqa: N801 in the manner of view_config
    """Decorator of an error view, found by ``config.scan``.

    :param error: the class of exceptions that it answers
    :param containment: the class of the resource at or below which they were raised, such as an API's root
    """

    def __init__(self, error: type[BaseException], *, containment: type) -> None:
        self._error = error
        self._containment = containment

    def __call__(self, view: ErrorView) -> ErrorView:
        def register(scanner: Any, _name: str, _view: ErrorView) -> None:
            scanner.config.add_error_view(view, self._error, self._containment)

        venusian.attach(view, register, category="pyramid", depth=1)
        return view


def add_error_view(
    config: "Configurator", view: ErrorView, error: type[BaseException], containment: type
) -> None:
    """The ``config.add_error_view`` directive: two for one class and place stop the start."""

    def register() -> None:
        config.registry.error_views.setdefault(error, []).append((containment, view))

    config.action(("error view", error, containment), register)


def find(request: "Request", error: BaseException) -> ErrorView | None:
    """The view for the nearest class of the exception; of several that of the nearest place."""
    view_of: dict[tuple[type, ...], ErrorView | None] = request.registry.error_view_of
    # Each class once: some places lead on to one of the same class, as deep as a path is.
    classes = (type(error), *dict.fromkeys(map(type, lineage(getattr(request, "context", None)))))
    if classes not in view_of:
        view_of[classes] = _find(request.registry.error_views, *classes)
    return view_of[classes]


def _find(error_views: ErrorViews, error: type[BaseException], *places: type) -> ErrorView | None:
    for error_class in error.__mro__:
        candidates = error_views.get(error_class, ())
        for place in places if candidates else ():
            for containment, view in candidates:
                if issubclass(place, containment):
                    return view
    return None


def includeme(config: "Configurator") -> None:
    config.registry.error_views = {}
    config.registry.error_view_of = {}
    config.add_directive("add_error_view", add_error_view)
