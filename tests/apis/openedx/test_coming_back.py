"""To a front end and back: where the pages lead, and which cookies go with a session."""

from collections.abc import Callable

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import registration
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.openedx import FRONT, PAYLOAD, SIGNATURE, log_in, set_cookies
from tests.support.outbox import Outbox, text_of

NEW_PASSWORD = "another good one"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/applications", "/applications"),
        (f"{FRONT}/a?b=c#d", f"{FRONT}/a?b=c#d"),
        (FRONT, FRONT),
        ("https://evil.example/", None),
        (f"{FRONT}.evil.example/", None),
        (f"{FRONT}@evil.example/", None),
        (f"{FRONT}:444/", None),
        ("//front.example.org/", None),
        ("https:/\\front.example.org", None),
        (f"{FRONT}\\@evil.example", None),
        ("javascript:alert(1)", None),
        (f"{FRONT}/\n", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_coming_back(asked: str, given: str | None, front: TestApp, adult: Person) -> None:
    answer = log_in(front, email=adult.email, password=PASSWORD, next=asked)
    assert answer.json["redirect_url"] == given


@pytest.mark.parametrize("parameter", ["next", "redirect_url"])
def test_pages_lead_back_to_the_front_end(parameter: str, front: TestApp, adult: Person) -> None:
    sign_in, sign_out = f"/account/signin?{parameter}={FRONT}/a", f"/account/signout?{parameter}={FRONT}/b"
    page = front.get(sign_in)
    for password, location in (("wrong", None), (PASSWORD, f"{FRONT}/a")):
        page.form["email"], page.form["password"] = adult.email, password
        page = page.form.submit()
        assert page.headers.get("Location") == location
    assert front.get(sign_in).location == f"{FRONT}/a"  # signed in already, such as in another window
    for elsewhere in ("/applications", "https://evil.example/"):
        assert front.get(f"/account/signin?{parameter}={elsewhere}").location == "/"
    for _ in range(2):  # the second time nobody is signed in any more
        assert front.get(sign_out).location == f"{FRONT}/b"
    assert front.get(f"/account/signout?{parameter}=https://evil.example/").location == "/"


def ask_at_openedx(app: TestApp, email: str) -> None:
    app.post("/password_reset/", {"email": email})


def ask_at_pybossa(app: TestApp, email: str) -> None:
    form = app.get("/account/forgot-password").form
    form["email_addr"] = email
    form.submit()


@pytest.mark.parametrize("ask", [ask_at_openedx, ask_at_pybossa])
def test_cookies_go_with_the_session_that_a_new_password_ends(
    ask: Callable[[TestApp, str], None], front: TestApp
) -> None:
    """On the pages that mailed links lead to; another one's session stays, and so does a visitor's cookie."""
    process = front.app.registry.process
    outbox = Outbox(process)
    with process.transaction() as store:
        for name in ("alice", "bob", "carol", "dave"):
            registration.register(store, name, f"{name}@example.com", password=PASSWORD, verified=True)
    for forgetful, signed_in in (("alice", "alice"), ("bob", "dave"), ("carol", None)):
        front.reset()
        if signed_in is None:
            front.get("/csrf/api/v1/token")
        else:
            assert log_in(front, email=f"{signed_in}@example.com", password=PASSWORD).json["success"]
        ask(front, f"{forgetful}@example.com")
        words = text_of(outbox.to(f"{forgetful}@example.com")).split()
        (link,) = [word for word in words if "/reset" in word]
        form = front.get(link.removeprefix(SITE_URL)).form
        for field in {"new_password", "confirm"} & form.fields.keys():
            form[field] = NEW_PASSWORD
        removed = {name for name, line in set_cookies(form.submit()).items() if "Max-Age=0" in line}
        assert removed == ({"sessionid", PAYLOAD, SIGNATURE} if signed_in == forgetful else set())
