"""The documents of an application that has everything."""

from collections.abc import Callable, Iterator

import pytest
from webtest import TestApp

from accountsapp.testing.people import Person
from tests.support.documents import World


@pytest.fixture
def backend() -> str:
    """What is said of the APIs does not depend on the database."""
    return "sqlite"


@pytest.fixture
def world(app: TestApp, register: Callable[..., Person]) -> Iterator[World]:
    world = World(app, register)
    yield world
    world.close()
