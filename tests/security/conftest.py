"""A client that knows every operation."""

import pytest
from webtest import TestApp

from tests.support.everywhere import Everywhere
from tests.support.people import Person


@pytest.fixture
def everywhere(app: TestApp, alice: Person, admin: Person) -> Everywhere:
    return Everywhere(app, alice, admin)
