"""The settings (contract 10.10, 10.11), as JSON and as pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from webtest import Upload

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import EmailAddress
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.front_end import Browser, FrontEnd
from tests.support.outbox import Outbox, text_of
from tests.support.pictures import encoded, quarters

NEW = "a new and longer one"
PICTURE = encoded(quarters(40, 30))
UPDATE = "/account/alice/update"
FORM_KEYS = {
    *("ckan_api", "csrf", "email_addr", "errors", "fullname", "id", "locale", "name"),
    *("privacy_mode", "subscribed"),
}
PASSWORD_KEYS = {"confirm", "csrf", "current_password", "errors", "new_password"}
UPLOAD_KEYS = {"avatar", "csrf", "errors", "id", "x1", "x2", "y1", "y2"}
KEYS = {
    *("flash", "form", "password_form", "show_passwd_form", "template", "title", "upload_form"),
}
Register = Callable[..., Person]


@pytest.fixture
def alices(front_end: FrontEnd, alice: Person) -> FrontEnd:
    """Where Alice is signed in, her settings loaded."""
    front_end.sign_in(alice)
    return front_end


def values(front_end: FrontEnd, path: str = UPDATE) -> dict[str, Any]:
    form = front_end.get(path)["form"]
    return {name: form[name] for name in form if name not in ("csrf", "errors", "id")}


def test_the_forms(alices: FrontEnd, alice: Person) -> None:
    content = alices.get(UPDATE + "/")
    assert content.keys() == KEYS
    assert content["form"].keys() == FORM_KEYS
    assert content["password_form"].keys() == PASSWORD_KEYS
    assert content["upload_form"].keys() == UPLOAD_KEYS
    assert (content["flash"], content["show_passwd_form"]) == (None, True)
    assert (content["template"], content["title"]) == (
        "/account/update.html",
        "Update your profile: Alice Liddell",
    )
    assert content["form"]["id"] == alice.id
    assert {content["upload_form"][name] for name in ("x1", "x2", "y1", "y2")} == {0}
    assert values(alices) == {
        "ckan_api": None,
        "email_addr": "alice@example.com",
        "fullname": "Alice Liddell",
        "locale": None,
        "name": "alice",
        "privacy_mode": True,
        "subscribed": False,
    }


def test_profile(alices: FrontEnd, stores: Process) -> None:
    sent = {
        "fullname": "  Alice L.  ",
        "locale": "es",
        "privacy_mode": "OFF",
        "subscribed": "yes",
        "ckan_api": "not here",
        "id": 99,
        "admin": True,
        "api_key": "x",
        "valid_email": False,
        "info": {"a": 1},
        "created": "2001-01-01",
    }
    with stores.transaction() as store:
        before = store.connection.exec_driver_sql("SELECT id, is_admin, info, created FROM account").one()
    answer = alices.send(UPDATE, btn="Profile", **sent)
    assert answer == {"flash": "Your profile has been updated!", "next": UPDATE, "status": "success"}
    with stores.transaction() as store:
        after = store.connection.exec_driver_sql("SELECT id, is_admin, info, created FROM account").one()
    assert after == before
    expected = {
        "ckan_api": None,
        "email_addr": "alice@example.com",
        "fullname": "Alice L.",
        "locale": "es",
        "name": "alice",
        "privacy_mode": False,
        "subscribed": True,
    }
    assert values(alices) == expected
    alices.send(UPDATE, btn="Profile", fullname="Alice M.")
    assert values(alices) == {**expected, "fullname": "Alice M."}
    whole = alices.get(UPDATE)["form"]
    assert alices.send(UPDATE, btn="Profile", **{**whole, "locale": ""})["status"] == "success"
    assert values(alices)["locale"] is None


def test_wrong_fields_are_told_together_and_nothing_is_changed(alices: FrontEnd, bob: Person) -> None:
    before = values(alices)
    answer = alices.send(
        UPDATE,
        btn="Profile",
        fullname="x",
        name="BOB",
        email_addr="bob@example.com",
        locale="xx",
        privacy_mode="perhaps",
        subscribed=None,
    )
    assert answer.keys() == KEYS | {"status"}
    assert (answer["flash"], answer["status"]) == ("Please correct the errors", "error")
    assert answer["form"]["errors"] == {
        "fullname": ["Full name must be between 3 and 35 characters long"],
        "name": ["The user name is already taken"],
        "email_addr": ["That e-mail address is already taken."],
        "locale": ["This is not a choice"],
        "privacy_mode": ["This must be true or false."],
        "subscribed": ["This must be true or false."],
    }
    assert (answer["form"]["fullname"], answer["form"]["name"]) == ("x", "BOB")
    assert answer["title"] == "Update your profile: Alice Liddell"
    assert (answer["password_form"]["errors"], answer["upload_form"]["errors"]) == ({}, {})
    for sent in ({"fullname": 7}, {"name": ["a"]}, {"email_addr": {}}, {"locale": 7}, {"subscribed": []}):
        answer = alices.send(UPDATE, btn="Profile", **sent)
        assert answer["form"]["errors"].keys() == sent.keys()
    assert values(alices) == before


def test_what_is_stored_may_be_sent_back(front_end: FrontEnd, register: Register) -> None:
    long_name = "A name that is much longer than what may be chosen here"
    person = register("ab", name=long_name, locale="de")
    front_end.sign_in(person)
    path = "/account/ab/update"
    form = front_end.get(path)["form"]
    assert front_end.send(path, btn="Profile", **{**form, "subscribed": True})["status"] == "success"
    assert values(front_end, path)["fullname"] == long_name
    assert front_end.send(path, btn="Profile", name="AB")["status"] == "error"


def test_the_button(alices: FrontEnd) -> None:
    for button in (None, "", "profile", "PROFILE", "Other", 7, ["Profile"]):
        alices.send(UPDATE, 415, btn=button, fullname="Alice X.")
    alices.send(UPDATE, 415, fullname="Alice X.")
    alices.send(f"{UPDATE}?btn=Profile", 415, fullname="Alice X.")
    assert values(alices)["fullname"] == "Alice Liddell"


def test_renaming(alices: FrontEnd, register: Register) -> None:
    answer = alices.send(UPDATE, btn="Profile", name="Alicia")
    assert answer["next"] == "/account/Alicia/update"
    alices.get(UPDATE, status=404)
    assert values(alices, "/account/alicia/update")["name"] == "Alicia"
    register("alice", email="other@example.com")
    answer = alices.send("/account/alicia/update", btn="Profile", name="ALICIA")
    assert answer["next"] == "/account/ALICIA/update"
    for reserved in ("profile", "Register", "~x", "uploads"):
        assert alices.send("/account/alicia/update", btn="Profile", name=reserved)["status"] == "error"


def test_a_new_address_waits_for_its_confirmation(
    alices: FrontEnd, wsgi: Any, outbox: Outbox, alice: Person, stores: Process
) -> None:
    answer = alices.send(UPDATE, btn="Profile", email_addr="ALICE@Example.com", fullname="Alice L.")
    assert answer["flash"] == "Your profile has been updated!"
    assert outbox.take() == []
    answer = alices.send(UPDATE, btn="Profile", email_addr="New@example.org", fullname="Alice M.")
    assert answer["status"] == "success"
    assert "link" in answer["flash"]
    assert (values(alices)["email_addr"], values(alices)["fullname"]) == ("alice@example.com", "Alice M.")
    alices.send(UPDATE, btn="Profile", **alices.get(UPDATE)["form"])
    old, new = sorted(outbox.take(), key=lambda message: str(message["To"]))
    assert (old["To"], new["To"]) == ("alice@example.com", "new@example.org")
    assert "key=" not in text_of(old)
    (link,) = [word for word in text_of(new).split() if "key=" in word]
    path = link.removeprefix(SITE_URL)
    assert path.startswith("/account/register/confirmation?key=")
    assert "new@example.org" in Browser(wsgi).get(path).text
    assert FrontEnd(wsgi).get(path)["next"] == "/account/signin"
    assert values(alices)["email_addr"] == "new@example.org"
    with stores.transaction() as store:
        row = store.reader.by_id(alice.id)
        assert row is not None
        assert row.email_verified
        assert store.session.query(EmailAddress).count() == 1
    FrontEnd(wsgi).get(path, status=403)


def test_a_new_address_is_shown_while_it_waits(browser: Browser, alice: Person, outbox: Outbox) -> None:
    """What is said of it is not in what the API's clients are told, which has its form."""
    browser.sign_in(alice)

    def waiting() -> Any:
        profile, settings = browser.get("/account/alice/"), browser.get(UPDATE)
        section = settings.html.find("section", attrs={"aria-labelledby": "awaited-heading"})
        assert ("is not confirmed yet" in profile.text) == (section is not None)
        return section

    assert waiting() is None
    browser.fill(UPDATE, "Profile", email_addr="new@example.org", subscribed="true", privacy_mode=None)
    section = waiting()
    assert {"new@example.org", "alice@example.com"} <= {name.text for name in section.find_all("bdi")}
    assert browser.get(UPDATE).html.find(id="email_addr")["value"] == "alice@example.com"
    links = []
    for minutes in (1, 2):
        links += [link for link in map(link_in, outbox.take()) if link]
        form = next(form for form in browser.get(UPDATE).forms.values() if "fullname" not in form.fields)
        with time_machine.travel(now() + timedelta(minutes=minutes, seconds=minutes)):
            for _ in range(2):  # as by a second press of the button
                answer = form.submit("btn")
                assert (answer.status_int, answer.location) == (303, UPDATE)
    links += [link for link in map(link_in, outbox.take()) if link]
    assert len({*links}) == 3
    page = browser.get(UPDATE)
    assert page.html.find(id="subscribed").has_attr("checked")
    assert not page.html.find(id="privacy_mode").has_attr("checked")
    for link in links[:-1]:
        browser.get(link, 403)
    browser.get(links[-1]).form.submit()
    assert waiting() is None
    assert browser.get(UPDATE).html.find(id="email_addr")["value"] == "new@example.org"


