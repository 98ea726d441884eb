"""The Bookie API: ``/api/v1/{username}/account``, ``/api_key``, ``/password`` and their companions."""

from typing import Any

from accountsapp.apis.bookie.resources import BookieRoot, StrayPing


def includeme(config: Any) -> None:
    config.mount("/api/v1", BookieRoot)
    config.mount("/ping", StrayPing)
    config.scan(__name__)
