"""The places of the Open edX API, at several paths below the site."""

from collections.abc import Sequence
from typing import Any

from pyramid.authorization import Allow, Authenticated

from accountsapp.apis.openedx.presenting import AccountColumns
from accountsapp.apis.openedx.settings import Settings
from accountsapp.oauth.resources import TokenServer
from accountsapp.security.credentials import Bearer, Credential, OtherScheme, SessionCookie, SignedToken
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import STAFF, principal
from accountsapp.web.bodies import FORM, FORMS, MULTIPART, Body
from accountsapp.web.cors import Cors
from accountsapp.web.resources import AccountResource, ApiRoot, PartOfAccount, Resource

MERGE_PATCH = "application/merge-patch+json"
ISSUER_PATH = "/oauth2"
"""Where signed tokens come from."""
PATCHES = Body(types=(MERGE_PATCH,), type_first=True, optional=False)
FORM_BODY = Body(types=FORMS, largest=64 * 1024, untyped=FORM)
PART_HEADERS = 64 * 1024
"""Bytes of a multipart form beside its file."""

READ_BY_EVERYBODY_SIGNED_IN = (Allow, Authenticated, (Permission.ACCOUNT_READ,))


class OpenEdxRoot(ApiRoot):
    """Bearer tokens, signed tokens, sessions; a credential of another kind is refused, not passed over."""

    accepts: Sequence[Credential] = (
        Bearer(),
        SignedToken(ISSUER_PATH),
        OtherScheme("api_key"),
        SessionCookie(),
    )
    columns = AccountColumns
    checks: tuple[str, ...] = ("credential", "csrf", "scope", "query", "body", "acl")
    body = FORM_BODY
    headers = (("Vary", "Accept"),)
    tells_methods = True
    is_open = False
    """Whether somebody who is not signed in may know what there is."""
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        allowed_headers=(
            "authorization",
            "content-type",
            "use-jwt-cookie",
            "x-csrftoken",
            "x-requested-with",
        ),
        allows_asked_headers=True,
        exposed_headers=("Retry-After", "X-Request-Id", "WWW-Authenticate"),
        credentials=True,
    )


class UserApi(OpenEdxRoot):
    """``/api/user/v1``."""


class UserApi2(OpenEdxRoot):
    """``/api/user/v2``."""


class Accounts(Resource):
    """``…/accounts``: several accounts."""

    __acl__ = (READ_BY_EVERYBODY_SIGNED_IN, (Allow, STAFF, (Permission.ACCOUNT_FIND,)))


class Account(AccountResource):
    """``…/accounts/{username}``: who is signed in may read it, its owner alone change it."""

    body = PATCHES

    def __acl__(self) -> list[Any]:
        return [*super().__acl__(), READ_BY_EVERYBODY_SIGNED_IN]


class Image(PartOfAccount):
    """``…/accounts/{username}/image``: staff may remove it."""

    __acl__ = ((Allow, STAFF, (Permission.PICTURE_REMOVE,)),)

    @property
    def body(self) -> Body:  # type: ignore[override]
        most_bytes = self.request.app_settings.section(Settings).profile_image_max_bytes
        return Body(
            types=(MULTIPART, "image/*"),
            largest=most_bytes,
            largest_multipart=most_bytes + PART_HEADERS,
            type_first=True,
            deferred=True,
        )


class NameChange(Account):
    """``…/accounts/name_change``: an account of that name; what Open edX has besides is not offered."""

    @property
    def body(self) -> Body:  # type: ignore[override]
        return PATCHES if self.request.method == "PATCH" else Body(deferred=True)


class DeactivateLogout(Account):
    """``…/accounts/deactivate_logout``: an account of that name; and where one deletes one's own."""

    @property
    def body(self) -> Body:  # type: ignore[override]
        return PATCHES if self.request.method == "PATCH" else FORM_BODY

    def __acl__(self) -> list[Any]:
        return [*super().__acl__(), (Allow, Authenticated, (Permission.ACCOUNT_DELETE,))]


