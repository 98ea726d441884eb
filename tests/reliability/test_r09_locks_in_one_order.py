"""R09: two who write to the same two accounts never wait for each other in a circle.

Each of the two has its first lock, or waits for one that the other has, before either goes on.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from threading import get_ident
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import create_engine, event, text, update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.errors import ClientNotFound
from accountsapp.domain.oauth import clients
from accountsapp.domain.store import Store
from accountsapp.testing.credentials import Holder, Shown, hold, present
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.imports import import_records
from tests.support.scenes import somebody_waits, wait_for

Act = Callable[[], int]


class Pair:
    """Two people who may do everything with each other; the account of the first one is the older one.

    :ivar third: another administrator
    """

    def __init__(self, wsgi: Any, register: Callable[..., Person], name: str) -> None:
        self.wsgi, self.stores = wsgi, wsgi.registry.process
        rights = {"is_admin": True, "invite_ct": 5}
        low, high, third = (register(f"{name}-{which}", **rights) for which in ("low", "high", "third"))
        self.low, self.high = hold(self.stores, low), hold(self.stores, high)
        self.third = self.low._replace(person=third)

    def set(self, holder: Holder, **columns: Any) -> None:
        with self.stores.transaction() as store:
            this = Account.id == holder.person.id
            store.session.execute(update(Account).where(this).values(columns))

    def send(
        self,
        by: Shown,
        method: str,
        path: str,
        fields: Mapping[str, Any] | None = None,
        content_type: str = "application/x-www-form-urlencoded",
    ) -> Act:
        is_json = content_type == "application/json"
        body = json.dumps(fields) if is_json else urlencode(fields or {})
        return lambda: (
            TestApp(self.wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"})
            .request(
                path + (f"?{by.query}" if by.query else ""),
                method=method,
                body=body.encode(),
                headers={**by.headers, "Content-Type": content_type},
                expect_errors=True,
            )
            .status_int
        )

    def edit(self, by: Holder, whose: Holder) -> Act:
        path = f"/api/v5/accounts/account/{whose.person.username}/"
        return self.send(present("session header", by), "PATCH", path, {"biography": "E"}, "application/json")

    def administer(self, by: Holder, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Act:
        return self.send(present("api_key", by), method, f"/api/v1/a/{path}", fields)

    def on_page(self, by: Holder, path: str, fields: Mapping[str, Any] | None = None) -> Act:
        return self.send(present("session", by), "POST", f"/account/{path}", fields)

    def operate(self, work: Callable[[Store], Any]) -> Act:
        """What a command or a job does in a transaction."""

        def act() -> int:
            with self.stores.transaction() as store:
                work(store)
            return 200

        return act


def editing(pair: Pair) -> tuple[Act, Act]:
    return pair.edit(pair.low, pair.high), pair.edit(pair.high, pair.low)


def resetting_keys(pair: Pair) -> tuple[Act, Act]:
    low, high = pair.low, pair.high
    reset = "{}/resetapikey"
    return (
        pair.on_page(low, reset.format(high.person.username)),
        pair.on_page(high, reset.format(low.person.username)),
    )


def deleting_each_other(pair: Pair) -> tuple[Act, Act]:
    low, high = pair.low, pair.high
    delete = "users/delete/{}"
    return (
        pair.administer(low, "DELETE", delete.format(high.person.username)),
        pair.administer(high, "DELETE", delete.format(low.person.username)),
    )


def signing_in_as_him(pair: Pair) -> tuple[Act, Act]:
    """His session is to end, and acts on the account that takes its place."""
    low, high = pair.low, pair.high
    as_high = {"email": high.person.email, "password": high.person.password}
    edited = {"btn": "Profile", "fullname": "Eve L"}
    return (
        pair.on_page(low, "signin", as_high),
        pair.on_page(low, f"{high.person.username}/update", edited),
    )


def renaming_an_inviter(pair: Pair) -> tuple[Act, Act]:
    low, high = pair.low, pair.high
    pair.set(low, invited_by=high.person.username)
    renamed = {"btn": "Profile", "name": f"{high.person.username}2"}
    return pair.on_page(high, f"{high.person.username}/update", renamed), pair.edit(low, high)


def deleting_an_inviter(pair: Pair) -> tuple[Act, Act]:
    low, high = pair.low, pair.high
    pair.set(low, invited_by=high.person.username)
    return (
        pair.administer(pair.third, "DELETE", f"users/delete/{high.person.username}"),
        pair.edit(low, high),
    )


def await_address(pair: Pair) -> str:
    address = f"{pair.low.person.username}@example.net"
    pair.set(pair.low, pending_email=address, pending_email_key=address)
    return address


def adding_who_is_awaited(pair: Pair) -> tuple[Act, Act]:
    address = await_address(pair)
    added = {"username": address.partition("@")[0] + "-added", "email": address}
    return pair.administer(pair.high, "POST", "users/add", added), pair.edit(pair.low, pair.high)


def inviting_who_is_awaited(pair: Pair) -> tuple[Act, Act]:
    invited = {"email": await_address(pair)}
    path = f"/api/v1/{pair.high.person.username}/invite"
    return pair.send(present("api_key", pair.high), "POST", path, invited), pair.edit(pair.low, pair.high)


def creating_who_is_awaited(pair: Pair) -> tuple[Act, Act]:
    created = {"email": await_address(pair)}
    path = "/api/v5/accounts/super-create/"
    by = present("session header", pair.high)
    return pair.send(by, "POST", path, created, "application/json"), pair.edit(pair.low, pair.high)


def creating_at_once(pair: Pair) -> tuple[Act, Act]:
    """The same one twice, without an address."""
    by = present("session header", pair.high)
    create = pair.send(by, "POST", "/api/v5/accounts/super-create/")
    return create, create


def adding_at_once(pair: Pair) -> tuple[Act, Act]:
    names = [f"{pair.high.person.username}-{number}" for number in range(2)]
    first, second = (
        pair.administer(pair.high, "POST", "users/add", {"username": name, "email": f"{name}@example.net"})
        for name in names
    )
    return first, second


def importing_who_is_awaited(pair: Pair) -> tuple[Act, Act]:
    record = {"username": pair.high.person.username, "email": await_address(pair)}

    def run() -> int:
        parts, refused = import_records(pair.stores, record, update_existing=True)
        assert refused == []
        return 200 if parts[-1].updated else 500

    return run, pair.edit(pair.low, pair.high)


def deleting_the_stale(pair: Pair) -> tuple[Act, Act]:
    """One of them invited somebody who acts on the administrator who deletes it."""
    long_ago = {"state": AccountState.PENDING, "signup": now() - timedelta(days=100)}
    pair.set(pair.third, **long_ago)
    pair.set(pair.low, invited_by=pair.third.person.username)
    return pair.administer(pair.high, "DELETE", "nonactivated"), pair.edit(pair.low, pair.high)


def erasing_each_other(pair: Pair) -> tuple[Act, Act]:
    """Jobs that each of them has asked for."""

    def erase(whose: Holder, by: Holder) -> Act:
        payload = {"of": whose.person.id, "actor_id": by.person.id, "address": ""}
        job: Any = SimpleNamespace(payload=payload)
        return pair.operate(lambda store: lifecycle.delete_asked(store, job))

    return erase(pair.low, pair.high), erase(pair.high, pair.low)


def revoking_a_client(pair: Pair) -> tuple[Act, Act]:
    """Of an account that is being deleted."""
    with pair.stores.transaction() as store:
        client, _ = clients.register(store, "Of him", confidential=True, owner_id=pair.low.person.id)
        client_id = client.client_id

    def revoke(store: Store) -> None:
        with suppress(ClientNotFound):  # it went with the account
            clients.revoke(store, client_id)

    return (
        pair.operate(revoke),
        pair.operate(lambda store: lifecycle.delete(store, pair.low.person.id)),
    )


PAIRS: list[Callable[[Pair], tuple[Act, Act]]] = [
    editing,
    resetting_keys,
    deleting_each_other,
    signing_in_as_him,
    renaming_an_inviter,
    deleting_an_inviter,
    adding_who_is_awaited,
    inviting_who_is_awaited,
    creating_who_is_awaited,
    creating_at_once,
    adding_at_once,
    importing_who_is_awaited,
    deleting_the_stale,
    erasing_each_other,
    revoking_a_client,
]
LOCKING = re.compile("FOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)")


class Meeting:
    """Where two threads, with their first lock, wait until both have one, or one waits for the other.

    :ivar errors: SQLSTATEs of what the database refused
    """

    def __init__(self, database: Database) -> None:
        self.errors: list[str] = []
        self._database = database
        self._came: set[int] = set()

    @contextmanager
    def held(self) -> Iterator[None]:
        listeners: list[tuple[str, Callable[..., None]]] = [
            ("before_cursor_execute", lambda *_: None),  # or plain statements tell nobody
            ("after_cursor_execute", self._come),
            ("handle_error", self._note),
        ]
        for name, listener in listeners:
            event.listen(self._database.write_engine, name, listener)
        yield
        for name, listener in listeners:
            event.remove(self._database.write_engine, name, listener)

    def take_part(self, act: Act) -> int:
        try:
            return act()
        finally:
            self._came.add(get_ident())

    def _come(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if LOCKING.search(statement) and get_ident() not in self._came:
            self._came.add(get_ident())
            wait_for(lambda: len(self._came) > 1 or somebody_waits(self._database))

    def _note(self, context: Any) -> None:
        self.errors.append(getattr(context.original_exception, "sqlstate", "?"))


def deadlocks(database: Database) -> int:
    """How many the database has met."""
    if database.is_sqlite:
        return 0
    database.dispose()  # a connection tells when it ends, otherwise later
    counted = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    engine = create_engine(database.url)
    with engine.connect() as connection:
        number = connection.scalar(counted)
    engine.dispose()
    return int(number or 0)


def test_r09_nobody_waits_in_a_circle(wsgi: Any, register: Callable[..., Person], database: Database) -> None:
    wrong = []
    for make in PAIRS:
        acts, meeting = make(Pair(wsgi, register, make.__name__.replace("_", "-")[:12])), Meeting(database)
        with meeting.held():
            statuses = concurrently([partial(meeting.take_part, act) for act in acts])
        if meeting.errors or max(statuses) >= 500 or min(statuses) >= 400:
            wrong.append((make.__name__, statuses, meeting.errors))
    assert wrong == []
    assert deadlocks(database) == 0
