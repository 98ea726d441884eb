"""``/api/v4/user`` and ``/api/v4/users/{id}``: accounts as users of GitLab's API (version 4)."""

from pyramid.config import Configurator

from accountsapp_gitlab.resources import GitlabRoot


def includeme(config: Configurator) -> None:
    config.mount("/api/v4", GitlabRoot)
    config.add_document("gitlab", f"{__name__}.documents")
    config.scan(__name__, ignore=".documents")
