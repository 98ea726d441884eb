"""What belongs to API keys and to no single API: ``/auth/check``, there whatever is mounted beside it."""

from typing import TYPE_CHECKING

from accountsapp.keys.check_resources import KeyCheck

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.mount("/auth/check", KeyCheck)
    config.scan(__name__)
