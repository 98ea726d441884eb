"""The accounts API of addons-server, version 5: ``/api/v5/accounts/…``, and the pages behind the links of
mails that can be switched off, at ``/users/unsubscribe/…``.
"""

from typing import TYPE_CHECKING

from accountsapp.apis.amo.resources import Accounts, Unsubscribing

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.uses_setting("accountsapp.cors_origins")
    config.mount("/api/v5/accounts", Accounts)
    config.mount("/users/unsubscribe", Unsubscribing)
    config.add_document("amo", f"{__name__}.documents")
    config.scan(__name__, ignore=".documents")
