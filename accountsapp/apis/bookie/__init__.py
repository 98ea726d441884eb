"""The Bookie API: ``/api/v1/{username}/account``, ``/api_key``, ``/password`` and their companions."""

from typing import TYPE_CHECKING

from accountsapp.apis.bookie.resources import BookieRoot, StrayPing

if TYPE_CHECKING:
    from pyramid.config import Configurator

FIRST_CALLS = (
    'curl "{site}/api/v1/admin/account?api_key=$KEY"',
    'curl "{site}/api/v1/admin/account?api_key=$KEY&callback=show"',
    'curl --data "api_key=$KEY" --data-urlencode "name=Ada Lovelace" {site}/api/v1/admin/account',
)
"""The account, the same as JSONP, and a change of it."""


def includeme(config: "Configurator") -> None:
    config.mount("/api/v1", BookieRoot)
    config.mount("/ping", StrayPing)
    config.add_first_calls(*FIRST_CALLS)
    config.add_document("bookie", f"{__name__}.documents")
    config.scan(__name__, ignore=".documents")
