"""``/sixth/{username}``: a member."""

from typing import Any

from pyramid.authorization import Allow, Everyone

from accountsapp.security.credentials import ApiKeyHeader, Bearer
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import ADMINISTRATORS
from accountsapp.web.bodies import JSON, Body
from accountsapp.web.resources import AccountResource, ApiRoot
from tests.support.sixth_api.schemas import MemberColumns


class MembersRoot(ApiRoot):
    """``/sixth``: an API key in a header, or a bearer token."""

    accepts = (ApiKeyHeader("Members-Key"), Bearer())
    checks = ("credential", "scope", "acl", "body")
    columns = MemberColumns
    body = Body(types=(JSON,), largest=64 * 1024)


class Member(AccountResource):
    """``/sixth/{username}``: everybody may read it, administrators may change it like its owner."""

    def __acl__(self) -> list[Any]:
        return [
            *super().__acl__(),
            (Allow, ADMINISTRATORS, (Permission.ACCOUNT_WRITE,)),
            (Allow, Everyone, (Permission.ACCOUNT_READ,)),
        ]


MembersRoot.children = {"{username}": Member}
