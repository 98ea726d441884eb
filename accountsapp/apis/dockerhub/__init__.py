"""The Docker Hub accounts API: ``/api/v1.1/users/{username}/`` and ``…/emails/``, and beside them the
authorization server that its bearer tokens come from, at ``/api/v1.1/o/``.
"""

from typing import TYPE_CHECKING

from accountsapp.apis.dockerhub.resources import DockerHubRoot, Metadata
from accountsapp.oauth.resources import AuthorizationServer

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.mount("/api/v1.1/users", DockerHubRoot)
    config.include("accountsapp.oauth")
    config.mount(Metadata.server_path, AuthorizationServer)
    config.mount("/.well-known/oauth-authorization-server", Metadata)
    config.add_document("dockerhub", f"{__name__}.documents")
    config.scan(__name__, ignore=".documents")
