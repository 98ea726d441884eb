"""What tests of the Open edX API share."""

import json
from typing import Any

from webtest import TestApp, TestResponse

from accountsapp.domain.accounts import profile
from accountsapp.process import Process
from accountsapp.testing.oauth import bearer, issue
from accountsapp.testing.people import Person

ACCOUNTS = "/api/user/v1/accounts"
MERGE_PATCH = "application/merge-patch+json"
FRONT = "https://front.example.org"
"""Where a front end is."""
PAYLOAD, SIGNATURE = "edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature"
ADULT = 1990
"""A year of birth."""


def account_of(person: Person | str) -> str:
    """The path of an account."""
    return f"{ACCOUNTS}/{person if isinstance(person, str) else person.username}/"


def grow_up(stores: Process, *people: Person, **columns: Any) -> None:
    """Make them people who need no consent.

    :param columns: further ones
    """
    with stores.transaction() as store:
        for person in people:
            profile.change(store, person.id, {"year_of_birth": ADULT, **columns})


class Caller:
    """Somebody who calls with a bearer token."""

    def __init__(self, app: TestApp, stores: Process, person: Person | None, *scopes: str) -> None:
        self._app = app
        self.headers = bearer(issue(stores, person, *scopes))
        self.person = person

    def get(self, path: str, status: Any = 200) -> TestResponse:
        return self._app.get(path, headers=self.headers, status=status)

    def patch(self, path: str, body: object, status: Any = 200) -> TestResponse:
        """
        :param body: made JSON, unless it is bytes
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**self.headers, "Content-Type": MERGE_PATCH}
        return self._app.patch(path, content, headers=headers, status=status)

    def change(self, body: object, status: Any = 200) -> TestResponse:
        """A ``PATCH`` of the own account."""
        assert self.person is not None
        return self.patch(account_of(self.person), body, status)


def set_cookies(answer: Any) -> dict[str, str]:
    """The cookies that an answer sets, by name."""
    return {line.partition("=")[0]: line for line in answer.headers.getall("Set-Cookie")}


def log_in(app: TestApp, path: str = "/api/user/v1/account/login_session/", **form: str) -> Any:
    """The answer to somebody who signs in."""
    headers = {"X-CSRFToken": app.get("/csrf/api/v1/token").json["csrfToken"]}
    return app.post(path, form, headers=headers, expect_errors=True)