def link_in(message: Any) -> str | None:
    """The path of the link in a mail, if it has one."""
    links = [word for word in text_of(message).split() if "key=" in word]
    return links[0].removeprefix(SITE_URL) if links else None


@pytest.mark.parametrize("by", ["a newer one", "the password"])
def test_links_to_a_new_address_die(alices: FrontEnd, outbox: Outbox, by: str) -> None:
    alices.send(UPDATE, btn="Profile", email_addr="new@example.org")
    (message,) = [message for message in outbox.take() if message["To"] == "new@example.org"]
    (link,) = [word for word in text_of(message).split() if "key=" in word]
    if by == "a newer one":
        alices.send(UPDATE, btn="Profile", email_addr="newer@example.org")
    else:
        sent = {"current_password": PASSWORD, "new_password": NEW, "confirm": NEW}
        assert alices.send(UPDATE, btn="Password", **sent)["status"] == "success"
    outbox.take()
    alices.get(link.removeprefix(SITE_URL), status=403)


def test_password(alices: FrontEnd, outbox: Outbox) -> None:
    for current, new, confirm, errors in (
        ("wrong one", NEW, NEW, {"current_password": ["Your current password does not match"]}),
        (PASSWORD, "short", "short", {"new_password": ["A password needs at least 8 characters"]}),
        (PASSWORD, NEW, "another", {"new_password": ["Passwords must match"]}),
        ("", "", "", {"current_password", "new_password"}),
        (7, NEW, NEW, {"current_password"}),
        (
            "wrong one",
            NEW,
            "another",
            {
                "current_password": ["Your current password does not match"],
                "new_password": ["Passwords must match"],
            },
        ),
        ("wrong one", "short", "short", {"current_password", "new_password"}),
        ("wrong one", "alice@example.com", "alice@example.com", {"current_password", "new_password"}),
        ("", NEW, "another", {"current_password", "new_password"}),
        (PASSWORD, "alice@example.com", "alice@example.com", {"new_password"}),
    ):
        sent = {"current_password": current, "new_password": new, "confirm": confirm}
        answer = alices.send(UPDATE, btn="Password", **sent)
        told = answer["password_form"]["errors"]
        assert (told if isinstance(errors, dict) else told.keys()) == errors
        assert answer["status"] == "error"
        assert not {PASSWORD, new} & set(map(str, answer["password_form"].values())) - {""}
        assert answer["form"]["errors"] == {}
    sent = {"current_password": PASSWORD, "new_password": NEW, "confirm": NEW}
    answer = alices.send(UPDATE, btn="Password", **sent)
    assert (answer["status"], answer["next"]) == ("success", UPDATE)
    (message,) = outbox.take()
    assert message["To"] == "alice@example.com"
    again = alices.send(UPDATE, btn="Password", **sent)
    assert again["password_form"]["errors"].keys() == {"current_password"}


