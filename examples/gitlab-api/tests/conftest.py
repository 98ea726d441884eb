import pytest

pytest_plugins = ["accountsapp.testing.plugin"]


@pytest.fixture
def ini(ini: dict[str, str]) -> dict[str, str]:
    """This API beside one other."""
    return {**ini, "accountsapp.apis": "bookie gitlab"}
