"""The page of one's API keys, as a browser uses it."""

from typing import Any, NamedTuple

from webtest import TestApp

from accountsapp.testing.people import PASSWORD, Person

MADE = "#api-key"
"""Where the page shows a key in clear."""


class Made(NamedTuple):
    """A named key that the page has made.

    :ivar id: by which the page revokes and rotates it
    """

    id: str
    api_key: str


class KeysPage:
    """A browser in which that person is signed in."""

    def __init__(self, wsgi: Any, person: Person) -> None:
        self.wsgi = wsgi
        self.app = TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"})
        self.person = person
        form = self.app.get("/keys").form
        form["username"], form["password"] = person.username, person.password or PASSWORD
        form.submit(status=303)

    def get(self) -> Any:
        return self.app.get("/keys", status=200)

    @property
    def token(self) -> str:
        return str(self.get().html.find(attrs={"name": "csrf_token"})["value"])

    @property
    def ids(self) -> list[str]:
        """Of the named keys that have a form, in their order."""
        actions = [form["action"] for form in self.get().html.select("form[action$='/revoke']")]
        return [action.split("/")[2] for action in actions]

    def post(self, path: str, fields: Any = (), **more: Any) -> Any:
        """Send a form of the page, whatever comes of it.

        :param fields: pairs, or a mapping
        """
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        more.setdefault("expect_errors", True)
        return self.app.post(f"/keys/{path}", [("csrf_token", self.token), *pairs], **more)

    def add(self, name: str, **fields: str) -> Made:
        before = set(self.ids)
        answer = self.post("add", {"name": name, "preset": "full", **fields}, status=200)
        (made,) = set(self.ids) - before
        return Made(made, api_key_in(answer))

    def opens(self, api_key: str, path: str = "account") -> bool:
        """Whether a key opens the account at an API."""
        answer = TestApp(self.wsgi).get(
            f"/api/v1/{self.person.username}/{path}", {"api_key": api_key}, expect_errors=True
        )
        assert answer.status_int in (200, 403)
        return bool(answer.status_int == 200)


def api_key_in(answer: Any) -> str:
    """The one key that a page shows."""
    (shown,) = answer.html.select(MADE)
    return str(shown.text)
