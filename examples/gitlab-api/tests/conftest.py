import pytest

from accountsapp.testing.credentials import PRESENTATIONS, in_header
from accountsapp.testing.endings import ALONE, end_key

pytest_plugins = ["accountsapp.testing.plugin"]
PRESENTATIONS["private-token"] = in_header("Private-Token")
ALONE["private-token"] = end_key


@pytest.fixture
def ini(ini: dict[str, str]) -> dict[str, str]:
    """This API beside one other."""
    return {**ini, "accountsapp.apis": "bookie gitlab"}
