"""``/api/v1.1/users/{username}``: an account; ``…/emails``: its addresses."""

from pyramid.authorization import DENY_ALL

from accountsapp.apis.dockerhub.schemas import UserColumns
from accountsapp.domain.data.reads import AccountRow
from accountsapp.security.credentials import Basic, Bearer
from accountsapp.web.bodies import JSON
from accountsapp.web.resources import AccountResource, ApiRoot, Resource


class DockerHubRoot(ApiRoot):
    """``/api/v1.1/users``: HTTP Basic and bearer tokens; cookies and keys are never looked at."""

    accepts = (Basic(), Bearer())
    columns = UserColumns
    untyped_body = JSON
    optional_body = False


class User(AccountResource):
    """``/api/v1.1/users/{username}``: its owner's alone, administrators included."""

    beyond_owner = (DENY_ALL,)


class Emails(Resource):
    """``/api/v1.1/users/{username}/emails``: the ACL is its parent's."""

    __parent__: User

    @property
    def account(self) -> AccountRow | None:
        return self.__parent__.account

    @property
    def target(self) -> AccountRow:
        return self.__parent__.target


DockerHubRoot.children = {"{username}": User}
User.children = {"emails": Emails}
