"""A client that knows every operation."""

from collections.abc import Callable, Iterator

import pytest
from webtest import TestApp

from tests.support.everywhere import Everywhere
from tests.support.people import Person


@pytest.fixture
def everywhere(
    app: TestApp, register: Callable[..., Person], alice: Person, admin: Person
) -> Iterator[Everywhere]:
    """Afterwards every credential that the test used must have opened its door."""
    client = Everywhere(app, register, alice, admin)
    yield client
    client.check()
