"""The places of the page of keys."""

from pyramid.authorization import Allow, Authenticated
from pyramid.httpexceptions import HTTPNotFound
from pyramid.traversal import resource_path

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import NamedKey
from accountsapp.pages.resources import OwnPages, PersonPage
from accountsapp.security.permissions import Permission
from accountsapp.web.bodies import FORM, FORMS, Body


class Keys(OwnPages):
    """``/keys``: one's API keys."""

    checks = ("query", "body", "csrf", "acl", "fresh")
    body = Body(types=FORMS, largest=64 * 1024, untyped=FORM)
    __acl__ = ((Allow, Authenticated, (Permission.KEYS_WRITE,)),)

    @property
    def path(self) -> str:
        return self.request.app_settings.site_path + resource_path(self)


class PartOfKeys(PersonPage):
    """A place where a form of the page is sent: it has no page of its own."""

    @property
    def entrance(self) -> str:
        return resource_path(self.page)

    @property
    def page(self) -> Keys:
        """Whose form it is."""
        above = self.__parent__
        assert isinstance(above, Keys)  # noqa: S101
        return above


class Confirmation(PartOfKeys):
    """``/keys/confirm``: the password is entered again."""


class NewKeys(PartOfKeys):
    """``/keys/add``."""

    needs_fresh_session = True
    keeps_form = True


class DefaultKey(PartOfKeys):
    """``/keys/default``."""

    needs_fresh_session = True


class OwnKey(PartOfKeys):
    """``/keys/{key}``: a named key of who asks, which may not exist."""

    needs_fresh_session = True

    @property
    def key(self) -> NamedKey:
        """
        :raises HTTPNotFound: none of those that are listed
        """
        listed = named_keys.listing(self.request.store.connection, self.request.actor.id)
        for key in listed:
            if key.id == self.__name__:
                return key
        raise HTTPNotFound


Keys.children = {"confirm": Confirmation, "add": NewKeys, "default": DefaultKey, "{key}": OwnKey}