class Preferences(Resource):
    """``…/preferences``: leads on."""


class PreferencesOfAccount(AccountResource):
    """``…/preferences/{username}``: its owner's, for staff to read."""

    body = PATCHES

    def __acl__(self) -> list[Any]:
        return [*super().__acl__(), (Allow, STAFF, (Permission.ACCOUNT_READ,))]


class Me(Resource):
    """``…/me``."""

    __acl__ = (READ_BY_EVERYBODY_SIGNED_IN,)


class SignIn(Resource):
    """``…/account``: leads on."""


class LoginSession(Resource):
    """``…/account/login_session``: where one signs in."""

    is_open = True


class ThirdPartyAuth(OpenEdxRoot):
    """``/api/third_party_auth/v0``."""


class Providers(Resource):
    """``…/providers``: leads on."""


class UserStatus(Resource):
    """``…/providers/user_status``."""

    __acl__ = (READ_BY_EVERYBODY_SIGNED_IN,)


class FormsApi(OpenEdxRoot):
    """``/user_api/v1``: what forms offer to choose from."""

    is_open = True


class OfferedPreferences(Resource):
    """``…/preferences``: leads on."""


class TimeZones(Resource):
    """``…/preferences/time_zones``."""


class OfferedAccount(Resource):
    """``…/account``: leads on."""


class RegistrationForm(Resource):
    """``…/account/registration``."""


class CsrfApi(OpenEdxRoot):
    """``/csrf/api/v1``."""

    is_open = True


class LoginRefresh(OpenEdxRoot):
    """``/login_refresh``: a session alone counts."""

    __acl__ = (READ_BY_EVERYBODY_SIGNED_IN,)
    accepts = (SessionCookie(),)
    body = Body()


class Languages(OpenEdxRoot):
    """``/i18n``."""


class SetLanguage(Resource):
    """``/i18n/setlang``."""

    def __acl__(self) -> list[Any]:
        """Every account's; a client without one may only read."""
        identity = self.request.identity
        if identity is None or identity.account is None:
            return []
        return [(Allow, principal(identity.account.id), (Permission.ACCOUNT_WRITE,))]


class PasswordReset(OpenEdxRoot):
    """``/password_reset``."""

    is_open = True


class NotOffered(OpenEdxRoot):
    """A part of Open edX that front ends ask for and do without: their pages can see the 404."""

    is_open = True
    checks = ("credential", "csrf", "scope", "acl")

    def __getitem__(self, name: str) -> Resource:
        return type(self)(self.request, name, self)


class AccessTokens(TokenServer):
    """``/oauth2``: the authorization server's other token path."""


UserApi.children = {"accounts": Accounts, "preferences": Preferences, "me": Me, "account": SignIn}
UserApi2.children = {"account": SignIn}
Accounts.children = {
    "name_change": NameChange,
    "deactivate_logout": DeactivateLogout,
    "{username}": Account,
}
Account.children = {"image": Image}
Preferences.children = {"{username}": PreferencesOfAccount}
SignIn.children = {"login_session": LoginSession}
ThirdPartyAuth.children = {"providers": Providers}
Providers.children = {"user_status": UserStatus}
FormsApi.children = {"preferences": OfferedPreferences, "account": OfferedAccount}
OfferedPreferences.children = {"time_zones": TimeZones}
OfferedAccount.children = {"registration": RegistrationForm}
Languages.children = {"setlang": SetLanguage}

MOUNTS: dict[str, type[ApiRoot]] = {
    "/api/user/v1": UserApi,
    "/api/user/v2": UserApi2,
    "/api/third_party_auth/v0": ThirdPartyAuth,
    "/user_api/v1": FormsApi,
    "/csrf/api/v1": CsrfApi,
    "/login_refresh": LoginRefresh,
    "/i18n": Languages,
    "/password_reset": PasswordReset,
    ISSUER_PATH: AccessTokens,
    "/api/edx_name_affirmation": NotOffered,
    "/api/certificates": NotOffered,
    "/api/notifications": NotOffered,
}
"""Every place of the API, by path."""
