"""S06, S20 to S24, S27, S44: what ends credentials, what codes are good for, where links lead."""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyramid.httpexceptions import HTTPBadRequest
from pyramid.response import Response
from webtest import TestApp

from accountsapp.domain.accounts import invitations, lifecycle
from accountsapp.domain.credentials import api_keys, jwt_keys, password_change, sessions, signin
from accountsapp.domain.data.locking import lock
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.security import csrf, session_cookie
from accountsapp.security.credentials import SessionCookie
from accountsapp.security.identity import Identity
from accountsapp.web.request import Request
from tests.support.amo import Amo
from tests.support.bookie import Bookie
from tests.support.columns import columns_of
from tests.support.credentials import by_jwt
from tests.support.outbox import Outbox, links_in, text_of
from tests.support.people import PASSWORD, SITE_URL, Person

NEW = "a new and better one"


@pytest.fixture
def bookie(app: TestApp) -> Bookie:
    return Bookie(app)


def test_s06_an_admin_is_made_by_no_call(
    bookie: Bookie, alice: Person, admin: Person, stores: Process
) -> None:
    raised = {"is_admin": True, "is_staff": True, "state": "active", "permissions": ["*"], "invite_ct": 99}
    key = {"api_key": alice.api_key}
    bookie("POST", "/alice/account", json={**raised, **key, "name": "A"})
    bookie("POST", "/alice/invite", json={**raised, **key, "email": "n@example.com"})
    bookie(
        "POST",
        "/a/users/add",
        json={**raised, "api_key": admin.api_key, "username": "added", "email": "added@example.com"},
    )
    with stores.transaction() as store:
        for name in ("alice", "added"):
            row = store.reader.by_username(name)
            assert row is not None
            assert (row.is_admin, row.is_staff, columns_of(store, row.id).invite_ct) == (False, False, 0)


ENDINGS: dict[str, tuple[Callable[[Store, int], object], set[str]]] = {
    # what happens -> what goes on working
    "set password": (lambda s, i: password_change.set_by_operator(s, i, NEW), {"key"}),
    "change password": (
        lambda s, i: password_change.change(s, i, current=PASSWORD, new=NEW),
        {"key"},
    ),
    "key reset": (lambda s, i: api_keys.reset(s, i), {"session", "jwt", "reset", "confirm"}),
    "deactivate": (lifecycle.deactivate, set()),
    "delete": (lifecycle.delete, set()),
}


BY_CODE: dict[str, set[str]] = {
    # which mailed code is used -> what goes on working
    "reset": {"key"},
    "confirm": {"key", "session", "jwt"},
}


@pytest.mark.parametrize("how", [*ENDINGS, *BY_CODE])
def test_s20_every_server_refuses_at_the_next_request(
    make_app: Callable[..., Any], stores: Process, alice: Person, outbox: Outbox, how: str
) -> None:
    servers = [make_app() for _ in range(2)]
    Bookie(TestApp(servers[0]))(
        "POST", "/alice/account", form={"api_key": alice.api_key, "email": "new@example.com"}
    )
    confirm = outbox.link_to("new@example.com")
    with stores.transaction() as store:
        code = links.make(store.session, lock(store.session, alice.id), Purpose.RESET, alice.email, 600)
    reset = f"/recovery/alice/reset/{code}"
    with stores.transaction() as store:
        signing = jwt_keys.issue(store, alice.id)
    cookies = []
    for _ in range(3):
        with stores.transaction() as store:
            cookies.append(signin.sign_in(store, signin.authenticate(store, "alice", PASSWORD)))

    def works(server: Any) -> set[str]:
        web = TestApp(server)
        found = set()
        if web.get(f"/api/v1/alice/ping?api_key={alice.api_key}", expect_errors=True).status_int == 200:
            found.add("key")
        if Amo(web)("GET", "/profile/", headers=by_jwt(signing)).status_int == 200:
            found.add("jwt")
        for name, path in (("reset", reset), ("confirm", confirm)):
            if web.get(path, expect_errors=True).status_int == 200:
                found.add(name)
        with server.registry.process.transaction() as store:
            alive = {sessions.find(store.connection, cookie) is not None for cookie in cookies}
        assert len(alive) == 1
        return found | ({"session"} if alive == {True} else set())

    for server in servers:
        assert works(server) == {"key", "jwt", "session", "reset", "confirm"}
    if how in BY_CODE:
        left = BY_CODE[how]
        TestApp(servers[0]).post({"reset": reset, "confirm": confirm}[how], {"new_password": NEW})
    else:
        change, left = ENDINGS[how]
        with stores.transaction() as store:
            change(store, alice.id)
    for server in servers:
        assert works(server) == left


