"""S46: what is stored about somebody, for its owner alone, for a while, and without what would prove him."""

import io
import json
import re
import stat
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
import time_machine
from sqlalchemy import insert, select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle, preferences, profile
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.data.activity_models import Collection, Review
from accountsapp.domain.data.archive_models import Archive
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import EmailAddress, JobState
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.data.reads import sealed_api_key
from accountsapp.domain.errors import EmailNotVerified
from accountsapp.domain.pictures.decoding import PNG, picture_of
from accountsapp.domain.transfer import archives
from accountsapp.domain.transfer.record import COLUMNS
from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.people import SITE_URL, Person
from accountsapp.worker import Worker
from tests.support.activity import add_addon, add_project, contribute
from tests.support.jobs import all_jobs, let_time_pass
from tests.support.outbox import Outbox, text_of
from tests.support.pictures import encoded, opened, quarters

LINK = re.compile(rf"(\S+\.zip)\s+({SITE_URL}/exports/\S+)")


def ask(stores: Process, person: Person) -> None:
    with stores.transaction() as store:
        store.actor = Actor(person.id)
        archives.ask(store, person.id)


def links_of(outbox: Outbox, person: Person) -> dict[str, str]:
    """The path of the link to each archive, by its name."""
    found = LINK.findall(text_of(outbox.to(person.email)))
    return {name: urlsplit(url).path for name, url in found}


