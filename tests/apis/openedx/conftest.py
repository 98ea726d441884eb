"""People who call the Open edX API."""

from collections.abc import Callable

import pytest
from webtest import TestApp

from accountsapp.process import Process
from tests.support.openedx import Caller, grow_up
from tests.support.people import Person


@pytest.fixture
def call(app: TestApp, stores: Process) -> Callable[..., Caller]:
    """``call(alice)``: she calls with a token of all scopes, or of those that are named."""
    return lambda person, *scopes: Caller(app, stores, person, *scopes)


@pytest.fixture
def adult(alice: Person, stores: Process) -> Person:
    """Alice, who needs no consent."""
    grow_up(stores, alice)
    return alice
