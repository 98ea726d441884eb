"""The resource tree: a URL is walked from the root, segment by segment, to the thing it names.

Resources find; they do not judge and do not load: a resource of an account holds a name, and the account is
read when somebody asks for it. Known, unknown and foreign names traverse alike.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyramid.authorization import Allow
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPNotFound
from pyramid.interfaces import ITraverser
from zope.interface import implementer

from accountsapp.domain.data.reads import AccountRow, Columns
from accountsapp.security.credentials import Credential
from accountsapp.security.permissions import OWNER
from accountsapp.security.principals import principal
from accountsapp.settings import Settings
from accountsapp.web.answers import Answer, json_answer
from accountsapp.web.bodies import Body
from accountsapp.web.checks import Check, steps_of
from accountsapp.web.cors import Cors

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request

ResourceFactory = Callable[["Request", str, Any], Any]

LARGEST_ID = 2**31 - 1
"""Of an account: PostgreSQL keeps ids in 32 bits."""


class Branch:
    """A segment that only leads on: the mounted resources below it are its children."""

    def __init__(self, request: "Request", name: str, parent: Any, mounts: dict[str, Any]) -> None:
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

    def __init__(self, request: "Request") -> None:
        super().__init__(request, "", None, request.registry.mounts)


class Resource:
    """A place in the tree below a mount.

    What is below it stands in ``children``, which traversal and ``accountsapp tree`` both read.
    """

    children: Mapping[str, type["Resource"]] = {}
    """Segment to resource; the segment ``{…}`` stands for every other one."""
    body: Body | None = None
    """What a request's body may be, here and below; the nearest one counts."""
    needs_fresh_session = False
    """Whether the check ``fresh`` refuses a session here in which the password was not entered lately."""
    follows_cors = True
    """Whether pages of other origins may read the answers here, as far as the API says so."""
    logged_as: str | None = None
    """What the access log has in place of its segment, where that is a secret; below it all has one too."""

    def __init__(self, request: "Request", name: str, parent: Any) -> None:
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
    """Where an API is mounted: which credentials it accepts, what it checks, how it reads and how it answers.

    Never subclassed by another API's root: ``containment`` is an instance test.
    """

    accepts: Sequence[Credential] = ()
    columns: Columns | None = None
    """What it shows of an account: read together with the credential."""
    checks: tuple[str, ...] = ("credential", "csrf", "scope", "acl", "body")
    """What a request must pass, in this order (:data:`accountsapp.web.checks.CHECKS`)."""
    own_checks: Mapping[str, Check] = {}
    """Checks that no other API has, by the names that they have in ``checks``."""
    steps: tuple[Check, ...]
    """The same as functions, for the class."""
    body: Body = Body()
    cors: Cors | None = None
    """Which pages of other origins may read the answers; None: none."""
    headers: tuple[tuple[str, str], ...] = ()
    """What every answer has besides, refusals too."""
    tells_methods = False
    """Whether every answer has ``Allow``, not only where a method is not offered."""
    code_pages: Callable[[Settings], Mapping[str, str]] | None = None
    """Where codes are used that are mailed because of a request here, by notice, with ``{code}`` in the URL;
    None: where the product's own pages are."""
    counted_address: Callable[["Request"], str] | None = None
    """Whose tries limits count, where that is not the client; None: the client's."""
    answer: Answer = staticmethod(json_answer)
    """Makes the response from what a view returns."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.steps = steps_of(cls.checks, cls.accepts, cls.own_checks)


ApiRoot.steps = steps_of(ApiRoot.checks, ApiRoot.accepts)


class AccountResource(Resource):
    """An account by its name, which may not exist."""

    @reify
    def account(self) -> AccountRow | None:
        """The account of that name, case aside."""
        return self.request.store.reader.by_username(self.__name__)

    @property
    def target(self) -> AccountRow:
        """The account, for views that its ACL has let somebody in to.

        :raises HTTPNotFound: there is none: an ACL may let in to nobody's place, such as an administrator
        """
        if self.account is None:
            raise HTTPNotFound
        return self.account

    def __acl__(self) -> list[Any]:
        """Its owner's alone; an API adds in its own class whom else it lets in."""
        account = self.account
        return [(Allow, principal(account.id), OWNER)] if account is not None else []


class AccountById(AccountResource):
    """An account by its id in plain digits, which may not exist."""

    @reify
    def account(self) -> AccountRow | None:
        """The account of that id; none for what is no id or more than a database can hold."""
        digits = self.__name__
        if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(LARGEST_ID)):
            return None
        account_id = int(digits)
        return self.request.store.reader.by_id(account_id) if account_id <= LARGEST_ID else None


class PartOfAccount(Resource):
    """A place below an account: the ACL is that of the account."""

    __parent__: AccountResource

    @property
    def account(self) -> AccountRow | None:
        return self.__parent__.account

    @property
    def target(self) -> AccountRow:
        """As that of the account."""
        return self.__parent__.target


@implementer(ITraverser)
class Traverser:
    """Walks the decoded path. Unlike Pyramid's own it takes a path literally.

    One final slash is dropped. ``//``, ``.``, ``..``, segments after a view's name and bytes that are not
    UTF-8 name nothing: 404, in the format of the API that the path had reached. ``@@`` is part of a name.
    """

    def __init__(self, root: Any) -> None:
        self.root = root

    def __call__(self, request: "Request") -> dict[str, Any]:
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


def mount(config: "Configurator", path: str, resource: ResourceFactory) -> None:
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


def includeme(config: "Configurator") -> None:
    config.registry.mounts = {}
    config.add_directive("mount", mount)
    config.set_root_factory(Root)
    config.add_traverser(Traverser)
