"""Requests whose caller loses something between his check and the lock of what he changes."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import text, update
from webtest import TestApp, TestResponse

from accountsapp.db.database import Database
from accountsapp.domain.credentials import jwt_keys, sessions
from accountsapp.domain.credentials.jwt_keys import Issued
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.oauth import clients, jwts, tokens
from accountsapp.domain.rules.key_scopes import FULL
from accountsapp.domain.store import Store
from accountsapp.testing.credentials import Holder, csrf_token, present, sign_token
from accountsapp.testing.endings import before_change
from accountsapp.testing.everywhere import dump, is_sign_in
from accountsapp.testing.named_keys import add_key
from accountsapp.testing.oauth import ALL, Client, issue
from accountsapp.testing.people import SITE_URL, Person
from tests.support.openedx import ADULT


def with_named_key(holder: Holder) -> Holder:
    return holder._replace(person=replace(holder.person, api_key=holder.named[FULL]))


KINDS = {
    "default key": "api_key",
    "named key": "api_key",
    "granted token": "signed token",
}
"""How the ways are presented whose name is not that of their kind."""


class Change(NamedTuple):
    """A call that changes something.

    :ivar ways: kinds of credentials that it is tried with, the first one with every ending
    :ivar body: a form, or what is sent as JSON of ``json``
    :ivar by: the role of who calls, where it is not the account's owner
    """

    method: str
    path: str
    ways: tuple[str, ...]
    body: Mapping[str, Any] = {}
    json: str | None = None
    by: Mapping[str, Any] = {}


class Scene:
    """Somebody with a credential, and somebody else."""

    def __init__(self, wsgi: Any, register: Callable[..., Person]) -> None:
        self.wsgi, self.stores, self._register = wsgi, wsgi.registry.process, register
        self._number = 0

    def cast(self, change: Change, ways: Collection[str]) -> Holder:
        """A new account with what proves it by these ways, and nothing else that could."""
        self._number += 1
        self.client = Client(self.stores, confidential=True) if "{client" in str(change) else None
        if "{other}" in change.path:
            self.other = self._register(f"other{self._number}").username
        person = self._register(f"me{self._number}", **change.by)
        with self.stores.transaction() as store:
            columns = {"invite_ct": 3, "picture": "0" * 32, "year_of_birth": ADULT, "subscribed": False}
            store.session.execute(update(Account).where(Account.id == person.id).values(columns))
            second = {"address": "second@example.net", "address_key": "second@example.net"}
            store.session.add(EmailAddress(account_id=person.id, **second))
        token = issue(self.stores, person) if "bearer" in ways else ""
        signed_token = sign_token(self.stores, person, ALL) if "signed token" in ways else ""
        if "granted token" in ways:
            signed_token = self._granted(person)
        cookie, signing = "", Issued("", "")
        with self.stores.transaction() as store:
            if {"session", "session header"} & set(ways):
                cookie = sessions.begin(store.session, store.lock(person.id), None, by_password=True)
            if "jwt" in ways:
                signing = jwt_keys.issue(store, person.id)
        self.key = add_key(self.stores, person) if "named key" in ways or "{key}" in change.path else None
        named = {FULL: self.key.api_key} if self.key is not None else {}
        return Holder(person, token, signed_token, cookie, csrf_token(self.stores, cookie), signing, named)

    def _granted(self, person: Person) -> str:
        """A signed token that the account has let a client have."""
        granting = Client(self.stores, confidential=True)
        with self.stores.transaction() as store:
            client = clients.find(store.connection, granting.client_id)
            assert client is not None
            code = tokens.make_code()
            tokens.grant(store, client, person.id, ALL, code=code, redirect_uri=None, challenge=None)
            claim = tokens.claim_code(store, client, code)
            assert claim is not None
            tokens.issue(store, claim, None, tokens.make_refresh_token(), ALL)
            subject = jwts.Subject(claim.account, None, client.client_id, claim.grant_id)
            issuer = jwts.Issuer(f"{SITE_URL}/oauth2", SITE_URL)
            claims = jwts.claims_of(subject, issuer, ALL, grant_type="authorization_code", seconds=3600)
        return jwts.sign(self.stores.keyring, claims)

    def send(self, change: Change, way: str, holder: Holder) -> TestResponse:
        shown = present(KINDS.get(way, way), with_named_key(holder) if way == "named key" else holder)
        fill = {"{me}": holder.person.username}
        if "{other}" in change.path:
            fill["{other}"] = self.other
        if self.key is not None:
            fill["{key}"] = self.key.key.id
        if self.client is not None:
            fill |= {
                "{client}": self.client.client_id,
                "{client asks}": self.client.query().partition("?")[2],
            }
        path, body = change.path, change.body
        for pattern, value in fill.items():
            path = path.replace(pattern, value)
            body = {name: value if text == pattern else text for name, text in body.items()}
        content_type = change.json or "application/x-www-form-urlencoded"
        return TestApp(self.wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"}).request(
            path + (f"?{shown.query}" if shown.query else ""),
            method=change.method,
            body=(json.dumps(body) if change.json is not None else urlencode(body)).encode(),
            headers={**shown.headers, "Content-Type": content_type},
            expect_errors=True,
        )


def answer_after_waiting(
    scene: Scene, database: Database, change: Change, way: str, lose: Callable[[Store, Holder], None]
) -> tuple[TestResponse, Any]:
    """The answer to a change that waits for a transaction in which its caller loses something.

    :returns: it, and what was stored when that transaction had ended
    """
    holder, begun = scene.cast(change, {way}), Event()
    answers: list[TestResponse] = []

    def send() -> None:
        with before_change(scene.stores, begun.set):
            answers.append(scene.send(change, way, holder))

    request = Thread(target=send)
    with scene.stores.transaction() as store:
        lose(store, holder)
        store.flush()
        request.start()
        assert begun.wait(10)
        wait_for(lambda: somebody_waits(database))
    state = dump(TestApp(scene.wsgi))
    request.join(10)
    return answers[0], state


def is_refused(answer: TestResponse) -> bool:
    return answer.status_int in (401, 403) or is_sign_in(answer)


def seen(answer: TestResponse) -> tuple[Any, ...]:
    """What tells an answer of an API from another one; a page's sign-in form is one like the other."""
    is_page = answer.content_type == "text/html" and answer.status_int == 200
    return answer.status_int, "" if is_page else answer.text, answer.headers.get("Location")


def wait_for(is_so: Callable[[], Any]) -> None:
    end = monotonic() + 10
    while not is_so():
        assert monotonic() < end
        sleep(0.001)


def somebody_waits(database: Database) -> bool:
    """For a lock of another transaction; of SQLite the next one to write does, whoever it is."""
    if database.is_sqlite:
        return True
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.read_engine.connect() as connection:
        return connection.execute(text(waiting)).first() is not None
