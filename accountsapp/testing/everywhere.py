"""Every operation of every API, read from the printed tree, to do the same thing to each.

Each is called with every kind of credential that counts there. That they are good is proved at the end of the
test (:meth:`Everywhere.check`), so that nothing passes because the caller was refused.
"""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from webtest import TestApp, TestResponse

from accountsapp.domain.credentials import api_keys, jwt_keys, sessions
from accountsapp.domain.data.models import Account, AuditEvent, Base
from accountsapp.domain.oauth import clients, tokens
from accountsapp.domain.oauth.tokens import DeadToken
from accountsapp.domain.rules.key_scopes import FULL
from accountsapp.process import Process
from accountsapp.security.permissions import Permission
from accountsapp.testing import losses
from accountsapp.testing.credentials import (
    Holder,
    Shown,
    hold,
    present,
    renew_named,
    renew_session,
    renew_signing,
    renew_tokens,
    visitor,
)
from accountsapp.testing.endings import before_change, client_of, end
from accountsapp.testing.people import Person
from accountsapp.tree import OPEN, Row, rows

WRITES = ("POST", "PUT", "PATCH", "DELETE")
STALE_FORM = b'id="stale-form"'
"""What a page has that refuses a form without a token of its session."""
VISITOR = "visitor"
"""Stands for the kind of credential where none is needed: a browser in which nobody has signed in."""
ADMINISTRATORS_ONLY = (Permission.ADMINISTER, Permission.ACCOUNT_CREATE)
"""What an administrator opens and the owner of the account does not."""

NEARBY = {"REMOTE_ADDR": "127.0.0.1"}
"""Of a client that may ask all that only some addresses may."""

Register = Callable[..., Person]


class Door(NamedTuple):
    """One verb at one URL, and one kind of credential that counts there.

    :ivar path: of the account that the test is about
    :ivar kind: :data:`VISITOR` where no credential is needed
    """

    method: str
    path: str
    kind: str
    row: Row


def path_of(row: Row, person: Person) -> str:
    """The path of a row of the tree; the account in it is that person's."""
    fill = {
        "{username}": person.username,
        "{id}": str(person.id),
        "{account}": person.username,
        "{token}": "bm9ib2R5",
        "{hash}": "0" * 64,
        "{notification}": "new_review",
        "{count}": "3",
        "{code}": "no-such-code",
        "{key}": "no-such-key",
        "{number}": "1",
        "{container}": "user_7",
        "{picture}": f"{'0' * 32}_avatar.png",
        "{size}": "30",
        "{file}": "style.css",
        "{document}": "bookie.json",
    }
    path = row.path
    for pattern, value in fill.items():
        path = path.replace(pattern, value)
    assert "{" not in path, f"say in accountsapp/testing/everywhere.py what stands for it: {path}"
    return path


def urls(app: TestApp, person: Person) -> list[tuple[str, str]]:
    """Every verb at every URL; the account in it is that person's."""
    return [(method, path_of(row, person)) for row in rows(app.app.registry) for method in row.methods]


def doors(registry: Any, person: Person) -> list[Door]:
    """Every verb at every URL with every kind of credential; what deletes comes last."""
    every = [
        Door(method, path_of(row, person), kind, row)
        for row in rows(registry)
        for method in row.methods
        for kind in row.credentials or (VISITOR,)
    ]
    return sorted(every, key=lambda door: door.method == "DELETE" or door.path.endswith("/delete"))


