"""A client that speaks Bookie."""

from tests.apis.conftest import bookie, snapshot

__all__ = ["bookie", "snapshot"]
