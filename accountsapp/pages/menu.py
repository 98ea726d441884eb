"""The menu of every page.

Who mounts a page names it with ``config.add_menu_entry``; nobody else knows its path.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from accountsapp.i18n import mark as _
from accountsapp.pages.visitor import Visitor

if TYPE_CHECKING:
    from pyramid.config import Configurator

Path = str | Callable[[Visitor], str]
"""Of a page, below that of ``site_url``; of somebody's own page made from who looks."""


class Place(StrEnum):
    """Pages that other pages lead to, in the order of the menu."""

    COMMUNITY = "community"
    PROFILE = "profile"
    SETTINGS = "settings"
    SESSIONS = "sessions"
    APPLICATIONS = "applications"
    KEYS = "keys"
    SIGN_OUT = "sign-out"
    SIGN_IN = "sign-in"
    REGISTER = "register"
    FORGOTTEN_PASSWORD = "forgotten-password"  # noqa: S105
    DOCUMENTS = "documents"


LABELS = {
    Place.COMMUNITY: _("Community"),
    Place.PROFILE: _("Profile"),
    Place.SETTINGS: _("Settings"),
    Place.SESSIONS: _("Sessions"),
    Place.APPLICATIONS: _("Applications"),
    Place.KEYS: _("API keys"),
    Place.SIGN_OUT: _("Sign out"),
    Place.SIGN_IN: _("Sign in"),
    Place.REGISTER: _("Register"),
    Place.FORGOTTEN_PASSWORD: _("Forgot your password?"),
    Place.DOCUMENTS: _("API documents"),
}
FOR_VISITORS = (
    Place.PROFILE,
    Place.SETTINGS,
    Place.SIGN_OUT,
)
"""Of who is signed in."""
OF_ACCOUNT = (Place.SETTINGS, Place.SESSIONS, Place.APPLICATIONS, Place.KEYS)
"""Pages about one's account: each leads to the others, the menu to the first of them."""
FOR_STRANGERS = (Place.SIGN_IN, Place.REGISTER)
"""Of who is not."""


INSTEAD: dict[Place, Path] = {Place.SIGN_IN: "/sessions"}
"""Where no API has such a page: a page that asks to sign in."""


class Entry(NamedTuple):
    """A link of the menu.

    :ivar label: to be translated; for the profile it is who looks
    :ivar path: below that of ``site_url``
    """

    place: Place
    label: str
    path: str


class Menu:
    """Where the mounted pages are."""

    def __init__(self) -> None:
        self._paths: dict[Place, Path] = {}

    def add(self, place: Place, path: Path) -> None:
        self._paths[place] = path

    def path_to(self, place: Place, visitor: Visitor | None = None) -> str | None:
        """Below that of ``site_url``; None where nothing is mounted, or it is somebody's and nobody looks."""
        path = self._paths.get(place) or INSTEAD.get(place)
        if not callable(path):
            return path
        return path(visitor) if visitor is not None else None

    def entries(self, visitor: Visitor | None) -> list[Entry]:
        """What who looks is offered."""
        if visitor is None:
            return self._for_strangers
        places = self._listed((Place.COMMUNITY, *FOR_VISITORS), visitor)
        if self.path_to(Place.SETTINGS, visitor) is not None:
            return places
        return [*places, *self.of_account(visitor)]

    @cached_property
    def _for_strangers(self) -> list[Entry]:
        return self._listed((Place.COMMUNITY, *FOR_STRANGERS), None)

    def of_account(self, visitor: Visitor | None) -> list[Entry]:
        """The pages about the account of who looks."""
        return self._listed(OF_ACCOUNT, visitor)

    def _listed(self, places: Iterable[Place], visitor: Visitor | None) -> list[Entry]:
        paths = ((place, self.path_to(place, visitor)) for place in places)
        return [Entry(place, LABELS[place], path) for place, path in paths if path is not None]


def add_menu_entry(config: "Configurator", place: str, path: Path) -> None:
    """The ``config.add_menu_entry`` directive: that page is at that path.

    Two that claim one place stop the start.

    :param place: a :class:`Place`, such as ``"register"``
    :param path: as ``/account/register``, or made from the :class:`~accountsapp.pages.visitor.Visitor`
    :raises ValueError: there is no such place
    """
    entry = Place(place)
    config.action(("menu entry", entry), lambda: config.registry.menu.add(entry, path))


def includeme(config: "Configurator") -> None:
    config.registry.menu = Menu()
    config.add_directive("add_menu_entry", add_menu_entry)
