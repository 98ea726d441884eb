"""Clients of the authorization server."""

import pytest
from webtest import TestApp

from accountsapp.process import Process
from tests.support.oauth import Client
from tests.support.people import Person


@pytest.fixture
def public(stores: Process, alice: Person) -> Client:
    """A client without a secret, and alice to let it in."""
    return Client(stores, name="Public <b>& Co</b>")


@pytest.fixture
def confidential(stores: Process, alice: Person) -> Client:
    """A client with a secret."""
    return Client(stores, confidential=True)


@pytest.fixture
def code(app: TestApp, public: Client) -> str:
    """A code for the public client."""
    return public.code(app)
