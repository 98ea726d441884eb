"""``/account``: the community, the forms of visitors, and everybody's account by its name."""

from typing import Any

from pyramid.authorization import Allow, Authenticated
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPNotFound

from accountsapp.apis.pybossa.answers import answer
from accountsapp.apis.pybossa.paths import ESCAPE, code_pages, path_of_account
from accountsapp.apis.pybossa.schemas import AccountColumns, is_true
from accountsapp.domain.accounts import confirming
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import DeadLink
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.usernames import RESERVED
from accountsapp.security.credentials import SessionCookie
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import ADMINISTRATORS
from accountsapp.web.bodies import Body
from accountsapp.web.cors import Cors
from accountsapp.web.next_path import safe_path
from accountsapp.web.next_url import safe_url
from accountsapp.web.resources import AccountResource, ApiRoot, PartOfAccount, Resource


class PybossaRoot(ApiRoot):
    """The session's cookie alone counts: a key in a URL would end in logs."""

    accepts = (SessionCookie(),)
    columns = AccountColumns
    checks = ("query", "body", "csrf", "acl")
    body = Body(largest=64 * 1024, largest_multipart=8 * 1024 * 1024)
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        allowed_headers=("Content-Type", "X-CSRFToken"),
        allows_asked_headers=True,
        exposed_headers=("Retry-After",),
        credentials=True,
    )
    code_pages = staticmethod(code_pages)
    answer = staticmethod(answer)


class Community(PybossaRoot):
    """``/account``: the accounts; below it everybody's, by name."""

    def __getitem__(self, name: str) -> Resource:
        escaped = name.removeprefix(ESCAPE)
        if escaped != name and fold(escaped) in RESERVED:
            return UserAccount(self.request, escaped, self)
        return super().__getitem__(name)


class ChangePassword(PybossaRoot):
    """``/.well-known/change-password``: where a password manager sends people."""

    __acl__ = ((Allow, Authenticated, (Permission.ACCOUNT_READ,)),)


class CommunityPages(Resource):
    """``/account/page``."""


class CommunityPage(Resource):
    """``/account/page/{number}``."""

    @property
    def number(self) -> int:
        """
        :raises HTTPNotFound: it is no number, or there cannot be so many pages
        """
        digits = self.__name__
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 9 or int(digits) == 0:
            raise HTTPNotFound
        return int(digits)


class Form(Resource):
    """A form that visitors fill in; afterwards one goes on to where one wanted to."""

    @property
    def next_path(self) -> str | None:
        """Where it was asked to go on to, if that is on this site."""
        request = self.request
        return safe_path(request.parameters.last_in_query("next"), request.app_settings.site_url)


class Mailed(Resource):
    """The end of a mailed link."""

    @property
    def code(self) -> str:
        """The code in the query."""
        code: str = self.request.parameters.last_in_query("key", "")
        return code


class Acting(Resource):
    """A place that does something on GET, for a client that proves that it means it; a page asks first.

    :cvar question: the template of the page that asks
    :cvar acts_for_pages: whether a page acts at once too
    """

    question: str
    acts_for_pages = False

    @property
    def would_act(self) -> bool:
        """Whether a GET would do something."""
        return True

    @property
    def details(self) -> dict[str, Any]:
        """What the page that asks shows."""
        return {}


class SignIn(Form):
    """``/account/signin``."""

    @property
    def next_path(self) -> str | None:
        """Also at a front end on another origin that the operator lists."""
        parameter = self.request.parameters.last_in_query
        return safe_url(parameter("next") or parameter("redirect_url"), self.request.app_settings)


class SignOut(Acting):
    """``/account/signout``."""

    question = "signout.jinja2"
    acts_for_pages = True


class Registration(Form):
    """``/account/register``."""


class Confirmation(Mailed, Acting):
    """``/account/register/confirmation``: a registration, a new address or one's own is confirmed."""

    question = "confirmation.jinja2"

    @property
    def details(self) -> dict[str, Any]:
        """
        :raises DeadLink: the link is not good any more
        """
        confirmation = confirming.find_any(self.request.store, self.code)
        if confirmation is None:
            raise DeadLink
        return confirmation._asdict()


class ForgottenPassword(Resource):
    """``/account/forgot-password``."""


class PasswordReset(Mailed):
    """``/account/reset-password``."""


class OwnProfile(Resource):
    """``/account/profile``."""


class OfTheSignedIn(Acting):
    """Everybody's own, whoever is signed in."""

    __acl__ = ((Allow, Authenticated, (Permission.ACCOUNT_WRITE,)),)


class Newsletter(Form, OfTheSignedIn):
    """``/account/newsletter``."""

    question = "newsletter.jinja2"

    @property
    def details(self) -> dict[str, Any]:
        return {"next_path": self.next_path, "is_subscribed": self.request.actor.profile.subscribed}

    @property
    def would_act(self) -> bool:
        return is_true(self.request.parameters.last_in_query("subscribe"))


class EmailConfirmation(OfTheSignedIn):
    """``/account/confirm-email``."""

    question = "confirm_email.jinja2"

    @property
    def details(self) -> dict[str, Any]:
        """Whether there is nothing to mail, and where to go then."""
        actor = self.request.actor
        return {"is_valid": actor.email_verified, "account_path": path_of_account(actor.username)}


class UserAccount(AccountResource):
    """``/account/{username}``: an account that is activated."""

    @reify
    def account(self) -> AccountRow | None:
        account = self.request.store.reader.by_username(self.__name__)
        return account if account is not None and account.activated else None


class OwnProjects(PartOfAccount):
    """``/account/{username}/projects``."""


class OpenToAdministrators(PartOfAccount):
    """Its owner's and administrators'."""

    __acl__ = (
        (
            Allow,
            ADMINISTRATORS,
            (Permission.ACCOUNT_READ, Permission.ACCOUNT_WRITE, Permission.KEY_READ, Permission.KEY_WRITE),
        ),
    )


class AccountSettings(OpenToAdministrators):
    """``/account/{username}/update``."""


class ApiKeyReset(OpenToAdministrators):
    """``/account/{username}/resetapikey``."""


class Deletion(PartOfAccount, Acting):
    """``/account/{username}/delete``."""

    question = "delete.jinja2"

    @property
    def details(self) -> dict[str, Any]:
        return {"username": self.target.username}


class Export(PartOfAccount, Acting):
    """``/account/{username}/export``."""

    question = "export.jinja2"

    @property
    def details(self) -> dict[str, Any]:
        """Whether there is an address to which the links can be mailed."""
        return {"is_valid": self.target.email_verified}


Registration.children = {"confirmation": Confirmation}
CommunityPages.children = {"{number}": CommunityPage}
UserAccount.children = {
    "projects": OwnProjects,
    "update": AccountSettings,
    "resetapikey": ApiKeyReset,
    "delete": Deletion,
    "export": Export,
}
Community.children = {
    "page": CommunityPages,
    "register": Registration,
    "signin": SignIn,
    "signout": SignOut,
    "forgot-password": ForgottenPassword,
    "reset-password": PasswordReset,
    "profile": OwnProfile,
    "newsletter": Newsletter,
    "confirm-email": EmailConfirmation,
    "{username}": UserAccount,
}
