"""The Bookie client of the API's own tests, for the attacks, and one that knows every operation."""

import pytest
from webtest import TestApp

from tests.apis.conftest import bookie, database_dump, snapshot
from tests.conftest import Person
from tests.test_security.everywhere import Everywhere

__all__ = ["bookie", "database_dump", "everywhere", "snapshot"]


@pytest.fixture
def everywhere(app: TestApp, alice: Person, admin: Person) -> Everywhere:
    return Everywhere(app, alice, admin)