def test_an_account_without_a_password(front_end: FrontEnd, register: Register, stores: Process) -> None:
    person = register("keyless")
    front_end.sign_in(person)
    with stores.transaction() as store:
        store.session.connection().exec_driver_sql("UPDATE account SET password_hash = NULL")
    content = front_end.get("/account/keyless/update")
    assert content["show_passwd_form"] is False
    sent = {"current_password": "anything", "new_password": NEW, "confirm": NEW}
    answer = front_end.send("/account/keyless/update", btn="Password", **sent)
    assert answer["password_form"]["errors"].keys() == {"current_password"}


def test_external(alices: FrontEnd) -> None:
    sent = {"ckan_api": "a key", "fullname": "Somebody Else", "subscribed": True}
    answer = alices.send(UPDATE, btn="External", **sent)
    assert answer == {"flash": "Your profile has been updated!", "next": UPDATE, "status": "success"}
    assert values(alices)["ckan_api"] == "a key"
    assert (values(alices)["fullname"], values(alices)["subscribed"]) == ("Alice Liddell", False)
    for wrong in ("x" * 255, "a\nb", 7, [], True):
        answer = alices.send(UPDATE, btn="External", ckan_api=wrong)
        assert answer["form"]["errors"].keys() == {"ckan_api"}
        assert answer["form"]["fullname"] == "Alice Liddell"
    alices.send(UPDATE, btn="External")
    assert values(alices)["ckan_api"] == "a key"
    for empty in ("", None):
        alices.send(UPDATE, btn="External", ckan_api="a key")
        alices.send(UPDATE, btn="External", ckan_api=empty)
        assert values(alices)["ckan_api"] is None


