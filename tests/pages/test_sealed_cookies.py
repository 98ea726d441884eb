"""What one page leaves to the next: cookies that nobody else reads, makes or puts in place of others."""

from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import time_machine
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.pages.flash import COOKIE
from accountsapp.testing.people import PASSWORD, Person

HTML = {"Accept": "text/html"}


def signed_in(app: TestApp) -> Any:
    form = app.get("/account/signin", headers=HTML).form
    form["email"], form["password"] = "alice", PASSWORD
    return form.submit(status=303)


def set_by(answer: Any, name: str) -> Any:
    for header in answer.headers.getall("Set-Cookie"):
        cookie = SimpleCookie(header)
        if name in cookie:
            return cookie[name]
    return None


def test_over_https_no_other_host_can_set_them(make_app: Callable[..., Any], alice: Person) -> None:
    wsgi = make_app(**{"accountsapp.site_url": "https://accounts.example.org"})
    app = TestApp(wsgi, extra_environ={"wsgi.url_scheme": "https", "HTTP_HOST": "accounts.example.org"})
    left = set_by(signed_in(app), "__Host-flash")
    attributes = (
        left["path"],
        left["domain"],
        bool(left["secure"]),
        bool(left["httponly"]),
        left["samesite"],
    )
    assert attributes == ("/", "", True, True, "Lax")
    shown = app.get("/", headers={**HTML, "Cookie": f"__Host-flash={left.value}"})
    assert "Welcome back" in shown.html.find(role="status").text
    taken = set_by(shown, "__Host-flash")
    assert (taken.value, taken["max-age"], bool(taken["secure"])) == ("", "0", True)
    foreign = app.get("/", headers={**HTML, "Cookie": f"flash={left.value}"})
    assert foreign.html.find(role="status") is None


def test_none_takes_the_place_of_another(app: TestApp, alice: Person) -> None:
    left = set_by(signed_in(app), "flash").value
    settings = "/account/alice/update"
    for cookies in (
        f"kept_form={left}",
        f"flash={left[:-4]}AAAA",
        "flash=x; kept_form=y",
        "flash=" + "x" * 5000,
    ):
        session = f"; sessionid={app.cookies['sessionid']}"
        shown = app.get(settings, headers={**HTML, "Cookie": cookies + session}, status=200)
        assert shown.html.h1.text == "Settings"
        assert shown.html.find(role="status") is None


def test_one_that_a_browser_kept_too_long_is_worth_nothing(app: TestApp, alice: Person) -> None:
    cookie = {**HTML, "Cookie": f"flash={set_by(signed_in(app), 'flash').value}"}
    with time_machine.travel(now() + timedelta(seconds=COOKIE.seconds - 10)):
        assert app.get("/", headers=cookie).html.find(role="status") is not None
    with time_machine.travel(now() + timedelta(seconds=COOKIE.seconds + 10)):
        assert app.get("/", headers=cookie).html.find(role="status") is None
