"""An API of another distribution, with one URL and one setting of its own."""

from typing import Any

from tests.support.sixth_api.resources import SixthRoot


def includeme(config: Any) -> None:
    config.uses_setting("accountsapp.registration")
    config.mount("/sixth", SixthRoot)
    config.scan(__name__)
