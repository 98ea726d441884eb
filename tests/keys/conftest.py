"""A proxy that asks about requests, and the cookie of somebody who signed in."""

from typing import Any

import pytest

from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.people import Person
from tests.support.check import FRONT, Proxy


@pytest.fixture
def ini(ini: dict[str, str]) -> dict[str, str]:
    return {**ini, "accountsapp.cors_origins": FRONT}


@pytest.fixture
def proxy(wsgi: Any) -> Proxy:
    return Proxy(wsgi)


@pytest.fixture
def cookie(stores: Process, alice: Person) -> dict[str, str]:
    return {"Cookie": f"other=1; sessionid={hold(stores, alice).cookie}; last=2"}
