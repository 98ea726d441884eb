"""``/keys``: what is looked at before what; nothing is done before all has passed."""

from datetime import timedelta
from typing import Any

import time_machine
from sqlalchemy import update
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.credentials import named_keys, sessions
from accountsapp.domain.data.models import SignInSession
from accountsapp.process import Process
from accountsapp.testing.credentials import csrf_token, hold
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.keys_page import KeysPage

CHANGES = ("add", "default/show", "default/reset", "{id}/revoke", "{id}/rotate")
ODD_IDS = ("nobody", "add", "confirm", "default", "0", "1", "-1", "%C3%A9", "%00", "x" * 3000, "'--")


def stale(stores: Process) -> None:
    """Make every session one in which the password was not entered."""
    with stores.transaction() as store:
        store.session.execute(update(SignInSession).values(password_entered=None))


def state(stores: Process, person: Person) -> Any:
    with stores.transaction() as store:
        return named_keys.listing(store.connection, person.id)


def test_paths_and_methods(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop").id
    anybody = TestApp(wsgi)
    paths = ("/keys/default", "/keys/nothing", "/keys/add/x", "/keys/x/y", "/keys/default/revoke")
    for path in (*paths, "/keys//add", f"/keys/{made}", f"/keys/{made}/show", f"/keys/{made}/revoke/x"):
        for app in (page.app, anybody):
            assert app.get(path, expect_errors=True).status_int == 404, path
            assert app.post(path, expect_errors=True).status_int == 404, path
    for change in (*CHANGES, "confirm"):
        for app in (page.app, anybody):
            answer = app.get(f"/keys/{change.format(id=made)}", expect_errors=True)
            assert (answer.status_int, answer.headers["Allow"]) == (405, "OPTIONS, POST")
    assert anybody.delete("/keys", expect_errors=True).status_int == 405
    for path in ("/keys", "/keys/"):
        assert page.app.get(path).html.h1.text == "API keys"
    assert page.app.head("/keys").status_int == 200


def test_csrf_comes_before_everything(wsgi: Any, stores: Process, alice: Person, bob: Person) -> None:
    page = KeysPage(wsgi, alice)
    made, other = page.add("Laptop").id, hold(stores, bob)
    before, token = state(stores, alice), page.token
    forgeries: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"csrf_token": "x"}, {}),
        ({"csrf_token": other.csrf_token}, {}),
        ({"csrf_token": token}, {"Origin": "https://evil.example"}),
        ({"csrf_token": token}, {"Origin": "null"}),
    ]
    for is_stale in (False, True):
        if is_stale:
            stale(stores)
        for change in (*CHANGES, "confirm", "nobody/revoke"):
            for fields, headers in forgeries:
                sent = {"name": "New", "preset": "full", "password": PASSWORD, **fields}
                path = f"/keys/{change.format(id=made)}"
                answer = page.app.post(path, sent, headers=headers, expect_errors=True)
                assert answer.status_int == 400, path
                assert answer.html.h1.text == "Please send that again"
                again = answer.html.select_one("main a.button")["href"]
                assert again in ("/keys", f"{SITE_URL}/keys")
            TestApp(wsgi).post(path, sent, headers={"Origin": SITE_URL}, status=400)
    assert state(stores, alice) == before
    own = {"csrf_token": token, "password": PASSWORD}
    page.app.post("/keys/confirm", own, headers={"Origin": SITE_URL}, status=303)


def test_who_is_not_signed_in_is_asked_to(wsgi: Any, stores: Process, alice: Person) -> None:
    """With the token of his own browser; the form that comes back leads to the page."""
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop").id
    for change in (*CHANGES, "confirm", "nobody/revoke"):
        app = TestApp(wsgi)
        token = app.get("/keys").form["csrf_token"].value
        fields = {"csrf_token": token, "name": "New", "preset": "full", "password": PASSWORD}
        answer = app.post(f"/keys/{change.format(id=made)}", fields, status=200)
        assert answer.html.h1.text == "Sign in"
        assert answer.form.action == "/keys"
        answer.form["username"], answer.form["password"] = "alice", PASSWORD
        assert answer.form.submit(status=303).location == "/keys"
    with stores.transaction() as store:
        assert [key.id for key in named_keys.listing(store.connection, alice.id)] == [made]


def test_a_key_that_was_described_is_described_once(
    wsgi: Any, stores: Process, alice: Person, bob: Person
) -> None:
    """Whatever keeps it from being made: no cookie, a session that has ended, a password that is too old."""
    fields = [("name", "L <1>"), ("preset", "custom"), ("scope", "key:read"), ("expires_in", "90")]
    own = {"Origin": SITE_URL}

    def send(page: KeysPage, how: str, status: int) -> Any:
        form = page.get().html.select_one("form[action='/keys/add']")
        hidden = [(each["name"], each["value"]) for each in form.select("input[type=hidden]")]
        if how == "no cookie":
            page.app.reset()
        elif how == "ended":
            with stores.transaction() as store:
                sessions.end_all(store.session, page.person.id)
        else:
            stale(stores)
        answer = page.app.post("/keys/add", [*hidden, *fields], headers=own, status=status)
        assert "is kept" in answer.html.find(class_="message").text
        assert "L &lt;1&gt;" not in answer.text
        return answer.form

    for how, status in (("no cookie", 400), ("ended", 200), ("stale", 403)):
        page = KeysPage(wsgi, alice)
        form = send(page, how, status)
        if how != "stale":
            form["username"] = "alice"
        form["password"] = PASSWORD
        form.submit(status=303)
        listed = page.get()
        made = listed.html.select_one("form[action='/keys/add']")
        assert made.select_one("#name")["value"] == "L <1>"
        assert [box["value"] for box in made.select("input[checked]")] == ["custom", "key:read"]
        assert made.select_one("option[selected]")["value"] == "90"
        assert "not made yet" in made.parent.find(role="status").text
        assert not page.get().html.select_one("#name")["value"]
    assert state(stores, alice) == []
    page = KeysPage(wsgi, alice)
    form = send(page, "ended", 200)
    form["username"], form["password"] = "bob", PASSWORD
    form.submit(status=303)
    assert "L &lt;1&gt;" not in page.get().text
    page = KeysPage(wsgi, alice)
    secret = [*fields, ("csrf_token", page.token), ("password", PASSWORD)]
    stale(stores)
    page.app.post("/keys/add", secret, headers=own, status=403)
    assert "kept_form" not in page.app.cookies


