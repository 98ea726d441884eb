"""The documents of an application that has everything."""

from collections.abc import Callable, Iterator

import pytest
from webtest import TestApp

from tests.support.documents import World
from tests.support.people import Person
from tests.support.reporting import Reporter, publish


@pytest.fixture
def backend() -> str:
    """What is said of the APIs does not depend on the database."""
    return "sqlite"


@pytest.fixture(scope="session")
def reporter() -> Reporter:
    return Reporter()


@pytest.fixture(scope="session")
def key_file(reporter: Reporter, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(publish(tmp_path_factory.mktemp("reporters") / "keys.json", [reporter]))


@pytest.fixture
def ini(ini: dict[str, str], key_file: str) -> dict[str, str]:
    """Of an application that also takes reports of lost keys."""
    return {**ini, "accountsapp.leaks.public_keys": key_file}


@pytest.fixture
def world(app: TestApp, register: Callable[..., Person], reporter: Reporter) -> Iterator[World]:
    world = World(app, register, reporter)
    yield world
    world.close()