def test_s21_a_code_of_another_purpose_or_account(
    bookie: Bookie, app: TestApp, alice: Person, bob: Person, stores: Process
) -> None:
    codes = {}
    for purpose in Purpose:
        with stores.transaction() as store:
            account = lock(store.session, alice.id)
            codes[purpose] = links.make(store.session, account, purpose, alice.email, 600)
    bodies = set()
    for purpose in (Purpose.CHANGE_EMAIL, Purpose.VERIFY_EMAIL):
        given = {"username": "alice", "code": codes[purpose], "password": NEW}
        answer = bookie("DELETE", "/suspend", form=given)
        bodies.add((answer.status_int, answer.body))
        assert app.get(f"/recovery/alice/reset/{codes[purpose]}", expect_errors=True).status_int == 404
    given = {"username": "bob", "code": codes[Purpose.RESET], "password": NEW}
    answer = bookie("DELETE", "/suspend", form=given)
    bodies.add((answer.status_int, answer.body))
    assert len(bodies) == 1
    assert app.post(f"/confirm/email/{codes[Purpose.RESET]}", expect_errors=True).status_int == 404
    # A change that has nothing to do with it leaves the code as it is.
    bookie("POST", "/alice/account", form={"api_key": alice.api_key, "name": "Other"})
    assert bookie("DELETE", "/suspend", form={**given, "username": "alice"}).status_int == 200


def test_s23_nothing_is_in_a_code(
    bookie: Bookie, app: TestApp, register: Callable[..., Person], stores: Process, outbox: Outbox
) -> None:
    canary = register("canary", "canary@mail.example", name="canary", invite_ct=1)
    codes = []
    for _ in range(2):
        bookie("POST", "/suspend", form={"email": canary.email})
        codes.append(outbox.code_to(canary.email))
    bookie("POST", "/canary/account", form={"api_key": canary.api_key, "email": "canary2@mail.example"})
    codes.append(outbox.code_to("canary2@mail.example"))
    bookie("POST", "/canary/invite", form={"api_key": canary.api_key, "email": "canary3@mail.example"})
    codes.append(outbox.code_to("canary3@mail.example"))
    with stores.transaction() as store:
        row = signin.authenticate(store, "canary", PASSWORD)
        codes.append(signin.sign_in(store, row))
    assert len(set(codes)) == len(codes)
    for code in codes:
        raw = urlsafe_b64decode(code + "=" * (-len(code) % 4))
        assert len(raw) * 8 >= 128
        assert b"canary" not in raw.lower()
        assert canary.api_key.encode() not in raw


def test_s24_who_proves_the_mailbox_ends_what_a_stranger_left(
    bookie: Bookie, app: TestApp, register: Callable[..., Person], stores: Process, outbox: Outbox
) -> None:
    # A stranger registered the victim's address with a password and a session of his own.
    thief = register("mine", "victim@example.com", password="known to the thief", verified=False)
    with stores.transaction() as store:
        row = signin.authenticate(store, "mine", "known to the thief")
        cookie = signin.sign_in(store, row)
    bookie("POST", "/suspend", form={"email": "victim@example.com"})
    page = app.get(outbox.link_to("victim@example.com"))
    page.form["new_password"] = NEW
    done = page.form.submit()
    assert "Set-Cookie" not in done.headers  # no sign-in by link
    with stores.transaction() as store:
        assert sessions.find(store.connection, cookie) is None
        assert not stores.passwords.verify("known to the thief", store.reader.password_hash(thief.id))
        row = store.reader.by_id(thief.id)
        assert row is not None
        assert row.email_verified


