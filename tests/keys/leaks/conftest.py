"""An application that takes reports of lost keys from one program."""

import pytest

from tests.support.reporting import Reporter, publish


@pytest.fixture(scope="session")
def reporter() -> Reporter:
    return Reporter()


@pytest.fixture(scope="session")
def key_file(reporter: Reporter, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One for all tests, so that the application is configured once."""
    return str(publish(tmp_path_factory.mktemp("leaks") / "keys.json", [Reporter("older"), reporter]))


@pytest.fixture
def ini(ini: dict[str, str], key_file: str) -> dict[str, str]:
    return {**ini, "accountsapp.leaks.public_keys": key_file}
