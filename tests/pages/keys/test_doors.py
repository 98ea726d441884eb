"""Which doors make a session fresh: each at which its password is entered, and no other."""

from typing import Any

from sqlalchemy import update
from webtest import TestApp

from accountsapp.domain.accounts import super_creation
from accountsapp.domain.data.models import SignInSession
from accountsapp.domain.data.proofs import Actor
from accountsapp.process import Process
from accountsapp.testing.credentials import csrf_token
from accountsapp.testing.people import PASSWORD, Person
from tests.support.front_end import Browser

NEW_PASSWORD = "another correct horse"


def is_fresh(app: TestApp) -> bool:
    listed = app.get("/keys", status=200)
    assert listed.html.h1.text == "API keys"
    actions = {form["action"] for form in listed.html.select("main form")}
    assert ("/keys/add" in actions) is ("/keys/confirm" not in actions)
    return "/keys/add" in actions


def test_doors_of_people(wsgi: Any, stores: Process, alice: Person) -> None:
    browser = Browser(wsgi)
    browser.sign_in(alice)
    assert is_fresh(browser.app)
    with stores.transaction() as store:
        store.session.execute(update(SignInSession).values(password_entered=None))
    assert not is_fresh(browser.app)
    browser.fill("/account/alice/update", "Profile", fullname="Alice L.")
    assert not is_fresh(browser.app)
    passwords = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm": NEW_PASSWORD}
    browser.fill("/account/alice/update", "Password", **passwords)
    assert is_fresh(browser.app)
    newcomer = Browser(wsgi)
    names = {"fullname": "Carol C.", "name": "carol", "email_addr": "carol@example.com"}
    newcomer.fill("/account/register", **names, password=PASSWORD, confirm=PASSWORD)
    assert is_fresh(newcomer.app)


def test_doors_of_programs(wsgi: Any, stores: Process, alice: Person) -> None:
    app = TestApp(wsgi)
    token = app.get("/csrf/api/v1/token").json["csrfToken"]
    app.post(
        "/api/user/v1/account/login_session",
        {"email": alice.email, "password": PASSWORD},
        headers={"X-CSRFToken": token},
    )
    assert is_fresh(app)
    with stores.transaction() as store:
        store.session.execute(update(SignInSession).values(password_entered=None))
    value = app.cookies["sessionid"]
    app.post("/login_refresh", headers={"X-CSRFToken": csrf_token(stores, value)}, expect_errors=True)
    assert not is_fresh(app)


def test_super_creation_enters_no_password(app: TestApp, stores: Process, admin: Person) -> None:
    with stores.transaction() as store:
        store.actor = Actor(admin.id)
        made = super_creation.create(store, username="robot", email=None, fxa_id=None, group=None)
    app.set_cookie("sessionid", made.session)
    assert not is_fresh(app)