def members(body: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        for member in archive.infolist():
            assert re.fullmatch(r"[a-z_]+\.(json|png)", member.filename), "flat and safe"
            assert stat.S_IMODE(member.external_attr >> 16) == 0o600
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def secrets(stores: Process, alice: Person) -> list[str]:
    """What proves alice, or is kept for proving her."""
    holder = hold(stores, alice)
    with stores.transaction() as store:
        sealed = sealed_api_key(store.connection, alice.id)
        hashed = store.reader.password_hash(alice.id)
    assert sealed
    assert hashed
    assert alice.password
    return [alice.api_key, alice.password, sealed, hashed, holder.token, holder.cookie, "hidden"]


def test_s46_all_that_is_stored(
    app: TestApp,
    stores: Process,
    alice: Person,
    bob: Person,
    outbox: Outbox,
    secrets: list[str],
) -> None:
    picture = picture_of(encoded(quarters()), formats=frozenset({PNG}), most_bytes=10_000)
    texts = {"biography": "Curiouser ☃", "year_of_birth": 1990, "subscribed": True}
    info = {"puzzles": [1, {"x": None}], "twitter_token": "hidden", "twitter_user_id": "77"}
    with stores.transaction() as store:
        profile.change(
            store, alice.id, {**texts, "info": info, "company": None, "ckan_api": "hidden"}, picture=picture
        )
    with stores.transaction() as store:
        further = {"address": "more@example.com", "address_key": "more@example.com"}
        store.session.execute(insert(EmailAddress).values(account_id=alice.id, **further))
        preferences.set_values(store.session, alice.id, {"pref-lang": "de"})
        preferences.set_values(store.session, bob.id, {"pref-lang": "fr"})
        preferences.set_links(store.session, alice.id, {"twitter": "https://twitter.com/alice"})
        addon_id = add_addon(store.session, "tea", [bob.id])
        store.session.add(Review(account_id=alice.id, addon_id=addon_id, rating=4, body="good"))
        store.session.add(Review(account_id=bob.id, addon_id=addon_id, rating=1, body="bob's"))
        store.session.add(Collection(account_id=alice.id, slug="cups", name="Cups"))
        mine = add_project(store.session, "mine", alice.id, published=False, info={"x": 1})
        others = add_project(store.session, "others", bob.id)
        contribute(store.session, mine, bob.id, ["bob-task"])
        contribute(store.session, others, alice.id, [*range(1500), "last"])
    with stores.transaction() as store:
        key = named_keys.add(
            store, alice.id, name="laptop", scopes=["key:read"], lifetime=None, by=By.PAGE, most=20
        )
        named_keys.add(store, bob.id, name="bob's", scopes=None, lifetime=None, by=By.PAGE, most=20)
    outbox.take()
    secrets = [*secrets, key.api_key, sha256(key.api_key.encode()).hexdigest()]
    ask(stores, alice)
    paths = links_of(outbox, alice)
    assert list(paths) == ["personal_data.zip", "user_projects.zip", "user_contributions.zip"]
    assert len(set(paths.values())) == 3

    found: dict[str, bytes] = {}
    for name, path in paths.items():
        answer = app.get(path)
        assert answer.content_type == "application/zip"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_length == len(answer.body)
        assert app.head(path).body == b""
        found |= members(answer.body)
    assert sorted(found) == [
        "avatar.png",
        "personal_data.json",
        "user_contributions.json",
        "user_projects.json",
    ]
    assert opened(found["avatar.png"]).size == (60, 40)

    personal = json.loads(found["personal_data.json"])
    record_keys = {*COLUMNS, "emails", "activated", "id", "created", "reviews", "collections"}
    record_keys |= {"preferences", "social_links", "api_keys"}
    assert personal.keys() <= record_keys
    assert not {key for key, value in personal.items() if value is None}
    assert (personal["id"], personal["username"], personal["name"]) == (alice.id, "alice", "Alice Liddell")
    assert {key: personal[key] for key in texts} == texts
    assert personal["info"] == {"puzzles": [1, {"x": None}], "twitter_user_id": "77"}
    assert personal["emails"] == [
        {"email": alice.email, "verified": True, "primary": True},
        {"email": "more@example.com", "verified": False, "primary": False},
    ]
    (shown,) = [key for key in personal["api_keys"] if key["name"] == "laptop"]
    assert shown == {
        "name": "laptop",
        "scopes": ["key:read"],
        "created": f"{key.key.created:%Y-%m-%dT%H:%M:%SZ}",
        "expires": None,
    }
    assert personal["preferences"] == {"pref-lang": "de"}
    assert personal["social_links"] == {"twitter": "https://twitter.com/alice"}
    assert personal["reviews"] == [{"addon": "tea", "rating": 4, "body": "good"}]
    assert personal["collections"] == [{"slug": "cups", "name": "Cups"}]
    assert personal["last_login"]
    assert personal["last_login_ip"] == "127.0.0.1"
    (project,) = json.loads(found["user_projects.json"])
    assert (project["short_name"], project["info"], project["published"]) == ("mine", {"x": 1}, False)
    contributions = json.loads(found["user_contributions.json"])
    assert [row["task"] for row in contributions].count("last") == 1
    assert len(contributions) == 1501
    assert {row["project"] for row in contributions} == {"others"}

    everything = b"\n".join(found.values())
    assert [secret for secret in secrets if secret.encode() in everything] == []
    assert b"bob" not in everything


def test_s46_only_what_there_is(app: TestApp, stores: Process, alice: Person, outbox: Outbox) -> None:
    ask(stores, alice)
    paths = links_of(outbox, alice)
    assert list(paths) == ["personal_data.zip"]
    found = members(app.get(paths["personal_data.zip"]).body)
    assert list(found) == ["personal_data.json"]
    personal = json.loads(found["personal_data.json"])
    assert (personal["reviews"], personal["collections"]) == ([], [])


def test_s46_only_to_a_verified_address(
    stores: Process, register: Callable[..., Person], outbox: Outbox
) -> None:
    carol = register("carol", verified=False)
    with pytest.raises(EmailNotVerified):
        ask(stores, carol)
    assert outbox.take() == []


def test_one_at_a_time(stores: Process, alice: Person, outbox: Outbox, database: Database) -> None:
    for _ in range(3):
        ask(stores, alice)
    assert [job.name for job in all_jobs(database)] == [archives.EXPORT]
    assert len(outbox.take()) == 1
    ask(stores, alice)
    assert len(outbox.take()) == 1


def dead(app: TestApp, path: str) -> bool:
    answer = app.get(path, expect_errors=True)
    assert answer.content_type == "text/html"
    return answer.status_int == 404


def test_s46_the_link_dies_in_time(
    app: TestApp, stores: Process, alice: Person, outbox: Outbox, database: Database
) -> None:
    ask(stores, alice)
    (path,) = links_of(outbox, alice).values()
    life = timedelta(seconds=stores.settings.export_expire)
    with time_machine.travel(now() + life - timedelta(minutes=1), tick=False):
        assert app.get(path)
    with time_machine.travel(now() + life + timedelta(minutes=1), tick=False):
        assert dead(app, path)
    let_time_pass(database)
    with time_machine.travel(now() + life + timedelta(minutes=1), tick=False):
        outbox.take()
    assert zips(stores) == []
    with database.read_engine.connect() as connection:
        assert connection.execute(select(Archive)).all() == []
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}