class Everywhere:
    """Calls with the credentials that open a door: the owner's or an administrator's.

    A call that succeeds may have changed or ended them, so that they are made anew.

    :param administered_views: what administrators alone open, although an owner has the permission elsewhere
    """

    def __init__(
        self,
        app: TestApp,
        register: Register,
        owner: Person,
        admin: Person,
        administered_views: Collection[str] = (),
    ) -> None:
        self._administered_views = administered_views
        self.app = app
        self.app.extra_environ.update(NEARBY)
        self._stores: Process = app.app.registry.process
        self._register = register
        self._owner = hold(self._stores, owner)
        self._admin = hold(self._stores, admin)
        self._visitor = visitor(self._stores)
        self._used: set[Door] = set()
        self.doors = doors(app.app.registry, owner)

    def holder(self, door: Door) -> Holder:
        by_administrators = door.row.permission in ADMINISTRATORS_ONLY
        if by_administrators or door.row.view in self._administered_views:
            return self._admin
        if door.row.permission == Permission.KEY_END:  # which a default key cannot
            owner = self._owner
            return owner._replace(person=replace(owner.person, api_key=owner.named[FULL]))
        return self._owner

    def present(self, door: Door) -> Shown:
        return self._visitor if door.kind == VISITOR else present(door.kind, self.holder(door))

    def __call__(
        self,
        door: Door,
        query: str = "",
        body: bytes = b"",
        content_type: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Call with the door's credential.

        :param method: another one than the door's
        :param path: another one than the door's
        """
        shown = self.present(door)
        sent = {**shown.headers, **(headers or {})}
        if content_type is not None:
            sent["Content-Type"] = content_type
        query = "&".join(part for part in (shown.query, query) if part)
        self.app.reset()
        answer = self.app.request(
            (path or door.path) + (f"?{query}" if query else ""),
            method=method or door.method,
            body=body,
            headers=sent,
            expect_errors=True,
        )
        self._used.add(door)
        if (method or door.method) in WRITES and answer.status_int < 400:
            self._renew(door)
        return answer

    def at_once(self, door: Door, number: int) -> list[TestResponse]:
        """Call as often at the same moment, each time with the door's credential and nothing else."""
        shown = self.present(door)
        url = door.path + (f"?{shown.query}" if shown.query else "")
        with ThreadPoolExecutor(number) as threads:
            calls = [
                threads.submit(
                    TestApp(self.app.app, extra_environ=dict(NEARBY)).request,
                    url,
                    method=door.method,
                    headers=dict(shown.headers),
                    expect_errors=True,
                )
                for _ in range(number)
            ]
        self._used.add(door)
        self._renew(door)
        return [call.result() for call in calls]

    def ended_meanwhile(self, door: Door) -> tuple[TestResponse, bool | None]:
        """Call, and have the door's credential ended when the call begins to change something.

        :returns: the answer, and whether something was changed after that; None where it did not begin to
        """
        holder = self.holder(door)
        return self._meanwhile(door, holder, partial(end, self._stores, door.kind, holder))

    def narrowed_meanwhile(self, door: Door) -> tuple[TestResponse, bool | None]:
        """As :meth:`ended_meanwhile`; the credential is not good for the door any more
        (:func:`losses.can_be_narrowed`).
        """
        holder = losses.narrowable(self.holder(door))
        with losses.narrowing(self._stores, door.kind, holder, door.row.permission) as narrow:
            return self._meanwhile(door, holder, narrow)

    def demoted_meanwhile(self, door: Door) -> tuple[TestResponse, bool | None]:
        """As :meth:`ended_meanwhile`, by an administrator, who is none any more."""
        with losses.demoting(self._stores, self._admin) as demote:
            return self._meanwhile(door, self._admin, demote)

    def is_of_others(self, door: Door) -> bool:
        """Whether it changes an account in its URL, or administers all: nothing of an administrator's own."""
        names_account = {"{username}", "{id}", "{account}"} & set(door.row.path.split("/"))
        return bool(names_account) or self.holder(door) is self._admin

    def _meanwhile(
        self, door: Door, holder: Holder, lose: Callable[[], None]
    ) -> tuple[TestResponse, bool | None]:
        shown, states = present(door.kind, holder), []

        def happen() -> None:
            lose()
            states.append(dump(self.app))

        self.app.reset()
        with before_change(self._stores, happen):
            answer = self.app.request(
                door.path + (f"?{shown.query}" if shown.query else ""),
                method=door.method,
                headers=dict(shown.headers),
                expect_errors=True,
            )
        is_changed = dump(self.app) != states[0] if states else None
        self._used.add(door)
        self._renew(door)
        return answer, is_changed

    def door(self, method: str, path: str) -> Door:
        """The first one there."""
        return next(door for door in self.doors if (door.method, door.path) == (method, path))

    def check(self) -> None:
        """Each credential that was used opens its door: a call with nothing else in it is not refused for it.

        The call is made, whatever it does.
        """
        assert self._used, "nothing was called"
        used = [door for door in self.doors if door in self._used]
        refused = [(door.method, door.path, door.kind) for door in used if refuses(door, self(door))]
        assert not refused, f"refused for the credential, whatever the test sent: {refused}"

    def _renew(self, door: Door) -> None:
        """Whoever called there; what an owner does ends nothing of an administrator's."""
        is_by_owner = door.kind != VISITOR and self.holder(door) is self._owner
        self._owner = self._living(self._owner)
        if not is_by_owner:
            self._admin = self._living(self._admin)

    def _living(self, holder: Holder) -> Holder:
        """The same with what can still prove it, and the rest anew; a new account if the old one is gone."""
        stores, person = self._stores, holder.person
        with stores.transaction() as store:
            connection = store.session.connection()
            row = store.reader.by_username(person.username)
            api_key = api_keys.reveal(store, row) if row is not None else None
            has_session = sessions.find(connection, holder.cookie) is not None
            has_token = not isinstance(tokens.find(connection, holder.token), DeadToken)
            has_token = has_token and clients.find(connection, client_of(holder)) is not None
            signs = jwt_keys.find(store, holder.signing.key) is not None
            has_named = store.reader.by_api_key(holder.named[FULL]) is not None
        if api_key is None:
            self._erase(person)
            return hold(stores, self._register(person.username))
        holder = holder._replace(person=replace(person, api_key=api_key))
        if not has_session:
            holder = renew_session(stores, holder)
        if not has_token:
            holder = renew_tokens(stores, holder)
        if not signs:
            holder = renew_signing(stores, holder)
        if not has_named:
            holder = renew_named(stores, holder)
        return holder

    def _erase(self, person: Person) -> None:
        """As a worker does, if the account's deletion was asked for."""
        with self._stores.transaction() as store:
            store.session.execute(delete(Account).where(Account.id == person.id))


def refuses(door: Door, answer: TestResponse) -> bool:
    """Whether an answer says that a credential is missing or does not do.

    Endpoints that ask for a client, which is no credential of the tree, may say 401 to a visitor.
    """
    if answer.status_int == 400 and (b"CSRF" in answer.body or STALE_FORM in answer.body):
        return True
    if door.kind == VISITOR:
        return door.row.permission != OPEN
    return answer.status_int in (401, 403) or is_sign_in(answer)


def is_sign_in(answer: TestResponse) -> bool:
    """Whether it is the page on which people sign in, or leads there; not that which asks somebody who is
    signed in for the password again.
    """
    leads_there = answer.status_int == 303 and urlsplit(answer.location).path == "/account/signin"
    asks_again = b'id="confirm"' in answer.body
    return leads_there or (b'name="password"' in answer.body and not asks_again)


def dump(app: TestApp, *, audited: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that belongs to an account or is to be done for one.

    :param audited: whether the audit belongs to it, in which refusals stand
    """
    with app.app.registry.database.read_engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            if audited or table is not AuditEvent.__table__
        }
