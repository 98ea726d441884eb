"""``/api/v1.1/users/{username}``: an account; ``…/emails``: its addresses."""

from accountsapp.apis.dockerhub.schemas import UserColumns
from accountsapp.oauth.resources import ServerMetadata, ServerMetadataByPath
from accountsapp.security.credentials import Basic, Bearer
from accountsapp.web.bodies import FORM, JSON, MULTIPART, Body
from accountsapp.web.cors import Cors
from accountsapp.web.resources import AccountResource, ApiRoot, PartOfAccount, Resource


class DockerHubRoot(ApiRoot):
    """``/api/v1.1/users``: HTTP Basic and bearer tokens; cookies and keys are never looked at."""

    accepts = (Basic(), Bearer())
    columns = UserColumns
    checks = ("credential", "scope", "acl", "query", "body")
    body = Body(types=(JSON, "+json", FORM, MULTIPART), untyped=JSON, optional=False)
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        allowed_headers=("Authorization", "Content-Type"),
        allows_asked_headers=True,
        exposed_headers=("Retry-After", "X-Request-Id", "WWW-Authenticate"),
    )


class User(AccountResource):
    """``/api/v1.1/users/{username}``: its owner's alone, administrators included."""


class Emails(PartOfAccount):
    """``/api/v1.1/users/{username}/emails``."""


class Metadata(ServerMetadata):
    """``/.well-known/oauth-authorization-server``."""

    server_path = "/api/v1.1/o"


class MetadataOfApi(Resource):
    """``/.well-known/oauth-authorization-server/api``: leads on."""


class MetadataOfVersion(Resource):
    """``/.well-known/oauth-authorization-server/api/v1.1``: leads on."""


DockerHubRoot.children = {"{username}": User}
User.children = {"emails": Emails}
Metadata.children = {"api": MetadataOfApi}
MetadataOfApi.children = {"v1.1": MetadataOfVersion}
MetadataOfVersion.children = {"o": ServerMetadataByPath}
