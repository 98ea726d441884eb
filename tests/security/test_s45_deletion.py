"""S45: of a deleted account nothing is left in the database but rows that name nobody."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from sqlalchemy import Text, insert, select, text
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import signin
from accountsapp.domain.data.activity_models import Collection, Review
from accountsapp.domain.data.fates import FATES
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import Account, Base, EmailAddress
from accountsapp.domain.data.oauth_models import AccessToken, OAuthClient, OAuthCode, OAuthGrant, RefreshToken
from accountsapp.domain.data.preference_models import Preference, SocialLink
from accountsapp.domain.data.reads import sealed_api_key
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.pictures.decoding import PNG, picture_of
from accountsapp.domain.transfer import archives
from accountsapp.process import Process
from accountsapp.testing.credentials import hold, present
from accountsapp.testing.people import Person
from tests.support.activity import add_addon, add_project, contribute
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox
from tests.support.pictures import encoded, quarters

CANARY = "canary"
ADDRESS = "203.0.113.77"
PASSWORD = "the canary's own password"
Door = Callable[[TestApp, Process, Person, Person], None]
"""A way to delete the canary, of which the last one is an administrator."""


class Invitation(NamedTuple):
    """Who invited an account."""

    invited_by: str | None


def test_s45_every_table_of_an_account_has_its_fate() -> None:
    """A new one must be given its fate, and the canaries below must be put into it."""
    declared = {
        (table.name, column.name): key.ondelete
        for table in Base.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "account"
    }
    assert declared == FATES


def dump(database: Database) -> bytes:
    """All that is stored: the rows of every table, and on SQLite the bytes of the files too."""
    with database.read_engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in connection.execute(select(table))
        ]
        raw = b""
        if database.is_sqlite:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            name = database.url.database
            assert name is not None
            raw = b"".join(path.read_bytes() for path in Path(name).parent.glob(f"{Path(name).name}*"))
    return "\n".join(rows).encode() + raw


@pytest.fixture
def canary(
    app: TestApp,
    register: Callable[..., Person],
    stores: Process,
    admin: Person,
    bob: Person,
    outbox: Outbox,
) -> Person:
    """An account with a canary wherever one can be."""
    fields: dict[str, Any] = {}
    for column in Account.__table__.columns:
        given = column.name in (
            "id",
            "username",
            "username_key",
            "password_hash",
            "state",
            "version",
            "signup",
        )
        if given or column.name.startswith("pending") or not column.nullable:
            continue
        if isinstance(column.type, Text):
            fields[column.name] = f"{CANARY} {column.name}"
    person = register(
        CANARY,
        f"{CANARY}@example.com",
        password=PASSWORD,
        info={"x": f"{CANARY} info"},
        notifications={CANARY: True},
        language_proficiencies=[{"code": CANARY}],
        invite_ct=1,
        **fields,
    )
    bookie = Bookie(app)
    key = {"api_key": person.api_key}
    with stores.transaction(ADDRESS) as store:
        row = signin.authenticate(store, CANARY, PASSWORD)
        signin.sign_in(store, row)
        account = lock(store.session, person.id)
        for purpose in (Purpose.RESET, Purpose.VERIFY_EMAIL):
            links.make(store.session, account, purpose, f"{CANARY}.link@example.com", 600)
        further = {"address": f"{CANARY}.2@example.com", "address_key": f"{CANARY}.2@example.com"}
        store.session.execute(insert(EmailAddress).values(account_id=person.id, **further))
        audit.record(store.session, Event.REFUSED, account_id=person.id, actor_id=bob.id, address=ADDRESS)
        audit.record(store.session, Event.REFUSED, account_id=bob.id, actor_id=person.id, address=ADDRESS)
        client = OAuthClient(
            client_id=CANARY, name=CANARY, redirect_uris=[], scopes=[CANARY], owner_id=person.id
        )
        store.session.add(client)
        store.session.flush()
        grant = OAuthGrant(client_id=client.id, account_id=person.id, scope=CANARY)
        store.session.add(grant)
        store.session.flush()
        later = now() + timedelta(days=1)
        of_grant: dict[str, Any] = {"grant_id": grant.id, "expires": later}
        store.session.add(OAuthCode(**of_grant, digest=b"code", redirect_uri=CANARY))
        store.session.add(RefreshToken(**of_grant, digest=b"refresh"))
        store.session.add(AccessToken(**of_grant, digest=b"access", account_id=person.id, scope=CANARY))
        store.session.add(Preference(account_id=person.id, name=CANARY, value=CANARY))
        store.session.add(SocialLink(account_id=person.id, platform=CANARY, url=CANARY))
        addon_id = add_addon(store.session, CANARY, [person.id])
        store.session.add(Review(account_id=person.id, addon_id=addon_id, body=CANARY))
        store.session.add(Review(account_id=bob.id, addon_id=addon_id, body=CANARY))
        store.session.add(Collection(account_id=person.id, slug=CANARY, name=CANARY))
        draft = add_project(store.session, CANARY, person.id, published=False, info={"x": CANARY})
        contribute(store.session, draft, person.id, [CANARY])
    given = {**key, "email": f"{CANARY}.pending@example.com"}
    assert bookie("POST", f"/{CANARY}/account", form=given).status_int == 200
    assert bookie("POST", "/suspend", form={"email": person.email}).status_int == 200
    given = {**key, "email": "friend@example.com"}
    assert bookie("POST", f"/{CANARY}/invite", form=given).status_int == 200
    picture = picture_of(encoded(quarters()), formats=frozenset({PNG}), most_bytes=10_000)
    with stores.transaction() as store:
        profile.change(store, person.id, picture=picture)
    with stores.transaction() as store:
        archives.ask(store, person.id)
    outbox.take()
    return person


def by_an_administrator(app: TestApp, stores: Process, canary: Person, admin: Person) -> None:
    assert app.delete(f"/api/v1/a/users/delete/{CANARY}?api_key={admin.api_key}").status_int == 200


def by_the_owner(method: str, path: str, kind: str, status: int, **form: str) -> Door:
    def delete(app: TestApp, stores: Process, canary: Person, admin: Person) -> None:
        shown = present(kind, hold(stores, canary))
        options: dict[str, Any] = {"headers": dict(shown.headers), "environ": {"REMOTE_ADDR": ADDRESS}}
        if form:
            options |= {"body": urlencode(form).encode(), "content_type": "application/x-www-form-urlencoded"}
        assert app.request(path, method=method, **options).status_int == status

    return delete


def by_the_operator(app: TestApp, stores: Process, canary: Person, admin: Person) -> None:
    with stores.transaction() as store:
        store.operator = "root"
        lifecycle.delete(store, canary.id)


EDX = "/api/user/v1/accounts/deactivate_logout/"
DOORS: dict[str, Door] = {
    "Bookie": by_an_administrator,
    "PYBOSSA": by_the_owner("POST", f"/account/{CANARY}/delete", "session", 303),
    "AMO": by_the_owner("DELETE", f"/api/v5/accounts/account/{CANARY}/", "jwt", 204),
    "AMO by session": by_the_owner("DELETE", f"/api/v5/accounts/account/{CANARY}/", "session header", 204),
    "Open edX": by_the_owner("POST", EDX, "session", 204, password=PASSWORD),
    "operator": by_the_operator,
}


@pytest.mark.parametrize("door", DOORS)
def test_s45_nothing_is_left(
    door: str,
    app: TestApp,
    canary: Person,
    admin: Person,
    database: Database,
    stores: Process,
    outbox: Outbox,
) -> None:
    before = dump(database)
    with stores.transaction() as store:
        row = store.reader.by_id(canary.id)
        assert row is not None
        sealed = sealed_api_key(store.connection, canary.id)
        hashed = store.reader.password_hash(canary.id)
    assert sealed
    assert hashed
    traces = [CANARY, ADDRESS, sealed, hashed]
    assert all(trace.encode() in before for trace in traces)

    DOORS[door](app, stores, canary, admin)
    outbox.take()

    assert [path for path in stores.settings.files.rglob("*") if path.is_file()] == []
    left = dump(database)
    assert [trace for trace in traces if trace.encode() in left] == []
    with stores.transaction() as store:
        rows = list(audit.listing(store.connection, since=now() - timedelta(hours=1)))
        friend = store.reader.by_username("friend@example.com")
        assert friend is not None
        assert profile.read(store, friend.id, Invitation).invited_by is None
    (gone,) = [row for row in rows if row.event == Event.DELETED]
    assert (gone.account, gone.actor) == (None, "admin" if door == "Bookie" else None)
    assert gone.detail["was"] == canary.id


def test_s45_the_name_and_the_address_are_free_again(
    canary: Person, admin: Person, stores: Process, app: TestApp
) -> None:
    with stores.transaction() as store:
        lifecycle.delete(store, canary.id)
    added = app.post(
        "/api/v1/a/users/add", {"api_key": admin.api_key, "username": CANARY, "email": canary.email}
    )
    assert added.json["username"] == CANARY
    assert app.get(f"/api/v1/{CANARY}/ping?api_key={canary.api_key}", expect_errors=True).status_int == 403