def upload(front_end: FrontEnd, data: bytes, **fields: str) -> Any:
    return front_end.app.post(
        f"{UPDATE}?response_format=json",
        {"btn": "Upload", "avatar": Upload("a.png", data, "image/png"), **fields},
        headers={"X-CSRFToken": front_end.token},
    ).json


def test_upload(alices: FrontEnd) -> None:
    answer = upload(alices, PICTURE, x1="5", y1="5.9", x2="10", y2="20")
    assert answer == {"flash": "Your avatar has been updated", "next": UPDATE, "status": "success"}
    picture_before = alices.app.app.registry.process.settings.files
    assert len(list(picture_before.rglob("*_avatar.png"))) == 1
    for data, fields, wrong in (
        (b"", {}, {"avatar"}),
        (b"GIF89a", {}, {"avatar"}),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, {"avatar"}),
        (PICTURE[:60], {}, {"avatar"}),
        (PICTURE, {"x1": "-1", "y1": "0", "x2": "5", "y2": "5"}, {"x1"}),
        (PICTURE, {"x1": "1", "y1": "0", "x2": "0", "y2": "-5"}, {"x2", "y2"}),
        (PICTURE, {"x1": "a", "y1": "0", "x2": "5", "y2": "5"}, {"x1"}),
        (PICTURE, {"x1": "40", "y1": "0", "x2": "5", "y2": "5"}, {"x1"}),
        (b"GIF89a", {"x1": "a", "y1": "0", "x2": "5", "y2": "-5"}, {"avatar", "x1", "y2"}),
        (b"", {"x1": "0", "y1": "-1", "x2": "-5", "y2": "5"}, {"avatar", "y1", "x2"}),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 5_000_000, {}, {"avatar"}),
    ):
        answer = upload(alices, data, **fields)
        assert answer["upload_form"]["errors"].keys() == wrong
        assert (answer["status"], answer["form"]["errors"]) == ("error", {})
        assert answer["upload_form"]["x1"] == fields.get("x1", 0)
    assert "4 MiB" in answer["flash"]
    for no_file in ({}, {"avatar": "text"}, {"avatar": None}, {"avatar": 7}):
        answer = alices.send(UPDATE, btn="Upload", **no_file)
        assert answer["upload_form"]["errors"].keys() == {"avatar"}
        assert answer["flash"].startswith("An image file is needed")


def test_administrators(
    front_end: FrontEnd, alice: Person, admin: Person, register: Register, outbox: Outbox
) -> None:
    front_end.sign_in(admin)
    assert values(front_end)["name"] == "alice"
    assert front_end.send(UPDATE, btn="External", ckan_api="k")["status"] == "success"
    sent = {"current_password": admin.password, "new_password": NEW, "confirm": NEW}
    wrong = {**sent, "current_password": "the administrator's own"}
    assert front_end.send(UPDATE, btn="Password", **wrong)["status"] == "error"
    assert front_end.send(UPDATE, btn="Password", **sent)["status"] == "success"
    front_end.get("/account/admin/update")
    assert front_end.send("/account/alice/resetapikey")["status"] == "success"
    assert {message["To"] for message in outbox.take()} == {"alice@example.com"}
    front_end.get("/account/nobody/update", status=404)
    for button in ("Profile", "Upload", "Password", "External"):
        front_end.send("/account/nobody/update", 404, btn=button, fullname="x", ckan_api=7)


