"""People who call the Open edX API."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.openedx import FRONT, Caller, grow_up


@pytest.fixture
def call(app: TestApp, stores: Process) -> Callable[..., Caller]:
    """``call(alice)``: she calls with a token of all scopes, or of those that are named."""
    return lambda person, *scopes: Caller(app, stores, person, *scopes)


@pytest.fixture
def adult(alice: Person, stores: Process) -> Person:
    """Alice, who needs no consent."""
    grow_up(stores, alice)
    return alice


@pytest.fixture
def front(make_app: Callable[..., Any]) -> TestApp:
    """The application with a front end on another origin, whose scripts read its cookies."""
    settings = {"accountsapp.cors_origins": FRONT, "accountsapp.openedx.cookie_domain": "example.org"}
    return TestApp(make_app(**settings))
