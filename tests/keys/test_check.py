"""``/auth/check`` (keys 10): whose a credential is, what it may, what the proxy is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import bcrypt
import pytest
from sqlalchemy import select, update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import SignInSession
from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.process import Process
from accountsapp.testing.everywhere import dump
from accountsapp.testing.oauth import Client, basic, bearer, issue
from accountsapp.testing.people import PASSWORD, Person
from tests.support.check import FRONT, Proxy, key, seen, told_by, url

Register = Callable[..., Person]

POWERLESS = "account:read account:write email:read email:write key:read key:write password:write"
OF_ALICE = {
    "User": "alice",
    "Scopes": POWERLESS,
    "Credential": "default-key",
    "Name": "Alice%20Liddell",
    "Email": "alice@example.com",
}


def test_each_credential_says_who_it_is(
    proxy: Proxy, alice: Person, stores: Process, cookie: dict[str, str]
) -> None:
    by_key = OF_ALICE | {"User-Id": str(alice.id)}
    token = issue(stores, alice)
    cases: list[tuple[str, dict[str, str], dict[str, str]]] = [
        *(("", headers, {}) for headers in (key(alice.api_key), bearer(alice.api_key))),
        *(
            ("", url(alice.api_key, name), {})
            for name in ("X-Original-URI", "X-Original-URL", "X-Forwarded-Uri")
        ),
        ("", {"X-Original-URL": f"https://app.example/x?api_key={alice.api_key}#end"}, {}),
        ("", {"X-Original-URI": f"?api_key={alice.api_key}"}, {}),
        ("", {"X-Original-URI": f"/?api_key=acct%5F{alice.api_key[5:]}"}, {}),
        ("", {"X-Original-URI": f"/?api_key={alice.api_key}&api_key={alice.api_key}"}, {}),
        ("", {**key(alice.api_key), **url(alice.api_key), **url(alice.api_key, "X-Forwarded-Uri")}, {}),
        ("", {"Authorization": f"bEARER   {alice.api_key} "}, {}),
        ("", basic("ALICE"), {"Credential": "basic"}),
        ("session=1", cookie, {"Credential": "session"}),
        ("", bearer(token), {"Credential": "bearer", "Scopes": POWERLESS.partition(" key:")[0]}),
    ]
    for query, headers, difference in cases:
        assert proxy.told(query, headers) == {**by_key, **difference}, headers


def test_scopes_of_tokens_and_what_they_show(proxy: Proxy, alice: Person, stores: Process) -> None:
    shows = {
        ("profile_read",): ("account:read", True, True),
        ("profile_write",): ("account:write", False, False),
        ("email_read",): ("email:read", False, True),
        ("email_write",): ("email:write", False, False),
        ("profile_write", "email_read"): ("account:write email:read", False, True),
        ("email_write", "profile_read"): ("account:read email:write", True, True),
    }
    for scopes, (told_scopes, name, email) in shows.items():
        told = proxy.told("", bearer(issue(stores, alice, *scopes)))
        assert (told["Scopes"], "Name" in told, "Email" in told) == (told_scopes, name, email)


def test_values_are_escaped(proxy: Proxy, register: Register) -> None:
    odd = register("Jürgen w%!~", "Jü+%@b.example", name="Ж \u2028", verified=True)
    told = proxy.told("", key(odd.api_key))
    assert told["User"] == "J%C3%BCrgen%20w%25!~"
    assert told["Email"] == "J%C3%BC+%25@b.example"
    assert told["Name"] == "%D0%96%20%E2%80%A8"


def test_what_there_is_not_is_not_told(proxy: Proxy, register: Register, admin: Person) -> None:
    """No name, and an address that nobody proved: an application behind would link accounts by it."""
    new = register("new", verified=False)
    assert proxy.told("", key(new.api_key)).keys() == {"User", "User-Id", "Scopes", "Credential"}
    assert proxy.told("", key(admin.api_key))["Scopes"] == f"{POWERLESS} administer"


def test_the_first_credential_decides(
    proxy: Proxy, alice: Person, bob: Person, admin: Person, cookie: dict[str, str]
) -> None:
    good = {
        "key": key(bob.api_key),
        "bearer": bearer(admin.api_key),
        "basic": basic("admin"),
        "session": cookie,
    }
    bad = {
        "key": key("wrong"),
        "bearer": bearer("wrong"),
        "basic": basic("admin", "wrong"),
    }
    for first, then in (("key", "bearer"), ("key", "basic"), ("key", "session"), ("bearer", "session")):
        assert proxy.told("session=1", {**good[then], **good[first]})["User"] == (
            "bob" if first == "key" else "admin"
        )
    for first, then in (("key", "bearer"), ("key", "basic"), ("key", "session"), ("bearer", "session")):
        assert proxy.ask("session=1", {**good[then], **bad[first]}).status_int == 401, (first, then)
    assert proxy.told("session=1", {**good["session"], **good["basic"]})["User"] == "admin"
    assert proxy.ask("session=1", {**good["session"], **bad["basic"]}).status_int == 401


def test_what_is_another_s_is_as_if_it_were_not_there(
    proxy: Proxy, alice: Person, cookie: dict[str, str]
) -> None:
    for header in (
        f"Token {alice.api_key}",
        'Digest username="alice"',
        "word",
        "",
        alice.api_key,
        "\xff\xfe",
        "Bearer: x",
        f"Bearer\t{alice.api_key}",
    ):
        others = {"Authorization": header}
        assert proxy.told("session=1", {**cookie, **others})["Credential"] == "session", header
        assert proxy.told("", {**key(alice.api_key), **others})["Credential"] == "default-key"
        assert proxy.ask("", others).status_int == 401
    # The name as it is written, the query alone, and no cookie that was not asked for.
    for headers in (
        {"X-Original-URI": f"/?api%5Fkey={alice.api_key}"},
        {"X-Original-URI": f"/?API_KEY={alice.api_key}&xapi_key={alice.api_key}"},
        {"X-Original-URI": f"/api_key={alice.api_key}"},
        {"X-Original-URI": f"/?a=1#api_key={alice.api_key}"},
        {"X-Rewrite-URL": f"/?api_key={alice.api_key}"},
        {"Referer": f"/?api_key={alice.api_key}"},
        {"Cookie": f"api_key={alice.api_key}"},
        cookie,
    ):
        assert proxy.ask("", headers).status_int == 401, headers
        assert proxy.told("", {**headers, **basic("alice")})["Credential"] == "basic"
    body = f"api_key={alice.api_key}".encode()
    assert proxy.ask(body=body, headers={}).status_int == 401
    assert proxy.ask("", key(alice.api_key), body=b"\xff{" * 10).status_int == 200


def test_every_bad_credential_has_the_same_bytes(
    proxy: Proxy, alice: Person, bob: Person, register: Register, stores: Process
) -> None:
    good, other = alice.api_key, bob.api_key
    expired = issue(stores, alice, seconds=-1)
    client = Client(stores, confidential=True)
    of_nobody = issue(stores, None, "profile_read", client_id=client.id)
    bad: list[dict[str, str]] = [
        {},
        *map(key, ("", " ", "wrong", good[:-1], good + "x", good.upper(), f"{good}, {good}", "\xff", "\0")),
        *map(key, (f" {good}", "acct_" + "0" * 36, "x" * 60_000, "\xed\xa0\x80")),
        *map(url, ("", "wrong", good + " ")),
        {"X-Original-URI": f"/?api_key={good}&api_key={other}"},
        {"X-Original-URI": f"/?api_key={good}&api_key="},
        {"X-Original-URI": f"/?api_key={good}&api_key"},
        {"X-Original-URI": "/?api_key"},
        {"X-Original-URI": "/?api_key=%ff&a"},
        {"X-Original-URI": f"/?api_key={good}, /?api_key={good}"},
        {**url(good), **url(other, "X-Forwarded-Uri")},
        {**url(good, "X-Original-URL"), **url(other, "X-Forwarded-Uri")},
        {**url(good), **key(other)},
        {**url(good), **key("")},
        *map(bearer, ("", "wrong", "acat_", "acat_wrong", expired, of_nobody, f"{good} {good}", "\xff", "é")),
        {"Authorization": "Bearer"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic \xff"},
        *(basic(*pair) for pair in (("alice", "wrong"), ("nobody", "wrong"), ("", ""), ("alice\0", "x"))),
        {"Cookie": "sessionid=wrong"},
    ]
    wanted = seen(proxy.ask())
    assert wanted[0] == 401
    assert [headers for headers in bad if seen(proxy.ask("", headers)) != wanted] == []
    answer = proxy.ask("scope=administer&permission=a:b", key("wrong"))
    assert seen(answer) == wanted
    assert answer.headers.getall("WWW-Authenticate") == [
        'Bearer realm="accounts"',
        'Basic realm="accounts", charset="UTF-8"',
    ]
    assert list(answer.json) == ["error"]
    assert told_by(answer) == {}
    of_sessions = [proxy.ask("session=1", {"Cookie": f"sessionid={value}"}) for value in ("", "x" * 43)]
    assert [answer.headers.getall("WWW-Authenticate") for answer in of_sessions] == [
        ['Bearer realm="accounts"']
    ] * 2


def test_an_account_that_is_not_active_has_no_credential(
    proxy: Proxy, alice: Person, stores: Process, cookie: dict[str, str]
) -> None:
    token = issue(stores, alice)
    credentials = [
        key(alice.api_key),
        url(alice.api_key),
        bearer(alice.api_key),
        bearer(token),
        basic("alice"),
    ]
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    wanted = seen(proxy.ask())
    assert [headers for headers in credentials if seen(proxy.ask("", headers)) != wanted] == []
    assert seen(proxy.ask("session=1", cookie)) == seen(proxy.ask("session=1"))
    with stores.transaction() as store:
        lifecycle.activate(store, alice.id)
    assert proxy.told("", key(alice.api_key))["User"] == "alice"
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    assert [headers for headers in credentials if seen(proxy.ask("", headers)) != wanted] == []


def test_methods(proxy: Proxy, alice: Person) -> None:
    head = proxy.ask("", key(alice.api_key), method="HEAD")
    assert seen(head) == seen(proxy.ask("", key(alice.api_key)))
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "GETX"):
        for headers in ({}, key(alice.api_key), {"Origin": FRONT, "Access-Control-Request-Method": "GET"}):
            answer = proxy.ask("", headers, method=method)
            assert (answer.status_int, answer.headers["Allow"]) == (405, "GET, HEAD"), method


def test_every_answer(proxy: Proxy, alice: Person, cookie: dict[str, str]) -> None:
    browser = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "fr"}
    answers = [
        proxy.ask("", {**browser, **key(alice.api_key)}),
        proxy.ask("session=1", {**browser, **cookie, "Origin": FRONT}),
        proxy.ask("", browser),
        proxy.ask("x=1", browser),
        proxy.ask("admin=1", {**browser, **key(alice.api_key)}),
        proxy.ask("", browser, method="POST"),
    ]
    assert [answer.status_int for answer in answers] == [200, 200, 401, 400, 403, 405]
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"]
        names = {name.lower() for name in answer.headers}
        assert not names & {"set-cookie", "location"}
        assert not [name for name in names if name.startswith("access-control-")]
    assert {answer.content_type for answer in answers[2:]} == {"application/json"}


def test_nothing_is_written(
    proxy: Proxy, alice: Person, bob: Person, wsgi: Any, cookie: dict[str, str], stores: Process
) -> None:
    """No audit either: a request is checked many times a second, and the proxy has refused it."""
    token = issue(stores, alice)
    app = TestApp(wsgi)
    before = dump(app, audited=True)
    for headers in (key(alice.api_key), bearer(token), basic("alice"), basic("alice", "wrong"), key("x"), {}):
        for query in ("", "scope=administer", "permission=a:b", "admin=1", "x=1"):
            proxy.ask(query, headers)
    for query in ("session=1", "session=1&admin=1"):
        for more in ({}, {"Origin": "https://evil.example"}):
            proxy.ask(query, {**cookie, **more})
    assert dump(app, audited=True) == before


def test_the_session_is_kept_alive_without_a_cookie(
    proxy: Proxy, alice: Person, cookie: dict[str, str], database: Database
) -> None:
    long_ago = now() - timedelta(days=20)
    with database.begin() as session:
        session.execute(update(SignInSession).values(last_used=long_ago))
    answer = proxy.ask("session=1", cookie)
    assert (answer.status_int, "Set-Cookie" in answer.headers) == (200, False)
    with database.begin() as session:
        assert session.scalar(select(SignInSession.last_used)) > long_ago


ODD = (
    "\xff",
    "\xed\xa0\x80",
    "\0",
    "%",
    "%%%",
    "%ed%a0%80",
    "%00",
    "?",
    "??api_key=?",
    "?api_key=%",
    "&&&&",
    "//[::1",
    "http://[::1]:99999999/?api_key=x",
    "?api_key=" + "%00" * 1000,
    "?" + "api_key=x&" * 5000,
    "x" * 60_000,
    " ",
    "\t",
    "\u0661",
)


def test_odd_headers_are_no_fault_of_ours(proxy: Proxy, alice: Person) -> None:
    for name in (
        *("X-Api-Key", "X-Original-URI", "X-Original-URL", "X-Forwarded-Uri", "Cookie", "Origin"),
        *("X-Forwarded-For", "X-Real-IP", "X-Original-Method", "X-Forwarded-Method", "Authorization"),
    ):
        for value in ODD:
            for prefix in ("Basic ", "Bearer ", "") if name == "Authorization" else ("",):
                answer = proxy.ask("session=1", {name: prefix + value})
                assert answer.status_int == 401, (name, value[:40])


def test_bad_credentials_cost_alike(
    proxy: Proxy, alice: Person, bob: Person, stores: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password one look at a hash, whosever it is; everything else none."""
    looks: list[bytes] = []
    check = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *both: (looks.append(both[0]), check(*both))[1])
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
    for username, password in (("alice", "wrong"), ("nobody", "wrong"), ("bob", "wrong"), ("bob", PASSWORD)):
        looks.clear()
        assert proxy.ask("", basic(username, password)).status_int == 401
        assert len(looks) == 1, username
    looks.clear()
    for headers in (key("wrong"), key(make_api_key()), key(bob.api_key), bearer("acat_wrong"), bearer("x")):
        assert proxy.ask("", headers).status_int == 401
    assert looks == []