def test_s24_a_confirmation_needs_no_session_and_gives_none(
    bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox
) -> None:
    bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": "new@example.com"})
    done = TestApp(app.app).post(outbox.link_to("new@example.com"))
    assert "Set-Cookie" not in done.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Host": "evil.example", "X-Forwarded-Server": "evil.example"},
        {"Forwarded": "host=evil.example;proto=https", "X-Forwarded-Proto": "https"},
    ],
)
def test_s27_every_link_begins_with_the_site(
    bookie: Bookie, register: Callable[..., Person], outbox: Outbox, headers: dict[str, str]
) -> None:
    person = register("person", invite_ct=1)
    key = {"api_key": person.api_key}
    bookie("POST", "/suspend", form={"email": person.email}, headers=headers)
    bookie("POST", "/person/account", form={**key, "email": "new@example.com"}, headers=headers)
    bookie("POST", "/person/invite", form={**key, "email": "friend@example.com"}, headers=headers)
    bookie("POST", "/person/api_key", form=key, headers=headers)
    mails = outbox.take()
    assert len(mails) == 5
    found = [link for mail in mails for link in links_in(mail)]
    assert len(found) == 3
    assert all(link.startswith(SITE_URL + "/") for link in found)
    assert not any("evil" in mail.as_string() or "evil" in text_of(mail) for mail in mails)


MakeRequest = Callable[..., Any]


@pytest.fixture
def make_request(wsgi: Any) -> Iterator[MakeRequest]:
    """Makes a request of the application's own class, as one that came with the cookie."""
    made: list[Request] = []

    def make(cookie: str | None, app: Any = wsgi, **options: Any) -> Request:
        request = Request.blank("/", **options)
        request.registry = app.registry
        if cookie:
            request.headers["Cookie"] = f"sessionid={cookie}"
        made.append(request)
        return request

    yield make
    for request in made:
        request.close()


@pytest.mark.parametrize("site", ["http://a.example", "https://a.example"])
def test_s44_flags_of_the_cookie(make_app: Callable[..., Any], make_request: MakeRequest, site: str) -> None:
    app = make_app(**{"accountsapp.site_url": site})
    response = Response()
    session_cookie.set_cookie(make_request(None, app), response, "value")
    flags = {part.strip().partition("=")[0]: part for part in response.headers["Set-Cookie"].split(";")}
    assert flags["sessionid"] == "sessionid=value"
    assert {"HttpOnly", "SameSite", "Path"} <= set(flags)
    assert flags["SameSite"].strip() == "SameSite=Lax"
    assert flags["Path"].strip() == "Path=/"
    assert "Domain" not in flags
    assert ("secure" in flags) == site.startswith("https")


def test_s44_a_cookie_from_before_signs_in_nobody(
    make_request: MakeRequest, stores: Process, alice: Person
) -> None:
    fixed = sessions.new_value()  # what an attacker put into the browser
    with stores.transaction() as store:
        value = signin.sign_in(store, signin.authenticate(store, "alice", PASSWORD))
    assert value != fixed
    credential = SessionCookie()
    assert credential.identify(make_request(fixed)) is None
    identity = credential.identify(make_request(value))
    assert isinstance(identity, Identity)
    assert identity.account_id == alice.id
    with stores.transaction() as store:
        sessions.end(store.session, value)
    assert credential.identify(make_request(value)) is None


def test_s44_the_token_is_that_of_the_session(make_request: MakeRequest) -> None:
    mine, other = sessions.new_value(), sessions.new_value()
    token = csrf.SessionTokens().get_csrf_token(make_request(mine))
    assert token != csrf.SessionTokens().get_csrf_token(make_request(other))
    good = make_request(mine, method="POST", headers={"X-CSRFToken": token, "Cookie": f"sessionid={mine}"})
    csrf.check(good, in_body=True)
    for cookie, given, origin in (
        (other, token, None),
        (mine, "", None),
        (mine, token[:-1], None),
        (mine, "é", None),
        (None, token, None),
        (mine, token, "https://evil.example"),
        (mine, token, "null"),
    ):
        headers = {"X-CSRFToken": given.encode().decode("latin-1")} | ({"Origin": origin} if origin else {})
        with pytest.raises(HTTPBadRequest):
            csrf.check(make_request(cookie, method="POST", headers=headers), in_body=True)


def test_an_invitation_is_no_session(stores: Process, register: Callable[..., Person]) -> None:
    inviter = register("inviter", invite_ct=1)
    with stores.transaction() as store:
        invitations.invite(store, inviter.id, "friend@example.com")
    with stores.transaction() as store:
        row = store.reader.by_username("friend@example.com")
        assert row is not None
        assert not row.activated
