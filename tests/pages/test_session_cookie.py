"""How long a browser stays signed in."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.testing.oauth import APPLICATIONS, sign_in
from accountsapp.testing.people import Person


@pytest.fixture
def browser(app: TestApp, alice: Person) -> TestApp:
    """Signed in as alice. Like a browser it keeps cookies; unlike one it does not drop them by age."""
    sign_in(app.get(APPLICATIONS))
    return app


def visit(browser: TestApp, days: float) -> Any:
    with time_machine.travel(now() + timedelta(days=days)):
        return browser.get(APPLICATIONS)


def is_signed_in(answer: Any) -> bool:
    return "password" not in answer.form.fields if answer.forms else True


def test_the_cookie_is_given_anew_while_it_is_used(browser: TestApp) -> None:
    assert "Set-Cookie" not in visit(browser, 0).headers
    value = browser.cookies["sessionid"]
    for days in (1, 20, 45, 70):
        answer = visit(browser, days)
        assert is_signed_in(answer)
        assert f"sessionid={value};" in answer.headers["Set-Cookie"]
        assert "Max-Age=2592000" in answer.headers["Set-Cookie"]
        assert "Set-Cookie" not in visit(browser, days + 0.01).headers


def test_it_ends_30_days_after_its_last_use(browser: TestApp) -> None:
    assert is_signed_in(visit(browser, 29))
    assert is_signed_in(visit(browser, 58))
    assert not is_signed_in(visit(browser, 89))


def test_it_ends_a_year_after_signing_in(browser: TestApp) -> None:
    for days in range(25, 364, 25):
        assert is_signed_in(visit(browser, days))
    assert not is_signed_in(visit(browser, 365.1))
