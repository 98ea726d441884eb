"""A forgotten password (contract 10.5, 10.6), as JSON and as pages."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data.models import Account, AccountState, EmailAddress, Link
from accountsapp.domain.mailing.links import ENDED
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.front_end import Browser, FrontEnd
from tests.support.outbox import Outbox, text_of

NEW = "a new and longer one"
Make = Callable[..., Any]


def key_to(outbox: Outbox, address: str) -> str:
    """The key in the mail to that address."""
    (line,) = [line for line in text_of(outbox.to(address)).split() if "key=" in line]
    assert line.startswith(f"{SITE_URL}/account/reset-password?key=")
    return line.partition("key=")[2]


def ask(front_end: FrontEnd, address: object) -> Any:
    return front_end.post("/account/forgot-password", email_addr=address)


def test_asking(front_end: FrontEnd, outbox: Outbox, alice: Person) -> None:
    content = front_end.get("/account/forgot-password")
    assert content.keys() == {"form", "template"}
    assert content["form"].keys() == {"csrf", "email_addr", "errors"}
    assert content["template"] == "account/password_forgot.html"
    answer = ask(front_end, " ALICE@example.com ")
    assert answer.keys() == {"flash", "form", "status", "template"}
    assert (answer["status"], answer["template"]) == ("success", "/account/password_forgot.html")
    assert isinstance(answer["flash"], str)
    assert len(key_to(outbox, "alice@example.com")) >= 22
    answer = ask(front_end, "nobody@example.com")
    assert answer["flash"] == ["We don't have this email in our records."]
    assert (answer["status"], answer["form"]["errors"]) == ("error", {})
    for malformed in ("algoom", "", "a@b@c.org", "a\n@b.org", 7, None, [], "x" * 400 + "@example.org"):
        answer = ask(front_end, malformed)
        assert answer["flash"] == "Something went wrong, please correct the errors on the form"
        assert answer["form"]["errors"] == {"email_addr": ["Invalid email address."]}, malformed
        assert answer["status"] == "error"
    assert outbox.take() == []


def test_who_is_known(
    front_end: FrontEnd, outbox: Outbox, stores: Process, alice: Person, register: Callable[..., Person]
) -> None:
    register("locked")
    register("invited", state=AccountState.PENDING)
    with stores.transaction() as store:
        lifecycle.deactivate(store, store.reader.by_username("locked").id)  # type: ignore[union-attr]
        for address, verified in (("further@example.com", True), ("unproved@example.com", False)):
            store.session.add(
                EmailAddress(account_id=alice.id, address=address, address_key=address, verified=verified)
            )
    for address in ("locked@example.com", "invited@example.com", "unproved@example.com"):
        assert ask(front_end, address)["status"] == "error", address
    assert ask(front_end, "FURTHER@example.com")["status"] == "success"
    (message,) = outbox.take()
    assert message["To"] == "alice@example.com"


def test_hide_unknown(make_app: Make, outbox: Outbox, stores: Process, alice: Person) -> None:
    front_end = FrontEnd(make_app(**{"accountsapp.hide_unknown": "true"}))
    answers = [ask(front_end, address) for address in ("alice@example.com", "nobody@example.com")]
    for answer in answers:
        answer["form"]["email_addr"] = None
    assert answers[0] == answers[1]
    assert [message["To"] for message in outbox.take()] == ["alice@example.com"]


def test_resetting(front_end: FrontEnd, wsgi: Any, outbox: Outbox, stores: Process, alice: Person) -> None:
    signed_in = FrontEnd(wsgi)
    signed_in.sign_in(alice)
    with stores.transaction() as store:
        store.session.execute(update(EmailAddress).values(verified=False))
    ask(front_end, alice.email)
    path = f"/account/reset-password?key={key_to(outbox, alice.email)}"
    content = front_end.get(path)
    assert content.keys() == {"form", "template"}
    assert content["form"].keys() == {"confirm", "csrf", "current_password", "errors", "new_password"}
    assert content["template"] == "/account/password_reset.html"
    for new, confirm, text in (
        ("short", "short", "A password needs at least 8 characters"),
        (NEW, "another", "Passwords must match"),
        ("", "", "The password cannot be empty"),
        ("alice@example.com", "alice@example.com", "A password must not be the user name or e-mail address"),
        (7, 7, "This must be a text."),
    ):
        answer = front_end.send(path, new_password=new, confirm=confirm)
        assert answer["form"]["errors"] == {"new_password": [text]}
        assert (answer["flash"], answer["status"]) == ("Please correct the errors", "error")
        assert answer["form"]["new_password"] is None
    answer = front_end.send(path, new_password=NEW, confirm=NEW)
    assert answer == {"flash": "You reset your password successfully!", "next": "/", "status": "success"}
    front_end.get("/account/alice/update", status=401)
    signed_in.get("/account/alice/update", status=401)
    front_end.get(path, status=403)
    front_end.send(path, 403, new_password=NEW, confirm=NEW)
    assert front_end.post("/account/signin", email="alice", password=PASSWORD)["status"] == "error"
    assert front_end.post("/account/signin", email="alice", password=NEW)["status"] == "success"
    with stores.transaction() as store:
        assert store.reader.by_id(alice.id).email_verified  # type: ignore[union-attr]
    (message,) = outbox.take()
    assert "password" in message["Subject"]


@pytest.mark.parametrize("by", ["expiry", "password", "address", "newer"])
def test_dead_keys(
    front_end: FrontEnd, wsgi: Any, outbox: Outbox, stores: Process, alice: Person, by: str
) -> None:
    ask(front_end, alice.email)
    path = f"/account/reset-password?key={key_to(outbox, alice.email)}"
    front_end.get(path)
    if by == "expiry":
        with stores.transaction() as store:
            store.session.execute(update(Link).values(expires=ENDED))
    elif by == "password":
        other = FrontEnd(wsgi)
        other.sign_in(alice)
        other.send(
            "/account/alice/update", btn="Password", current_password=PASSWORD, new_password=NEW, confirm=NEW
        )
    elif by == "address":
        with stores.transaction() as store:
            store.session.execute(
                update(EmailAddress).values(address="x@example.com", address_key="x@example.com")
            )
    else:
        ask(front_end, alice.email)
    outbox.take()
    front_end.get(path, status=403)
    front_end.send(path, 403, new_password=NEW, confirm=NEW)
    page = Browser(wsgi).get(path, 403)
    assert 'href="/account/forgot-password"' in page.text


def test_a_first_password(front_end: FrontEnd, outbox: Outbox, register: Callable[..., Person]) -> None:
    register("keyless", password=None)
    ask(front_end, "keyless@example.com")
    path = f"/account/reset-password?key={key_to(outbox, 'keyless@example.com')}"
    front_end.get(path)
    assert front_end.send(path, new_password=NEW, confirm=NEW)["status"] == "success"
    assert front_end.post("/account/signin", email="keyless", password=NEW)["status"] == "success"


def test_bad_keys(front_end: FrontEnd, browser: Browser) -> None:
    for query in ("", "?key=", "?key=x", "?key=%00", "?key=%F0%9F%98%80", "?key=" + "x" * 5000):
        front_end.get(f"/account/reset-password{query}", status=403)
        browser.get(f"/account/reset-password{query}", 403)
        front_end.post(f"/account/reset-password{query}", 403, new_password=NEW, confirm=NEW)
    front_end.get("/account/reset-password?key=%FF", status=400)


def test_mails_are_limited(make_app: Make, outbox: Outbox, alice: Person) -> None:
    front_end = FrontEnd(make_app(**{"accountsapp.rate_limit": "true"}))
    for _ in range(8):
        assert ask(front_end, alice.email)["status"] == "success"
    assert 1 <= len(outbox.take()) <= 5


def test_pages(browser: Browser, outbox: Outbox, alice: Person, stores: Process) -> None:
    answer = browser.fill("/account/forgot-password", email_addr="algoom")
    assert answer.status_int == 200
    assert answer.html.find(id="email_addr")["aria-invalid"] == "true"
    answer = browser.fill("/account/forgot-password", email_addr="nobody@example.org")
    assert answer.html.find(role="alert").text == "We don't have this email in our records."
    answer = browser.fill("/account/forgot-password", email_addr=alice.email)
    assert answer.html.find(role="status") is not None
    path = f"/account/reset-password?key={key_to(outbox, alice.email)}"
    page = browser.get(path)
    assert page.html.find(autocomplete="username")["value"] == "alice"
    assert page.headers["Referrer-Policy"] == "same-origin"
    answer = browser.fill(path, new_password=NEW, confirm="x")
    assert answer.html.find(id="new_password")["aria-invalid"] == "true"
    answer = browser.fill(path, new_password=NEW, confirm=NEW)
    assert (answer.status_int, answer.location) == (303, "/account/signin")
    assert answer.follow().html.find(role="status").text == "You reset your password successfully!"
    with stores.transaction() as store:
        assert store.session.get(Account, alice.id).state == AccountState.ACTIVE  # type: ignore[union-attr]
