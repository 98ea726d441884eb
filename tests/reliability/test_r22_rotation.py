"""R22: a new first value of ``accountsapp.secret``, under load, interrupted, and the old value taken away."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import registration
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Job
from accountsapp.domain.errors import ApiKeyTaken
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rotation import Rotated, rotate
from accountsapp.domain.throttle import Throttle
from accountsapp.process import Process
from accountsapp.settings import load
from accountsapp.testing.people import SECRET, Person
from tests.support import killing

NEW = "n" * 40
BOTH = f"{NEW} {SECRET}"
ACCOUNTS = 1500


@pytest.fixture
def keys(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Accounts whose keys the old secret sealed: username to key."""
    path = tmp_path / "accounts.jsonl"
    made = killing.write_records(path, ACCOUNTS)
    killing.finish(killing.import_accounts, database_url, SECRET, str(path), False)
    return {f"u{number}": key for number, key in enumerate(made)}


def by_old_secret(database: Database, keyring: Keyring) -> int:
    with database.read_engine.connect() as connection:
        statement = select(func.count()).where(ApiKey.secret_id != keyring.secret_id)
        return connection.scalar(statement) or 0


class Load:
    """People who read their accounts all the time, and some who reset their keys."""

    def __init__(self, app: Any, keys: dict[str, str]) -> None:
        self.app = app
        self.keys = keys
        self.ended = threading.Event()
        self.refused: list[str] = []
        self.done = 0
        names = sorted(keys)
        self.threads = [
            threading.Thread(target=self.read, args=(names[::2],)),
            threading.Thread(target=self.reset, args=(names[1::2],)),
        ]

    def read(self, names: list[str]) -> None:
        client = TestApp(self.app)
        while not self.ended.is_set():
            name = random.choice(names)
            self.check(
                client.get(f"/api/v1/{name}/account", {"api_key": self.keys[name]}, expect_errors=True)
            )

    def reset(self, names: list[str]) -> None:
        client = TestApp(self.app)
        while not self.ended.is_set():
            name = random.choice(names)
            url = f"/api/v1/{name}/api_key"
            answer = client.post(url, {"api_key": self.keys[name]}, expect_errors=True)
            self.check(answer)
            if answer.status_int == 200:
                self.keys[name] = answer.json["api_key"]

    def check(self, answer: Any) -> None:
        self.done += 1
        if answer.status_int != 200:
            self.refused.append(f"{answer.status} {answer.text}")

    def wait(self, number: int) -> None:
        """Until as many more requests are answered."""
        enough, give_up = self.done + number, time.monotonic() + 60
        while self.done < enough and time.monotonic() < give_up:
            time.sleep(0.01)

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_r22_under_load_and_interrupted(
    make_app: Callable[..., Any], ini: dict[str, str], keys: dict[str, str]
) -> None:
    changed = {**ini, "accountsapp.secret": BOTH}
    app = make_app(**{"accountsapp.secret": BOTH})
    keyring = Keyring((NEW, SECRET))
    database = app.registry.database
    with Load(app, keys) as load:
        left = [by_old_secret(database, keyring)]
        for _ in range(6):
            load.wait(4)
            killing.kill_after(random.uniform(0.05, 0.4), killing.rotate_secrets, changed)
            left.append(by_old_secret(database, keyring))
        killing.finish(killing.rotate_secrets, changed)
    assert load.refused == []
    assert load.done > 20
    assert left == sorted(left, reverse=True)
    assert by_old_secret(database, keyring) == 0
    without_the_old_one = TestApp(make_app(**{"accountsapp.secret": NEW}))
    for name, key in keys.items():
        without_the_old_one.get(f"/api/v1/{name}/account", {"api_key": key})
    for name in random.sample(sorted(keys), 20):
        shown = without_the_old_one.get(f"/api/v1/{name}/api_key", {"api_key": keys[name]})
        assert shown.json["api_key"] == keys[name]


def test_a_key_that_is_reset_between_reading_and_writing_is_not_lost(
    make_app: Callable[..., Any], alice: Person
) -> None:
    app = make_app(**{"accountsapp.secret": BOTH})
    client, stores = TestApp(app), app.registry.process
    answers = []

    def write_late(work: Callable[..., Any]) -> Any:
        answers.append(client.post("/api/v1/alice/api_key", {"api_key": alice.api_key}))
        return stores.database.write(work)

    with stores.transaction() as store:
        assert rotate(store, write_late).api_keys == 0
    client.get("/api/v1/alice/account", {"api_key": answers[0].json["api_key"]})
    client.get("/api/v1/alice/account", {"api_key": alice.api_key}, status=403)


def test_queued_mails_are_sealed_anew(
    stores: Process, database: Database, make_app: Callable[..., Any]
) -> None:
    with database.begin() as session:
        notices.queue(
            session, stores.keyring, Notice.API_KEY_RESET, to="a@example.com", account=None, username="a"
        )
    rotated_stores = make_app(**{"accountsapp.secret": BOTH}).registry.process
    with rotated_stores.transaction() as store:
        assert rotate(store, database.write) == Rotated(mails=1)
    with database.begin() as session:
        job = session.scalars(select(Job)).one()
        assert notices.unseal(Keyring((NEW,)), job.payload) == ("a@example.com", {"username": "a"})


def test_a_key_that_an_older_secret_sealed_is_taken(
    make_app: Callable[..., Any], stores: Process, alice: Person
) -> None:
    rotating = make_app(**{"accountsapp.secret": BOTH}).registry.process
    with pytest.raises(ApiKeyTaken), rotating.transaction() as store:
        registration.register(store, "thief", "thief@example.com", api_key=alice.api_key)
    with rotating.transaction() as store:
        assert rotate(store, rotating.database.write).api_keys == 1
    with rotating.transaction() as store:
        found = store.reader.by_api_key(alice.api_key)
        assert found is not None
        row, _key = found
        assert row.username == "alice"


def test_nothing_to_do(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        assert rotate(store, stores.database.write) == Rotated()


def test_a_key_whose_secret_is_gone_is_counted_and_left(
    make_app: Callable[..., Any], ini: dict[str, str], alice: Person, database: Database
) -> None:
    settings = load({**ini, "accountsapp.secret": NEW}, environ={})
    with Process(settings, database, Throttle(enabled=False)).transaction() as store:
        assert rotate(store, database.write) == Rotated(unreadable=1)
    stores = make_app(**{"accountsapp.secret": BOTH}).registry.process
    with stores.transaction() as store:
        assert rotate(store, database.write) == Rotated(api_keys=1)


def test_r22_a_server_that_does_not_know_the_new_secret_says_so(
    app: TestApp, make_app: Callable[..., Any], alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """It would refuse every key as an unknown one."""

    def rotate_to(secrets: str) -> None:
        rotating = make_app(**{"accountsapp.secret": secrets}).registry.process
        with rotating.transaction() as store:
            assert rotate(store, rotating.database.write).api_keys == 1

    rotate_to(BOTH)
    for _ in range(3):
        ready = app.get("/readyz", status=503).json
    assert ready["status"] == "unavailable"
    assert ready["checks"]["keys"] == "accountsapp.secret opens none of them"
    rotate_to(f"{SECRET} {NEW}")
    assert app.get("/readyz").json == {"status": "ok", "checks": {"database": "ok", "write": "ok"}}
    assert caplog.text.count("accountsapp.secret opens none of the stored API keys: ") == 1
    assert caplog.text.count("accountsapp.secret opens them again") == 1
