"""Fixtures of the tests of this API."""

from collections.abc import Callable

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, hold
from accountsapp.testing.people import Person
from tests.support.activity import add_addon
from tests.support.amo import Amo


@pytest.fixture
def amo(app: TestApp) -> Amo:
    return Amo(app)


@pytest.fixture
def user(register: Callable[..., Person], stores: Process) -> Holder:
    """Somebody who publishes nothing."""
    return hold(stores, register("user"))


@pytest.fixture
def developer(register: Callable[..., Person], stores: Process) -> Holder:
    """Somebody who publishes an extension."""
    holder = hold(stores, register("dev.el-oper_1"))
    with stores.transaction() as store:
        add_addon(store.session, "mine", [holder.person.id], average_rating=4.0)
    return holder


@pytest.fixture
def editor(register: Callable[..., Person], stores: Process) -> Holder:
    return hold(stores, register("editor", permissions=["Users:*"]))
