"""Every URL with what stands behind it, read from Pyramid's introspector and the resources' ``children``."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pyramid.interfaces import IExceptionResponse
from pyramid.security import NO_PERMISSION_REQUIRED

from accountsapp.security.credentials import OtherScheme
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
    :ivar source: file and line of the view, from the package's folder
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
    function: str


def rows(registry: Any) -> list[Row]:
    """The whole tree of a configured application, by path."""
    views = list(declared_views(registry))
    table = list(_rows_at("", Root, (), views))
    for mount in registry.introspector.get_category("mounts") or ():
        place = mount["introspectable"]
        table += _rows_below(place["path"], place["resource"], (), views)
    return sorted(set(table))


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
                _name(view["callable"]),
            )


def _is_error(context: Any) -> bool:
    return context is IExceptionResponse or (isinstance(context, type) and issubclass(context, Exception))


def _rows_below(
    path: str, resource: type[Resource], credentials: tuple[str, ...], views: list[View]
) -> Iterator[Row]:
    if issubclass(resource, ApiRoot):
        credentials = tuple(
            credential.kind for credential in resource.accepts if not isinstance(credential, OtherScheme)
        )
    yield from _rows_at(path, resource, credentials, views)
    rest = wildcard(resource.children)
    for segment, child in resource.children.items():
        # A fixed name that may also be somebody's account has that account's views too: they are told once.
        known_rows = (
            set(_rows_below(f"{path}/{segment}", rest, credentials, views)) if rest is not None else set()
        )
        for row in _rows_below(f"{path}/{segment}", child, credentials, views):
            if child is rest or row not in known_rows:
                yield row


def _rows_at(
    path: str, resource: type[Any], credentials: tuple[str, ...], views: list[View]
) -> Iterator[Row]:
    seen: set[tuple[str, str]] = set()
    for context in resource.__mro__:
        for view in views:
            if view.context is context and not {(view.name, method) for method in view.methods} & seen:
                where = f"{path}/{view.name}" if view.name else path or "/"
                looked_at = () if view.permission == OPEN else credentials
                yield Row(where, view.methods, view.permission, looked_at, view.source, view.function)
        seen |= {(v.name, method) for v in views if v.context is context for method in v.methods}


def _permission(related: list[Any]) -> str:
    for item in related:
        if item.category_name == "permissions":
            return OPEN if item["value"] == NO_PERMISSION_REQUIRED else str(item["value"])
    return ""


def _name(view: Any) -> str:
    function = inspect.unwrap(view)
    return f"{function.__module__}.{function.__qualname__}".removeprefix(f"{__package__}.")


def _source(view: Any) -> str:
    """Where the view is defined, decorators included."""
    function = inspect.unwrap(view)
    path = Path(inspect.getsourcefile(function) or "")
    where = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else Path(path.name)
    return f"{where.as_posix()}:{inspect.getsourcelines(function)[1]}"
