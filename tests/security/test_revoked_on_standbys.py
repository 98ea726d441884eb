"""S20 with standbys: the end of a credential is acknowledged when every synchronous one shows it.

A transaction after which a credential does not work any more waits for them, and no other does.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from sqlalchemy import event

from accountsapp import strict_json
from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle, notifying, profile
from accountsapp.domain.credentials import (
    api_keys,
    jwt_keys,
    key_reports,
    named_keys,
    own_sessions,
    password_change,
    recovery,
    sessions,
    signin,
)
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.oauth import applications, clients, tokens
from accountsapp.domain.oauth.tokens import TokenRow
from accountsapp.domain.store import Store
from accountsapp.domain.transfer.importing import Importer
from accountsapp.process import Process
from accountsapp.testing.named_keys import YEAR, add_key
from accountsapp.testing.oauth import ALL, Client, issue
from accountsapp.testing.people import PASSWORD, Person

NEW = "a new and better one"
WAIT = "SET LOCAL synchronous_commit = remote_apply"


class Holder(NamedTuple):
    """One account and a credential of each kind."""

    person: Person
    named_key: str
    key_id: str
    session: str
    other_session: str
    token: str
    client: Client
    jwt_key: str

    def working(self, stores: Process) -> set[str]:
        with stores.transaction() as store:
            found = {
                "key": store.reader.by_api_key(self.person.api_key),
                "named key": store.reader.by_api_key(self.named_key),
            }
            works = {kind for kind, row in found.items() if row is not None and row[0].activated}
            if sessions.find(store.connection, self.session) is not None:
                works.add("session")
            if sessions.find(store.connection, self.other_session) is not None:
                works.add("other session")
            if isinstance(tokens.find(store.connection, self.token), TokenRow):
                works.add("token")
            signing = jwt_keys.find(store, self.jwt_key)
            if signing is not None and signing.account.state == AccountState.ACTIVE:
                works.add("jwt")
            return works


def change_password(store: Store, holder: Holder) -> None:
    password_change.change(store, holder.person.id, current=PASSWORD, new=NEW)


def reset_password(store: Store, holder: Holder) -> None:
    account = lock(store.session, holder.person.id)
    code = links.make(store.session, account, Purpose.RESET, holder.person.email, 600)
    store.commit()
    recovery.reset_by_code(store, code, NEW)


def revoke_token(store: Store, holder: Holder) -> None:
    tokens.revoke_by_hand(store, holder.token)


def add_key_by_page(store: Store, holder: Holder) -> None:
    named_keys.add(store, holder.person.id, name="more", scopes=None, lifetime=YEAR, by=By.PAGE, most=20)


ENDINGS: dict[str, Callable[[Store, Holder], object]] = {
    "change a password": change_password,
    "set a password": lambda s, h: password_change.set_by_operator(s, h.person.id, NEW),
    "reset a password": reset_password,
    "deactivate": lambda s, h: lifecycle.deactivate(s, h.person.id),
    "ask for deletion": lambda s, h: lifecycle.ask_deletion(s, h.person.id),
    "delete": lambda s, h: lifecycle.delete(s, h.person.id),
    "reset the key": lambda s, h: api_keys.reset(s, h.person.id),
    "report the key": lambda s, h: key_reports.report(s, h.person.api_key, ""),
    "report a named key": lambda s, h: key_reports.report(s, h.named_key, ""),
    "revoke a named key": lambda s, h: named_keys.revoke(s, h.person.id, h.key_id, By.PAGE),
    "rotate a named key": lambda s, h: named_keys.rotate(s, h.person.id, h.key_id, timedelta(), By.PAGE),
    "replace a named key": lambda s, h: named_keys.replace(s, h.person.id, h.named_key),
    "end a named key": lambda s, h: named_keys.end(s, h.person.id, h.named_key),
    "sign out": lambda s, h: signin.sign_out(s, h.session),
    "sign out elsewhere": lambda s, h: own_sessions.end_others(s, h.person.id, h.session),
    "revoke a token": revoke_token,
    "withdraw a client": lambda s, h: applications.withdraw(s, h.person.id, h.client.client_id),
    "revoke a client": lambda s, h: clients.revoke(s, h.client.client_id),
    "another signing key": lambda s, h: jwt_keys.issue(s, h.person.id),
}
OTHERS: dict[str, Callable[[Store, Holder], object]] = {
    "change a name": lambda s, h: profile.change(s, h.person.id, {"name": "Other"}),
    "ask for another address": lambda s, h: profile.change(s, h.person.id, email="other@example.com"),
    "choose notifications": lambda s, h: notifying.choose(s, h.person.id, {"new_review": True}),
    "sign in": lambda s, h: signin.sign_in(
        s, signin.authenticate(s, h.person.username, PASSWORD), former=None
    ),
    "add a named key": add_key_by_page,
    "rotate with an overlap": lambda s, h: named_keys.rotate(
        s, h.person.id, h.key_id, timedelta(hours=1), By.PAGE
    ),
    "issue a token": lambda s, h: tokens.issue_by_hand(s, h.person.id, ALL),
    "activate": lambda s, h: lifecycle.activate(s, h.person.id),
    "report what is no key": lambda s, h: key_reports.report(s, "acct_unknown", ""),
}


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """What was said to the database by transactions."""
    said: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(database.write_engine, "before_cursor_execute", listen)
    yield said
    event.remove(database.write_engine, "before_cursor_execute", listen)


@pytest.fixture
def make_holder(stores: Process, register: Callable[..., Person]) -> Callable[[str], Holder]:
    def make(username: str) -> Holder:
        person = register(username)
        named = add_key(stores, person)
        values = []
        for _ in range(2):
            with stores.transaction() as store:
                row = store.reader.by_id(person.id)
                assert row is not None
                values.append(signin.sign_in(store, row))
        client = Client(stores)
        with stores.transaction() as store:
            jwt_key = jwt_keys.issue(store, person.id).key
        token = issue(stores, person, client_id=client.id)
        return Holder(person, named.api_key, named.key.id, *values, token, client, jwt_key)

    return make


def test_s20_what_ends_a_credential_waits_for_the_standbys(
    stores: Process,
    database: Database,
    make_holder: Callable[[str], Holder],
    statements: list[str],
) -> None:
    for number, (what, act) in enumerate((ENDINGS | OTHERS).items()):
        holder = make_holder(f"user{number}")
        before = holder.working(stores)
        assert before == {"key", "named key", "session", "other session", "token", "jwt"}
        statements.clear()
        with stores.transaction() as store:
            act(store, holder)
        ended = before - holder.working(stores)
        assert bool(ended) == (what in ENDINGS), (what, ended)
        assert (WAIT in statements) == (bool(ended) and not database.is_sqlite), what


def test_s20_an_import_that_changes_accounts_waits_for_the_standbys(
    stores: Process,
    database: Database,
    make_holder: Callable[[str], Holder],
    statements: list[str],
) -> None:
    holder = make_holder("alice")
    records = {
        "add": {"username": "new", "email": "new@example.com"},
        "lock": {"username": "alice", "activated": False, "email": holder.person.email},
    }
    for what, record in records.items():
        statements.clear()
        importer = Importer(
            database.write,
            stores.keyring,
            stores.passwords,
            print,
            most_keys=20,
            update_existing=what == "lock",
        )
        counts = list(importer.run(strict_json.read_lines(BytesIO(json.dumps(record).encode()))))[-1]
        assert counts.failed == 0
        assert (WAIT in statements) == (what == "lock" and not database.is_sqlite)
    assert holder.working(stores) == set()