def test_a_stale_session_changes_nothing(wsgi: Any, stores: Process, alice: Person, bob: Person) -> None:
    page = KeysPage(wsgi, alice)
    made, theirs = page.add("Laptop").id, KeysPage(wsgi, bob).add("Phone").id
    before = state(stores, alice)
    stale(stores)
    listed = page.get()
    assert [form["action"] for form in listed.html.select("main form")] == ["/keys/confirm"]
    assert "Laptop" in listed.text
    changes = [change.format(id=key) for change in CHANGES for key in (made, theirs, "nobody")]
    for change in dict.fromkeys(changes):
        for fields in ({"name": "New", "preset": "full"}, {"name": "", "overlap": "x"}):
            answer = page.post(change, fields)
            assert answer.status_int == 403, change
            assert [form["action"] for form in answer.html.select("main form")] == ["/keys/confirm"]
            assert alice.api_key not in answer.text
    assert state(stores, alice) == before


def test_the_password_makes_it_fresh_for_a_while(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    other = KeysPage(wsgi, alice)
    stale(stores)
    for wrong in ("wrong", "", PASSWORD + " ", "x" * 5000):
        answer = page.post("confirm", {"password": wrong})
        assert answer.status_int == 400
        assert answer.html.select_one("form[action='/keys/confirm'] .error") is not None
    assert page.post("confirm").status_int == 400
    assert page.post("add", {"name": "A", "preset": "full"}).status_int == 403
    assert page.post("confirm", {"password": PASSWORD}, status=303).location == "/keys"
    assert other.post("default/show").status_int == 403  # another session stays as it was
    begun = now()
    for seconds, status in ((0, 200), (300, 200), (590, 200), (601, 403), (7200, 403)):
        with time_machine.travel(begun + timedelta(seconds=seconds)):
            assert page.post("default/show").status_int == status, seconds
    with time_machine.travel(begun + timedelta(hours=2)):
        wrong_beside_fresh = page.post("confirm", {"password": "wrong"}, status=400)
        assert wrong_beside_fresh.html.select_one("form[action='/keys/confirm']") is not None
        page.post("confirm", {"password": PASSWORD}, status=303)
        assert page.post("default/show").status_int == 200


def test_how_long_is_a_setting(make_app: Any, alice: Person) -> None:
    page = KeysPage(make_app(**{"accountsapp.keys.fresh": "5"}), alice)
    begun = now()
    for seconds, status in ((0, 200), (7, 403)):
        with time_machine.travel(begun + timedelta(seconds=seconds)):
            assert page.post("default/show").status_int == status


def test_wrong_passwords_are_failed_sign_ins(throttled: TestApp, alice: Person) -> None:
    """They fill the count of the account and the address that every door has."""
    page = KeysPage(throttled.app, alice)
    statuses = [page.post("confirm", {"password": "wrong"}).status_int for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    refused = page.post("confirm", {"password": PASSWORD})
    assert refused.status_int == 429
    assert int(refused.headers["Retry-After"]) > 0
    form = TestApp(throttled.app, extra_environ={"REMOTE_ADDR": "127.0.0.1"}).get("/keys").form
    form["username"], form["password"] = "alice", PASSWORD
    assert form.submit(expect_errors=True).status_int == 429


def test_keys_of_others_are_not_there(wsgi: Any, stores: Process, alice: Person, bob: Person) -> None:
    page = KeysPage(wsgi, alice)
    theirs = KeysPage(wsgi, bob).add("Phone").id
    page.add("Laptop")
    before = state(stores, alice), state(stores, bob)
    for change in ("revoke", "rotate"):
        answers = {
            page.post(f"{key}/{change}", {"overlap": overlap}).body
            for key in (theirs, *ODD_IDS)
            for overlap in ("1", "x")
            if (key, change) != ("default", change) and key not in ("add", "confirm")
        }
        assert len(answers) == 1
        for key in (theirs, *ODD_IDS):
            assert page.post(f"{key}/{change}", {"overlap": "x"}).status_int == 404, key
    assert (state(stores, alice), state(stores, bob)) == before


def test_a_value_is_looked_at_before_a_conflict(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop").id
    page.post(f"{made}/rotate", {"overlap": "24"}, status=200)
    assert page.post(f"{made}/rotate", {"overlap": "x"}).status_int == 400
    assert page.post(f"{made}/rotate", {"overlap": "1"}).status_int == 409
    assert page.post("add", {"name": "Laptop", "preset": "full", "expires_in": "x"}).status_int == 400


def test_a_session_that_ends_while_the_password_is_entered(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    value = page.app.cookies["sessionid"]
    token = csrf_token(stores, value)
    page.app.post("/sessions", {"csrf_token": token, "session": "this"}, status=303)
    page.app.set_cookie("sessionid", value)
    answer = page.app.post("/keys/confirm", {"csrf_token": token, "password": PASSWORD}, expect_errors=True)
    assert (answer.status_int, answer.html.h1.text) == (200, "Sign in")
