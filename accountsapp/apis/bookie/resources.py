"""``/api/v1/{username}``: an account, by its name and its API key.

Names such as ``ping`` are accounts too: an account of an older system may have them. What the companion
calls add below them has other names.
"""

from typing import Any

from pyramid.authorization import DENY_ALL, Allow

from accountsapp.apis.bookie.schemas import OwnColumns
from accountsapp.domain.rules.folding import fold
from accountsapp.security.credentials import ApiKeyParameter
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import ADMINISTRATORS
from accountsapp.web.answers import jsonp_answer
from accountsapp.web.cors import ANY, Cors
from accountsapp.web.resources import AccountResource, ApiRoot, PartOfAccount, Resource


class BookieApi(ApiRoot):
    """API keys alone authorise, so that JSONP and ``*`` can show nobody anything ambient."""

    accepts = (ApiKeyParameter("X-Api-Key"),)
    columns = OwnColumns
    checks = ("callback", "credential", "acl", "key_rate", "scope")
    cors = Cors(
        origins=ANY,
        allowed_headers=("X-Requested-With", "Content-Type", "X-Api-Key"),
        exposed_headers=("Retry-After", "X-Request-Id"),
        exposed_where_sent=("X-Accepted-Scope",),
    )
    answer = staticmethod(jsonp_answer)


class StrayPing(BookieApi):
    """``/ping``: a client whose base URL lacks the path of the API."""


class BookieRoot(BookieApi):
    """``/api/v1``."""


class BookieAccount(AccountResource):
    """``/api/v1/{username}``: its owner's alone, administrators included.

    Nobody's where a parameter ``username`` names another account than the path.
    """

    def __acl__(self) -> list[Any]:
        names = self.request.parameters.all("username")
        if names and not all(isinstance(name, str) and fold(name) == fold(self.__name__) for name in names):
            return []
        return super().__acl__()


class BookieProfile(PartOfAccount):
    """``/api/v1/{username}/account``."""


class PingWithoutName(BookieAccount):
    """``/api/v1/ping``: a client that lacks the username; below it, the account ``ping``."""


class Suspend(BookieAccount):
    """``/api/v1/suspend``: a forgotten password; below it, the account ``suspend``."""


class AdminArea(BookieAccount):
    """``/api/v1/a``: leads to the calls of administrators; below it also the account ``a``."""


class AdminResource(Resource):
    """For administrators alone; the account ``a`` has no right here."""

    __acl__ = ((Allow, ADMINISTRATORS, (Permission.ADMINISTER,)), DENY_ALL)


class Users(AdminResource):
    """``/api/v1/a/users``."""


class Deletions(AdminResource):
    """``/api/v1/a/users/delete``."""


class Deletion(AdminResource):
    """``/api/v1/a/users/delete/{username}``."""


class Accounts(AdminResource):
    """``/api/v1/a/accounts``."""


class Invites(AdminResource):
    """``/api/v1/a/accounts/invites``."""


class InvitesOf(AdminResource):
    """``/api/v1/a/accounts/invites/{username}``."""


class InviteCount(AdminResource):
    """``/api/v1/a/accounts/invites/{username}/{count}``."""

    __parent__: InvitesOf

    @property
    def whose(self) -> str:
        """The username in the path."""
        return self.__parent__.__name__

    @property
    def count(self) -> str:
        """The number in the path, as it was sent."""
        return self.__name__


class NonActivated(AdminResource):
    """``/api/v1/a/nonactivated``."""


class ApplicationLog(AdminResource):
    """``/api/v1/a/applog``."""


Invites.children = {"{username}": InvitesOf}
InvitesOf.children = {"{count}": InviteCount}
Accounts.children = {"invites": Invites}
Users.children = {"delete": Deletions}
Deletions.children = {"{username}": Deletion}
BookieAccount.children = {"account": BookieProfile}
AdminArea.children = {
    "users": Users,
    "accounts": Accounts,
    "nonactivated": NonActivated,
    "applog": ApplicationLog,
    **BookieAccount.children,
}
BookieRoot.children = {
    "a": AdminArea,
    "ping": PingWithoutName,
    "suspend": Suspend,
    "{username}": BookieAccount,
}
