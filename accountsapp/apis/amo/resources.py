"""``/api/v5/accounts``: accounts by id or by name, and what belongs to the caller."""

from collections.abc import Iterator, Sequence
from typing import Any

from pyramid.authorization import Allow, Authenticated, Everyone
from pyramid.decorator import reify

from accountsapp.apis.amo.credentials import Jwt
from accountsapp.apis.amo.schemas import ProfileColumns
from accountsapp.domain.activity.authorship import figures_of
from accountsapp.domain.data.reads import AccountRow
from accountsapp.pages.resources import Pages
from accountsapp.security.credentials import Credential, SessionHeader
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import holders, principal
from accountsapp.web.bodies import FORM, JSON, MULTIPART, Body
from accountsapp.web.cors import Cors
from accountsapp.web.resources import AccountById, AccountResource, ApiRoot, PartOfAccount, Resource

EDITORS = holders("Users:Edit")
CREATORS = holders("Accounts:SuperCreate")
OF_EDITORS = (
    Permission.PROFILE_READ,
    Permission.ACCOUNT_READ,
    Permission.ACCOUNT_WRITE,
    Permission.ACCOUNT_DELETE,
)


class Accounts(ApiRoot):
    """``/api/v5/accounts``: by headers alone; a cookie is never looked at."""

    accepts: Sequence[Credential] = (SessionHeader(), Jwt())
    columns = ProfileColumns
    checks = ("credential", "scope", "acl", "query", "body")
    body = Body(types=(JSON, FORM, MULTIPART), largest_multipart=5 * 1024 * 1024, untyped=JSON)
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        allowed_headers=("authorization", "content-type", "x-country-code"),
        allows_asked_headers=True,
        exposed_headers=("Retry-After", "X-Request-Id", "WWW-Authenticate"),
        credentials=True,
    )


class ById(Resource):
    """``/api/v5/accounts/account``."""


class Account(AccountResource):
    """``/api/v5/accounts/account/{account}``: digits are an id, anything else is a username.

    Everybody sees who publishes add-ons; the owner and editors see and change more, of anybody.
    """

    @reify
    def account(self) -> AccountRow | None:
        if is_number(self.__name__):
            return AccountById(self.request, self.__name__, self).account
        account = self.request.store.reader.by_username(self.__name__)
        return account if account is not None and not is_number(account.username_key) else None

    def __acl__(self) -> Iterator[Any]:  # type: ignore[override]  # figures are read when they count
        account = self.account
        if account is None:
            return
        yield from super().__acl__()
        yield Allow, principal(account.id), (Permission.PROFILE_READ,)
        for editor in EDITORS:
            yield Allow, editor, OF_EDITORS
        if account.activated and figures_of(account.profile.addon_figures_text).num_addons_listed:
            yield Allow, Everyone, (Permission.PROFILE_READ,)


class Picture(PartOfAccount):
    """``/api/v5/accounts/account/{account}/picture``."""

    __parent__: Account


class Notifications(PartOfAccount):
    """``/api/v5/accounts/account/{account}/notifications``."""

    __parent__: Account


class Profile(Resource):
    """``/api/v5/accounts/profile``: the caller."""

    __acl__ = ((Allow, Authenticated, (Permission.ACCOUNT_READ,)),)


class Unsubscribe(Resource):
    """``/api/v5/accounts/unsubscribe``: a hash in the body is the authority."""


class SuperCreate(Resource):
    """``/api/v5/accounts/super-create``."""

    __acl__ = tuple((Allow, creator, (Permission.ACCOUNT_CREATE,)) for creator in CREATORS)


class Session(Accounts):
    """``/api/v5/accounts/session``: the session that asks, which a token has none of."""

    accepts = (SessionHeader(),)
    __acl__ = ((Allow, Authenticated, (Permission.SESSIONS_WRITE,)),)


class Login(Resource):
    """``/api/v5/accounts/login``."""


class LoginStart(Resource):
    """``/api/v5/accounts/login/start``."""

    __acl__ = ((Allow, Everyone, (Permission.SESSIONS_BEGIN,)),)


class Unsubscribing(Pages):
    """``/users/unsubscribe``: the links of mails that can be switched off. No body is ever read."""


class MailedToken(Resource):
    """``/users/unsubscribe/{token}``."""

    logged_as = "{token}"


class MailedHash(Resource):
    """``/users/unsubscribe/{token}/{hash}``."""

    logged_as = "{hash}"
    __parent__: MailedToken


class MailedLink(Resource):
    """``/users/unsubscribe/{token}/{hash}/{notification}``."""

    logged_as = "{notification}"
    __parent__: MailedHash

    @property
    def proof(self) -> tuple[str, str]:
        """Token and hash in the path."""
        return self.__parent__.__parent__.__name__, self.__parent__.__name__


def is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


Accounts.children = {
    "account": ById,
    "profile": Profile,
    "unsubscribe": Unsubscribe,
    "super-create": SuperCreate,
    "session": Session,
    "login": Login,
}
Session.children = {}
ById.children = {"{account}": Account}
Account.children = {"picture": Picture, "notifications": Notifications}
Login.children = {"start": LoginStart}
Unsubscribing.children = {"{token}": MailedToken}
MailedToken.children = {"{hash}": MailedHash}
MailedHash.children = {"{notification}": MailedLink}
