"""``/sessions``: where one is signed in, and the end of one session or of all others."""

from typing import Any

from webtest import TestApp

from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import own_sessions, sessions
from accountsapp.domain.data.models import AuditEvent
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, hold
from accountsapp.testing.people import Person


def lives(stores: Process, holder: Holder) -> bool:
    with stores.transaction() as store:
        return sessions.find(store.connection, holder.cookie) is not None


def cookie(holder: Holder) -> dict[str, str]:
    return {"Cookie": f"sessionid={holder.cookie}"}


def ids(stores: Process, holder: Holder) -> list[int]:
    with stores.transaction() as store:
        return [row.id for row in own_sessions.listing(store.connection, holder.person.id, holder.cookie)]


def test_list_and_end(app: TestApp, stores: Process, alice: Person, bob: Person) -> None:
    first, second, third = (hold(stores, alice) for _ in range(3))
    theirs = hold(stores, bob)
    listed = app.get("/sessions", headers=cookie(first))
    items = listed.html.select(".items > li")
    assert len(items) == 3
    assert "this browser" in items[0].text
    assert all("127.0.0.1" in item.text for item in items)
    assert first.cookie not in listed.text

    def end(what: Any) -> None:
        fields = {"csrf_token": first.csrf_token, "session": str(what)}
        app.post("/sessions", fields, headers=cookie(first), status=303)

    for nothing in ("", "x", "-1", "0", "٣", "9" * 18, "9" * 40, ids(stores, theirs)[0]):
        end(nothing)
    assert [lives(stores, holder) for holder in (first, second, third, theirs)] == [True] * 4
    newest_other = ids(stores, first)[1]
    end(newest_other)
    assert [lives(stores, holder) for holder in (first, second, third)] == [True, True, False]
    end("others")
    assert [lives(stores, holder) for holder in (first, second, theirs)] == [True, False, True]
    assert 'value="others"' not in app.get("/sessions", headers=cookie(first)).text
    fields = {"csrf_token": first.csrf_token, "session": "this"}
    gone = app.post("/sessions", fields, headers=cookie(first), status=303)
    assert "sessionid=;" in "".join(gone.headers.getall("Set-Cookie"))
    assert not lives(stores, first)
    assert app.get("/sessions", headers=cookie(first)).html.h1.text == "Sign in"
    with stores.transaction() as store:
        events = [row.event for row in store.session.query(AuditEvent)]
    assert events.count(Event.SIGNED_OUT) == 3


def test_s44_a_session_is_new_with_each_sign_in(app: TestApp, alice: Person) -> None:
    """The visitor's cookie opens nothing afterwards, the flags are those of the product."""
    form = app.get("/sessions").form
    before = app.cookies["sessionid"]
    form["username"], form["password"] = "alice", alice.password
    answer = form.submit(status=303)
    assert app.cookies["sessionid"] != before
    (session,) = (cookie for cookie in answer.headers.getall("Set-Cookie") if cookie.startswith("sessionid="))
    flags = {flag.strip() for flag in session.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
    assert not any(flag.startswith("Domain") for flag in flags)
    assert "Secure" not in flags
    app.reset()
    assert app.get("/sessions", headers={"Cookie": f"sessionid={before}"}).html.h1.text == "Sign in"


def test_the_menu_knows_who_is_signed_in(app: TestApp, stores: Process, alice: Person) -> None:
    holder = hold(stores, alice)
    for path in ("/", "/sessions", "/applications", "/recovery/alice/reset/none", "/confirm/email/none"):
        stranger = app.get(path, expect_errors=True)
        assert "Sign in" in [link.text for link in stranger.html.select("header nav a")]
        known = app.get(path, headers=cookie(holder), expect_errors=True)
        menu = [link["href"] for link in known.html.select("nav a")]
        assert {"/sessions", "/applications"} <= set(menu) or "/account/alice/update" in menu
        assert "Sign in" not in known.html.select_one("header").text


def test_names_are_text(app: TestApp, stores: Process, register: Any) -> None:
    script = "<script>alert(1)<!--"
    holder = hold(stores, register(script.replace("/", ""), "x@example.com"))
    for path in ("/", "/sessions", "/applications"):
        shown = app.get(path, headers=cookie(holder))
        assert "<script>alert" not in shown.text
        assert "&lt;script&gt;" in shown.text
