"""``/api/v1.1/users/{username}``: an account; ``…/emails``: its addresses."""

from accountsapp.apis.dockerhub.schemas import UserColumns
from accountsapp.security.credentials import Basic, Bearer
from accountsapp.web.bodies import FORM, JSON, MULTIPART, Body
from accountsapp.web.resources import AccountResource, ApiRoot, PartOfAccount


class DockerHubRoot(ApiRoot):
    """``/api/v1.1/users``: HTTP Basic and bearer tokens; cookies and keys are never looked at."""

    accepts = (Basic(), Bearer())
    columns = UserColumns
    checks = ("credential", "scope", "acl", "body")
    body = Body(types=(JSON, "+json", FORM, MULTIPART), untyped=JSON, optional=False)
    answers_options = False


class User(AccountResource):
    """``/api/v1.1/users/{username}``: its owner's alone, administrators included."""


class Emails(PartOfAccount):
    """``/api/v1.1/users/{username}/emails``."""


DockerHubRoot.children = {"{username}": User}
User.children = {"emails": Emails}