def zips(stores: Process) -> list[str]:
    return [path.name for path in (stores.settings.files / "exports").rglob("*.zip")]


def test_s46_nobody_guesses_it(app: TestApp, stores: Process, alice: Person, outbox: Outbox) -> None:
    ask(stores, alice)
    (path,) = links_of(outbox, alice).values()
    (name,) = zips(stores)
    code = path.rpartition("/")[2]
    assert len(code) == 43
    stem = name.removesuffix(".zip")
    assert dead(app, f"/exports/{code[:-1]}{'A' if code[-1] != 'A' else 'B'}")
    for wrong in (
        code.upper(),
        stem,
        name,
        "personal_data.zip",
        "%00",
        f"..%2fuser_{alice.id}%2f{name}",
        "%ff",
    ):
        assert app.get(f"/exports/{wrong}", status=404)
    for wrong in ("/exports", "/exports/", f"{path}/x", f"/uploads/user_{alice.id}/{name}"):
        assert app.get(wrong, status=404)
    assert app.post(path, status=405)


@pytest.mark.parametrize("delete", [lifecycle.delete, lifecycle.ask_deletion])
def test_s46_it_goes_with_the_account(
    delete: Callable[..., None], app: TestApp, stores: Process, alice: Person, outbox: Outbox
) -> None:
    ask(stores, alice)
    (path,) = links_of(outbox, alice).values()
    with stores.transaction() as store:
        delete(store, alice.id)
    assert dead(app, path)
    outbox.take()
    assert dead(app, path)
    assert zips(stores) == []


def test_an_account_that_is_deleted_before_it_gets_its_archives(
    stores: Process, alice: Person, outbox: Outbox, database: Database
) -> None:
    ask(stores, alice)
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    assert [str(message["Subject"]) for message in outbox.take()] == [
        "accounts.example.org: your account was deleted"
    ]
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}


@pytest.mark.parametrize("trouble", ["deleted", "unverified"])
def test_what_changes_while_archives_are_written(
    trouble: str, stores: Process, alice: Person, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = archives._hand_over

    def late(*arguments: Any) -> None:
        with stores.transaction() as store:
            if trouble == "deleted":
                lifecycle.delete(store, alice.id)
            else:
                lock(store.session, alice.id).primary_email.verified = False
        real(*arguments)

    ask(stores, alice)
    monkeypatch.setattr(archives, "_hand_over", late)
    subjects = [str(message["Subject"]) for message in outbox.take()]
    assert not [subject for subject in subjects if "stored about you" in subject]
    assert zips(stores) == []


def test_files_are_their_users_alone(stores: Process, alice: Person, outbox: Outbox) -> None:
    ask(stores, alice)
    outbox.take()
    exports = stores.settings.files / "exports"
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in (exports, *exports.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}
    assert stat.S_IMODE(stores.settings.files.stat().st_mode) == 0o755, "pictures are in it too"


def test_no_room_for_it(
    stores: Process, alice: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again; nothing half-written stays."""
    ask(stores, alice)

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("accountsapp.domain.transfer.archives.os.fsync", fail)
        Worker(stores).run_until_empty()
    (job,) = all_jobs(database)
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    assert zips(stores) == []
