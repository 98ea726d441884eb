"""The Bookie API: ``/api/v1/{username}/account``, ``/api_key``, ``/password`` and their companions."""

from typing import TYPE_CHECKING

from accountsapp.apis.bookie.resources import BookieRoot, StrayPing

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.mount("/api/v1", BookieRoot)
    config.mount("/ping", StrayPing)
    config.add_document("bookie", f"{__name__}.documents")
    config.scan(__name__)
