"""The places of the pages."""

from pyramid.authorization import Allow, Authenticated
from pyramid.traversal import resource_path

from accountsapp.security.credentials import SessionCookie
from accountsapp.security.permissions import Permission
from accountsapp.web.bodies import FORM, Body
from accountsapp.web.resources import ApiRoot, Resource


class Pages(ApiRoot):
    """HTML. Nobody signs in here: a mailed code is the authority."""

    checks = ("acl",)
    body = Body(largest=64 * 1024)


class PersonPage(Resource):
    """A page for somebody who is signed in; who is not is asked to, and comes back to it.

    :ivar must_be_seen: whether a form that came too late is only sent again from the page itself
    :ivar keeps_form: whether what was typed is in the form again once its owner has signed in
    """

    must_be_seen = False
    keeps_form = False

    @property
    def destination(self) -> str | None:
        """For whom one signs in, where it is not for this site alone."""
        return None

    @property
    def entrance(self) -> str | None:
        """The path below that of ``site_url`` at which its sign-in form works, where that is not its own."""
        return None

    @property
    def query(self) -> str:
        """The query string to come back with, with its question mark; empty for none."""
        return ""

    @property
    def path(self) -> str:
        """The path of the page, below that of ``site_url``."""
        return self.request.app_settings.site_path + resource_path(self, "")


class OwnPages(PersonPage, ApiRoot):
    """A page of a signed-in person that belongs to no API: the cookie of a session counts alone."""

    accepts = (SessionCookie(),)
    checks: tuple[str, ...] = ("body", "csrf", "acl")
    body = Body(largest=64 * 1024, untyped=FORM)


class Sessions(OwnPages):
    """``/sessions``: where somebody is signed in."""

    __acl__ = ((Allow, Authenticated, (Permission.SESSIONS_WRITE,)),)


class Static(Pages):
    """``/static``."""


class StaticFiles(Resource):
    """``/static/{file}``: what pages load."""


class Confirmations(Pages):
    """``/confirm``: addresses are confirmed below it."""


class EmailChanges(Resource):
    """``/confirm/email``."""


class Coded(Resource):
    """The end of a mailed link."""

    logged_as = "{code}"

    @property
    def code(self) -> str:
        """The code in the path."""
        return self.__name__


class EmailChange(Coded):
    """``/confirm/email/{code}``."""


class RegistrationConfirmations(Resource):
    """``/confirm/registration``."""


class RegistrationConfirmation(Coded):
    """``/confirm/registration/{code}``: makes the account."""


class AddressProofs(Resource):
    """``/confirm/address``."""


class AddressProof(Coded):
    """``/confirm/address/{code}``: proves an address that an account has already."""


class Recovery(Pages):
    """``/recovery``."""


class RecoveryOf(Resource):
    """``/recovery/{username}``."""


class Resets(Resource):
    """``/recovery/{username}/reset``."""

    __parent__: RecoveryOf


class Reset(Coded):
    """``/recovery/{username}/reset/{code}``."""

    __parent__: Resets

    @property
    def username(self) -> str:
        """The username in the path."""
        return self.__parent__.__parent__.__name__


Static.children = {"{file}": StaticFiles}
Confirmations.children = {
    "email": EmailChanges,
    "address": AddressProofs,
    "registration": RegistrationConfirmations,
}
RegistrationConfirmations.children = {"{code}": RegistrationConfirmation}
AddressProofs.children = {"{code}": AddressProof}
EmailChanges.children = {"{code}": EmailChange}
Recovery.children = {"{username}": RecoveryOf}
RecoveryOf.children = {"reset": Resets}
Resets.children = {"{code}": Reset}
