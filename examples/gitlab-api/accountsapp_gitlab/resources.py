"""The tree: ``user`` is who asks, ``users`` has everybody by id."""

from typing import Any

from pyramid.authorization import Allow, Authenticated, Everyone

from accountsapp.security.credentials import ApiKeyHeader, Bearer
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import ADMINISTRATORS
from accountsapp.web.bodies import FORM, JSON, Body
from accountsapp.web.resources import AccountById, ApiRoot, Resource
from accountsapp_gitlab.schemas import UserColumns


class GitlabRoot(ApiRoot):
    """``/api/v4``: an API key in ``PRIVATE-TOKEN``, or a bearer token."""

    accepts = (ApiKeyHeader("Private-Token"), Bearer())
    checks = ("credential", "scope", "acl", "body")
    columns = UserColumns
    body = Body(types=(JSON, FORM), largest=64 * 1024)


class CurrentUser(Resource):
    """``/api/v4/user``: whoever asks."""

    __acl__ = ((Allow, Authenticated, (Permission.ACCOUNT_READ,)),)


class Users(Resource):
    """``/api/v4/users``: not listed."""


class User(AccountById):
    """``/api/v4/users/{id}``: everybody reads it, administrators alone change it."""

    def __acl__(self) -> list[Any]:
        return [
            (Allow, ADMINISTRATORS, (Permission.ACCOUNT_WRITE,)),
            (Allow, Everyone, (Permission.ACCOUNT_READ,)),
        ]


Users.children = {"{id}": User}
GitlabRoot.children = {"user": CurrentUser, "users": Users}
