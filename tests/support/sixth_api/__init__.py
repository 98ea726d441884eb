"""Members, an API of another distribution: whom everybody may read. The worked example of the docs."""

from pyramid.config import Configurator

from tests.support.sixth_api.resources import MembersRoot


def includeme(config: Configurator) -> None:
    config.uses_setting("accountsapp.registration")
    config.mount("/sixth", MembersRoot)
    config.add_document("sixth", f"{__name__}.documents")
    config.scan(__name__, ignore=".documents")
