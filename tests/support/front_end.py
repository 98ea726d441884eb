"""Clients of the account pages: a JavaScript front end that speaks JSON, and a browser."""

from typing import Any

from webtest import TestApp

from accountsapp.testing.people import PASSWORD, Person

JSON = {"Content-Type": "application/json"}


class FrontEnd:
    """Speaks JSON; carries the token of the form that it loaded last."""

    def __init__(self, wsgi: Any) -> None:
        self.app = TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"})
        self.token = ""

    def get(self, path: str, status: int = 200, headers: dict[str, str] | None = None) -> Any:
        content = self.app.get(path, headers={**JSON, **(headers or {})}, status=status).json
        self.token = content.get("form", {}).get("csrf", self.token)
        return content

    def send(self, path: str, status: int = 200, /, **fields: Any) -> Any:
        """Send a form whose token was loaded before."""
        return self.app.post_json(path, fields, headers={"X-CSRFToken": self.token}, status=status).json

    def post(self, path: str, status: int = 200, /, **fields: Any) -> Any:
        """Load a form, and send it."""
        if not self.token:
            self.get("/account/signin")
        return self.send(path, status, **fields)

    def sign_in(self, person: Person, password: str | None = None) -> Any:
        self.get("/account/signin")
        answer = self.send("/account/signin", email=person.username, password=password or person.password)
        self.get(f"/account/{person.username}/update")
        return answer


class Browser:
    """Looks at pages and sends the forms in them."""

    def __init__(self, wsgi: Any) -> None:
        self.app = TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"})

    def get(self, path: str, status: int = 200, headers: dict[str, str] | None = None) -> Any:
        return self.app.get(path, headers={"Accept": "text/html", **(headers or {})}, status=status)

    def fill(self, path: str, button: str | None = None, /, **fields: str) -> Any:
        """Fill in the form of a page, and send it.

        :param button: what the button says that is pressed, where a page has several forms
        """
        page = self.get(path)
        forms = page.forms.values()
        form = next(form for form in forms if button is None or button in _buttons(form))
        for name, value in fields.items():
            form[name] = value
        return form.submit("btn", value=button) if button else form.submit()

    def sign_in(self, person: Person) -> Any:
        return self.fill("/account/signin", email=person.username, password=person.password or PASSWORD)


def _buttons(form: Any) -> list[str]:
    return [field.value_if_submitted() for field in form.fields.get("btn", [])]
