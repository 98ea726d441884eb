"""Every URL with what stands behind it, read from Pyramid's introspector and the resources' ``children``."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pyramid.interfaces import IExceptionResponse
from pyramid.security import NO_PERMISSION_REQUIRED

from accountsapp.security.credentials import OtherScheme
from accountsapp.web.bodies import Body
from accountsapp.web.checks import accepts_cookie
from accountsapp.web.methods import methods_of
from accountsapp.web.resources import ApiRoot, Resource, Root, wildcard

PACKAGE = Path(__file__).parent
OPEN = "open"
"""Stands for the permission of a view that needs none."""


class Row(NamedTuple):
    """One view at one URL.

    :ivar path: with ``{…}`` for what varies
    :ivar methods: sorted; GET answers HEAD too
    :ivar permission: :data:`OPEN` where none is needed, empty where the view names none and is closed
    :ivar credentials: the kinds that count there, in the order in which they are looked at
    :ivar source: file and line of the view, from the package's folder; from above the package of another one
    :ivar view: its dotted name, without the package's
    """

    path: str
    methods: tuple[str, ...]
    permission: str
    credentials: tuple[str, ...]
    source: str
    view: str


class View(NamedTuple):
    """One registration of a view."""

    context: Any
    name: str
    methods: tuple[str, ...]
    permission: str
    source: str
    function: Callable[..., Any]
    checks_csrf: bool


class Offer(NamedTuple):
    """A row with what it was read from.

    :ivar view: the function
    :ivar api: where the API is mounted that it belongs to, if it belongs to one
    :ivar checks_csrf: whether an unsafe request with a cookie needs its token
    :ivar body: what the nearest resource takes that says it once for all requests; None where no API is
    """

    row: Row
    view: Callable[..., Any]
    api: type[ApiRoot] | None
    checks_csrf: bool
    body: Body | None


class Place(NamedTuple):
    """A resource at a path, and what counts there."""

    path: str
    resource: type[Any]
    api: type[ApiRoot] | None = None
    body: Body | None = None

    def enter(self, path: str, resource: type[Resource]) -> "Place":
        """A place below this one."""
        api = resource if issubclass(resource, ApiRoot) else self.api
        body = resource.body if isinstance(resource.body, Body) else self.body
        return Place(path, resource, api, body)


def rows(registry: Any) -> list[Row]:
    """The whole tree of a configured application, by path."""
    return sorted({offer.row for offer in offers(registry)})


def offers(registry: Any) -> Iterator[Offer]:
    """The same with what stands behind each row."""
    views = list(declared_views(registry))
    yield from _offers_at(Place("", Root), views)
    for mount in registry.introspector.get_category("mounts") or ():
        mounted = mount["introspectable"]
        yield from _offers_below(Place("", Root).enter(mounted["path"], mounted["resource"]), views)


def declared_views(registry: Any) -> Iterator[View]:
    """Every view that is no error view."""
    for item in registry.introspector.get_category("views") or ():
        view = item["introspectable"]
        context = view["context"]
        if not _is_error(context):
            yield View(
                context,
                view["name"] or "",
                methods_of(view["request_methods"]),
                _permission(item["related"]),
                _source(view["callable"]),
                inspect.unwrap(view["callable"]),
                view["require_csrf"] is not False,
            )


def _is_error(context: Any) -> bool:
    return context is IExceptionResponse or (isinstance(context, type) and issubclass(context, Exception))


def _offers_below(place: Place, views: list[View]) -> Iterator[Offer]:
    yield from _offers_at(place, views)
    children = place.resource.children
    rest = wildcard(children)
    for segment, child in children.items():
        path = f"{place.path}/{segment}"
        # A fixed name that may also be somebody's account has that account's views too: they are told once.
        known_rows = (
            {offer.row for offer in _offers_below(place.enter(path, rest), views)}
            if rest is not None
            else set()
        )
        for offer in _offers_below(place.enter(path, child), views):
            if child is rest or offer.row not in known_rows:
                yield offer


def _offers_at(place: Place, views: list[View]) -> Iterator[Offer]:
    accepts = place.api.accepts if place.api is not None else ()
    checks_csrf = place.api is not None and accepts_cookie(accepts) and "csrf" in place.api.checks
    credentials = tuple(credential.kind for credential in accepts if not isinstance(credential, OtherScheme))
    seen: set[tuple[str, str]] = set()
    for context in place.resource.__mro__:
        for view in views:
            if view.context is context and not {(view.name, method) for method in view.methods} & seen:
                path = f"{place.path}/{view.name}" if view.name else place.path or "/"
                looked_at = () if view.permission == OPEN else credentials
                row = Row(path, view.methods, view.permission, looked_at, view.source, _name(view.function))
                yield Offer(row, view.function, place.api, checks_csrf and view.checks_csrf, place.body)
        seen |= {(v.name, method) for v in views if v.context is context for method in v.methods}


def _permission(related: list[Any]) -> str:
    for item in related:
        if item.category_name == "permissions":
            return OPEN if item["value"] == NO_PERMISSION_REQUIRED else str(item["value"])
    return ""


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}".removeprefix(f"{__package__}.")


def _source(view: Any) -> str:
    """Where the view is defined, decorators included."""
    function = inspect.unwrap(view)
    path = Path(inspect.getsourcefile(function) or "")
    elsewhere = Path(*function.__module__.split(".")[:-1], path.name)
    where = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else elsewhere
    return f"{where.as_posix()}:{inspect.getsourcelines(function)[1]}"
