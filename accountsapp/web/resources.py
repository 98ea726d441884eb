"""The resource tree: a URL is walked from the root, segment by segment, to the thing it names.

Resources find; they do not judge and do not load: a resource of an account holds a name, and the account is
read when somebody asks for it. Known, unknown and foreign names traverse alike.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyramid.authorization import ALL_PERMISSIONS, Allow
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPNotFound
from pyramid.interfaces import ITraverser
from zope.interface import implementer

from accountsapp.domain.data.reads import AccountRow, Columns
from accountsapp.domain.errors import AccountNotFound
from accountsapp.security.credentials import Credential
from accountsapp.security.identity import ADMINISTRATORS, principal
from accountsapp.security.permissions import OWNER
from accountsapp.web.answers import Renderer, json_answer

ResourceFactory = Callable[[Any, str, Any], Any]


class Branch:
    """A segment that only leads on: the mounted resources below it are its children."""

    def __init__(self, request: Any, name: str, parent: Any, mounts: dict[str, Any]) -> None:
        self.request = request
        self.__name__ = name
        self.__parent__ = parent
        self._mounts = mounts

    def __getitem__(self, name: str) -> Any:
        child = self._mounts[name]
        if isinstance(child, dict):
            return Branch(self.request, name, self, child)
        return child(self.request, name, self)


class Root(Branch):
    """``/``: the home page is its view, the mounted resources are its children."""

    def __init__(self, request: Any) -> None:
        super().__init__(request, "", None, request.registry.mounts)


class Resource:
    """A place in the tree below a mount.

    What is below it stands in ``children``, which traversal and ``accountsapp tree`` both read.
    """

    children: Mapping[str, type["Resource"]] = {}
    """Segment to resource; the segment ``{…}`` stands for every other one."""

    def __init__(self, request: Any, name: str, parent: Any) -> None:
        self.request = request
        self.__name__ = name
        self.__parent__ = parent

    def __getitem__(self, name: str) -> "Resource":
        child = self.children.get(name) or wildcard(self.children)
        if child is None:
            raise KeyError(name)
        return child(self.request, name, self)


def wildcard(children: Mapping[str, type[Resource]]) -> type[Resource] | None:
    """The child under ``{…}``, if there is one."""
    for segment, child in children.items():
        if segment[0] == "{":
            return child
    return None


class ApiRoot(Resource):
    """Where an API is mounted: which credentials it accepts, how it reads and how it answers.

    Never subclassed by another API's root: ``containment`` is an instance test.
    """

    accepts: Sequence[Credential] = ()
    columns: Columns | None = None
    """What it shows of an account: read together with the credential."""
    largest_body = 1024 * 1024
    """Bytes of a request body."""
    untyped_body: str | None = None
    """The content type of a body that names none."""
    optional_body = True
    """Whether an empty body is one without parameters; otherwise it must be readable like any other."""
    answer: Renderer = staticmethod(json_answer)
    """Makes the response from what a view returns."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of every answer, besides those of ``renderers.HEADERS``."""
    preflight: tuple[tuple[str, str], ...] = ()
    """Headers of the answer to ``OPTIONS``, besides ``Allow`` and the methods."""


class AccountResource(Resource):
    """An account by its name, which may not exist."""

    beyond_owner: tuple[Any, ...] = ((Allow, ADMINISTRATORS, ALL_PERMISSIONS),)
    """What others than the owner may; an API that is stricter says so here."""

    @reify
    def account(self) -> AccountRow | None:
        """The account of that name, case aside."""
        return self.request.store.reader.by_username(self.__name__)

    @property
    def target(self) -> AccountRow:
        """The account, for a view: whoever let the caller in because of its owner knows that it is there.

        :raises AccountNotFound: there is none
        """
        if self.account is None:
            raise AccountNotFound
        return self.account

    def __acl__(self) -> list[Any]:
        account = self.account
        mine = [(Allow, principal(account.id), OWNER)] if account is not None else []
        return [*mine, *self.beyond_owner]


@implementer(ITraverser)
class Traverser:
    """Walks the decoded path. Unlike Pyramid's own it takes a path literally.

    One final slash is dropped. ``//``, ``.``, ``..``, segments after a view's name and bytes that are not
    UTF-8 name nothing: 404, in the format of the API that the path had reached. ``@@`` is part of a name.
    """

    def __init__(self, root: Any) -> None:
        self.root = root

    def __call__(self, request: Any) -> dict[str, Any]:
        context: Any = self.root
        request.context = context
        segments = _segments(request.environ.get("PATH_INFO", ""))
        view_name = ""
        traversed = 0
        for segment in segments:
            if segment in (None, "", ".", ".."):
                raise HTTPNotFound
            try:
                context = request.context = context[segment]
            except KeyError:
                view_name = segment
                break
            traversed += 1
            if isinstance(context, ApiRoot):
                request.api = context
        if len(segments) - traversed > 1:
            raise HTTPNotFound
        return {
            "context": context,
            "view_name": view_name,
            "subpath": (),
            "traversed": tuple(segments[:traversed]),
            "virtual_root": self.root,
            "virtual_root_path": (),
            "root": self.root,
        }


def _segments(path_info: str) -> list[Any]:
    """The segments of a WSGI path, decoded; None for one that is not UTF-8."""
    path = path_info[1:] if path_info.startswith("/") else path_info
    if path.endswith("/"):
        path = path[:-1]
    if not path:
        return []
    segments = path.split("/")
    return segments if path.isascii() else [_decoded(segment) for segment in segments]


def _decoded(segment: str) -> str | None:
    try:
        return segment.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def mount(config: Any, path: str, resource: ResourceFactory) -> None:
    """The ``config.mount`` directive: put a resource at a path, such as ``/api/v1``.

    Two that claim one path stop the start: Pyramid names both with file and line.

    :param resource: called with request, name and parent
    """

    def register() -> None:
        *branches, last = path.strip("/").split("/")
        place = config.registry.mounts
        for name in branches:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ValueError(f"{path}: lies inside a mounted resource")
        if last in place:
            raise ValueError(f"{path}: is already mounted")
        place[last] = resource

    introspectable = config.introspectable("mounts", path, path, "mount")
    introspectable.update({"path": path, "resource": resource})
    config.action(("mount", path), register, introspectables=(introspectable,))


def includeme(config: Any) -> None:
    config.registry.mounts = {}
    config.add_directive("mount", mount)
    config.set_root_factory(Root)
    config.add_traverser(Traverser)