def test_an_administrator_sees_whose_settings_they_are(
    browser: Browser, alice: Person, admin: Person
) -> None:
    """And is led to nothing that is the owner's alone."""
    browser.sign_in(admin)
    main = browser.get(UPDATE).html.main
    assert main.find(class_="lead").strong.text == "alice"
    links = [link["href"] for link in main.find_all("a")]
    assert links == ["/account/alice/resetapikey"]
    (back,) = browser.get(links[0]).html.main.find_all("a")
    assert back["href"] == UPDATE
    assert browser.get("/account/admin/update").html.main.find(class_="lead") is None
    assert browser.get("/account/alice").html.main.find("a", href=UPDATE) is not None


def test_a_new_key(alices: FrontEnd, alice: Person, outbox: Outbox) -> None:
    assert alices.get("/account/alice/resetapikey").keys() == {"form"}
    assert alices.get("/account/alice/resetapikey")["form"].keys() == {"csrf"}
    app = alices.app
    by_key = f"/api/v1/alice/account?api_key={alice.api_key}"
    app.get(by_key)
    answer = alices.send("/account/alice/resetapikey")
    assert answer == {"flash": "New API-KEY generated", "next": "/account/alice", "status": "success"}
    app.get(by_key, status=403)
    alices.get(UPDATE)
    (message,) = outbox.take()
    assert "acct_" not in text_of(message)


def test_pages(browser: Browser, alice: Person, bob: Person, outbox: Outbox) -> None:
    browser.sign_in(alice)
    page = browser.get(UPDATE)
    assert sorted(
        field.value_if_submitted() for form in page.forms.values() for field in form.fields.get("btn", [])
    ) == ["External", "Password", "Profile", "Upload"]
    links = {link["href"] for link in page.html.find_all("a")}
    assert {f"/account/alice/{name}" for name in ("resetapikey", "export", "delete")} <= links
    assert {"/sessions", "/applications"} <= links
    answer = browser.fill(UPDATE, "Profile", fullname="x")
    assert (answer.status_int, answer.html.find(id="fullname")["aria-invalid"]) == (200, "true")
    answer = browser.fill(UPDATE, "Profile", fullname="Alice M.", privacy_mode=None)
    assert (answer.status_int, answer.location) == (303, UPDATE)
    page = answer.follow()
    assert page.html.find(role="status").text == "Your profile has been updated!"
    assert "checked" not in page.html.find(id="privacy_mode").attrs
    answer = browser.fill(UPDATE, "Password", current_password="x", new_password=NEW, confirm=NEW)
    assert answer.html.find(role="alert").text == "Your current password does not match"
    for button, fields in (
        ("Password", {"current_password": "x", "new_password": NEW, "confirm": "y"}),
        ("Profile", {"name": "?", "email_addr": "bob@example.com", "fullname": "x"}),
        ("Profile", {"name": "bob", "email_addr": "x"}),
        ("Upload", {"avatar": Upload("a.png", b"x"), **dict.fromkeys(("x1", "y1", "x2", "y2"), "x")}),
    ):
        page = browser.fill(UPDATE, button, **fields)
        wrong = [field["name"] for field in page.html.find_all(attrs={"aria-invalid": "true"})]
        assert {*wrong} == {*fields} - {"confirm"}
        focused = page.html.find_all(attrs={"autofocus": True})
        assert [field["name"] for field in focused] == wrong[:1], button
        assert page.html.find(id=f"{wrong[1]}-error")
    answer = browser.fill(UPDATE, "Password", current_password=PASSWORD, new_password=NEW, confirm=NEW)
    assert answer.follow().html.find(role="status").text == "Your password has been changed"
    answer = browser.fill(UPDATE, "External", ckan_api="k")
    assert answer.follow().html.find(id="ckan_api")["value"] == "k"
    answer = browser.fill(UPDATE, "Upload", avatar=Upload("a.png", PICTURE))
    page = answer.follow()
    assert page.html.find(role="status").text == "Your avatar has been updated"
    assert browser.app.get(page.html.main.find("img")["src"]).content_type == "image/png"
    answer = browser.fill("/account/alice/resetapikey")
    assert (answer.status_int, answer.location) == (303, "/account/alice")
    assert "API" in outbox.take()[-1]["Subject"]


def test_change_password_url(front_end: FrontEnd, browser: Browser, alice: Person) -> None:
    path = "/.well-known/change-password"
    assert browser.get(path, 303).location == f"/account/signin?next={path}"
    browser.sign_in(alice)
    assert browser.get(path, 303).location == UPDATE
    browser.get("/.well-known/nothing", 404)
