"""Named API keys in account records: import, export (keys 6)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.process import Process
from accountsapp.testing.named_keys import make_older
from accountsapp.testing.people import Person
from tests.cli.conftest import Ran, Run
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox

Load = Callable[..., Ran]
OTHER_SECRET = "o" * 40
ONE_LINE = {"created": 1, "updated": 0, "failed": 0}
UPDATED = {"created": 0, "updated": 1, "failed": 0}


def carol(*api_keys: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"username": "carol", "email": "carol@example.com", "api_keys": list(api_keys), **fields}


def update(*api_keys: dict[str, Any]) -> dict[str, Any]:
    return {"username": "carol", "api_keys": list(api_keys)}


def hash_of(api_key: str) -> str:
    return sha256(api_key.encode()).hexdigest()


def text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def listed(run: Run, username: str = "carol") -> list[dict[str, Any]]:
    return run("api-keys", "list", username, "--json").jsons


def names(run: Run) -> list[tuple[str, str]]:
    return sorted((key["name"], key["state"]) for key in listed(run))


@pytest.fixture
def opens(bookie: Bookie) -> Callable[..., bool]:
    def opens(api_key: str, username: str = "carol") -> bool:
        return bookie("GET", f"/{username}/account", query={"api_key": api_key}).status_int == 200

    return opens


Opens = Callable[..., bool]


def test_keys_as_given_and_by_their_hash(run: Run, load: Load, opens: Opens, outbox: Outbox) -> None:
    ours, older, hashed = make_api_key(), "an older system's", make_api_key()
    created, expires = text_of(now() - timedelta(days=9)), text_of(now() + timedelta(days=9))
    ran = load(
        carol(
            {"name": " laptop ", "api_key": ours, "created": created, "expires": expires},
            {
                "name": "old",
                "api_key": older,
                "scopes": ["key:read", "account:read", "key:read"],
                "created": None,
            },
            {"name": "hashed", "key_sha256": hash_of(hashed).upper(), "scopes": None, "expires": None},
            {"name": "nothing"},
            {"name": "neither", "api_key": None, "key_sha256": None},
        )
    )
    assert ran.json == ONE_LINE
    keys = {key["name"]: key for key in listed(run)}
    assert keys.keys() == {"laptop", "old", "hashed"}
    assert (keys["laptop"]["created"], keys["laptop"]["expires"]) == (created, expires)
    assert [keys[name]["prefix"] for name in ("laptop", "old", "hashed")] == [ours[:9], None, None]
    assert keys["old"]["scopes"] == ["account:read", "key:read"]
    assert (keys["laptop"]["scopes"], keys["hashed"]["scopes"], keys["hashed"]["expires"]) == (
        None,
        None,
        None,
    )
    assert abs(datetime.fromisoformat(keys["old"]["created"]) - now()) < timedelta(minutes=1)
    assert {(key["state"], key["last_used"], key["last_used_in"]) for key in keys.values()} == {
        ("active", None, None)
    }
    assert all(opens(key) for key in (ours, older, hashed))
    assert not opens(hash_of(hashed))
    assert outbox.take() == []


def test_one_that_has_expired_comes_in_expired(run: Run, load: Load, opens: Opens) -> None:
    keys = [make_api_key() for _ in range(3)]
    past = text_of(now() - timedelta(days=2))
    load(
        carol(
            {"name": "laptop", "api_key": keys[0], "expires": past},
            {"name": "Laptop", "api_key": keys[1], "expires": past},
            {"name": "LAPTOP", "api_key": keys[2]},
        )
    )
    assert names(run) == [("LAPTOP", "active"), ("Laptop", "expired"), ("laptop", "expired")]
    assert [opens(key) for key in keys] == [False, False, True]


def secrets_of(run: Run) -> list[dict[str, Any]]:
    return run("accounts", "export", "carol", "--with-secrets").json["api_keys"]  # type: ignore[no-any-return]


class TestRoundTrip:
    @pytest.fixture
    def keys(self, run: Run, load: Load) -> list[str]:
        """In clear: an active one, the two of a rotation, one that has expired."""
        load(carol())
        added = [
            run("api-keys", "add", "carol", "--name", name, *options).json
            for name, *options in (
                ("phone", "--scope", "extension"),
                ("laptop", "--no-expiry", "--scope", "full"),
                ("short", "--expires-in", "1"),
            )
        ]
        new = run("api-keys", "rotate", "carol", added[1]["id"], "--overlap", "168").json
        return [key["api_key"] for key in (*added, new)]

    def test_without_secrets(self, run: Run, load: Load, keys: list[str]) -> None:
        out = run("accounts", "export", "carol").out
        assert not any(part in out for key in keys for part in (key, hash_of(key), key[:9]))
        record = run("accounts", "export", "carol").json
        assert [key.keys() for key in record["api_keys"]] == [{"name", "scopes", "created", "expires"}] * 4
        before = listed(run)
        assert load(record, update=True).json == UPDATED
        assert listed(run) == before
        run("accounts", "delete", "carol")
        assert load(record).json == ONE_LINE
        assert listed(run) == []

    def test_with_secrets_under_another_secret(
        self,
        run: Run,
        load: Load,
        keys: list[str],
        opens: Opens,
        ini: dict[str, str],
        ini_file: Path,
        make_app: Callable[..., Any],
    ) -> None:
        before = [{**key, "id": None, "prefix": None, "last_used": None} for key in listed(run)]
        exported = run("accounts", "export", "carol", "--with-secrets")
        assert not any(key in exported.out for key in keys)
        assert {key["key_sha256"] for key in exported.json["api_keys"]} == set(map(hash_of, keys))
        run("accounts", "delete", "carol")
        text = ini_file.read_text()
        ini_file.write_text(text.replace(ini["accountsapp.secret"], OTHER_SECRET))
        assert load(exported.json).json == ONE_LINE
        after = listed(run)
        assert [{**key, "id": None} for key in after] == before
        bookie = Bookie(TestApp(make_app(**{"accountsapp.secret": OTHER_SECRET})))
        for key in keys:
            assert bookie("GET", "/carol/account", query={"api_key": key}).status_int == 200
        assert run("accounts", "export", "carol", "--with-secrets").json == exported.json

    def test_a_week_and_more_later(self, run: Run, load: Load, keys: list[str]) -> None:
        record = run("accounts", "export", "carol", "--with-secrets").json
        run("accounts", "delete", "carol")
        with time_machine.travel(now() + timedelta(days=8)):
            assert load(record).json == ONE_LINE
            assert names(run) == [
                ("laptop", "active"),
                ("laptop", "expired"),
                ("phone", "active"),
                ("short", "expired"),
            ]

    def test_an_account_without_named_keys(self, run: Run, alice: Person) -> None:
        assert run("accounts", "export", "alice").json["api_keys"] == []
        assert run("accounts", "show", "alice").json["api_keys"] == []


KEY = make_api_key()
OTHER_KEY = make_api_key()
SOON = text_of(now() + timedelta(hours=100))


@pytest.mark.parametrize(
    "api_keys",
    [
        "x",
        {},
        ["x"],
        [None],
        [{}],
        [{"api_key": KEY}],
        [{"name": None, "api_key": KEY}],
        [{"name": 1}],
        [{"name": ""}],
        [{"name": " "}],
        [{"name": "x" * 81}],
        [{"name": "a\nb"}],
        [{"name": "a\x00b"}],
        [{"name": "a\ud800"}],
        [{"name": "x", "id": "y"}],
        [{"name": "x", "prefix": None}],
        [{"name": "x", "key_sha256": hash_of(KEY), "api_key": KEY}],
        [{"name": "x", "key_sha256": "f" * 63}],
        [{"name": "x", "key_sha256": "f" * 65}],
        [{"name": "x", "key_sha256": "g" * 64}],
        [{"name": "x", "key_sha256": "f" * 64 + "\n"}],
        [{"name": "x", "api_key": ""}],
        [{"name": "x", "api_key": "y" * 256}],
        [{"name": "x", "api_key": "a\nb"}],
        [{"name": "x", "api_key": KEY[:-1] + ("0" if KEY[-1] != "0" else "1")}],
        [{"name": "x", "api_key": 1}],
        [{"name": "x", "scopes": []}],
        [{"name": "x", "scopes": "account:read"}],
        [{"name": "x", "scopes": ["full"]}],
        [{"name": "x", "scopes": ["account:read", "no:such"]}],
        [{"name": "x", "scopes": [1]}],
        [{"name": "x", "expires": "tomorrow"}],
        [{"name": "x", "created": 7}],
        [{"name": "Straße", "api_key": KEY}, {"name": "STRASSE", "api_key": OTHER_KEY}],
        [
            {"name": "x", "api_key": KEY, "expires": SOON},
            {"name": "x", "api_key": OTHER_KEY, "expires": SOON},
        ],
        [{"name": "x"}, {"name": "X"}],
        [{"name": "x", "api_key": KEY}, {"name": "y", "api_key": KEY}],
        [{"name": "x", "api_key": KEY}, {"name": "y", "key_sha256": hash_of(KEY)}],
        [{"name": str(number), "api_key": f"key {number}"} for number in range(21)],
    ],
)
def test_one_bad_entry_fails_the_line(run: Run, load: Load, api_keys: Any) -> None:
    good = {"username": "dora", "email": "dora@example.com", "api_keys": [{"name": "x", "api_key": "dora's"}]}
    ran = load({**carol(), "api_keys": api_keys}, good, exit_code=1)
    assert ran.json == {"created": 1, "updated": 0, "failed": 1}
    (line,) = ran.err.splitlines()
    assert line.startswith("line 1: ")
    assert "api_keys" in line
    assert not any(part in line for part in (KEY, hash_of(KEY), "no:such", "tomorrow"))
    run("accounts", "show", "carol", exit_code=1)
    assert [key["name"] for key in listed(run, "dora")] == ["x"]


def test_none_at_all(run: Run, load: Load) -> None:
    assert load(carol(api_keys=None)).json == ONE_LINE
    assert listed(run) == []


def test_no_other_key_of_the_product(run: Run, load: Load, opens: Opens, alice: Person, bob: Person) -> None:
    """Default or named, of whomever, in whichever way it is given."""
    named = run("api-keys", "add", "bob", "--name", "laptop").json["api_key"]
    own = make_api_key()
    for record in (
        carol({"name": "x", "api_key": alice.api_key}),
        carol({"name": "x", "api_key": named}),
        carol({"name": "x", "key_sha256": hash_of(named)}),
        carol(api_key=named),
        carol({"name": "x", "api_key": own}, api_key=own),
        carol({"name": "x", "key_sha256": hash_of(own)}, api_key=own),
    ):
        ran = load(record, exit_code=1)
        assert ran.json == {"created": 0, "updated": 0, "failed": 1}
        assert not any(key in ran.err for key in (alice.api_key, named, own))
    assert load(carol({"name": "x", "api_key": own})).json == ONE_LINE
    for key in (alice.api_key, named):
        load(update({"name": "y", "api_key": key}), update=True, exit_code=1)
    load({"username": "carol", "api_key": named}, update=True, exit_code=1)
    load({"username": "carol", "api_key": own}, update=True, exit_code=1)
    assert [opens(own), opens(alice.api_key, "alice"), opens(named, "bob")] == [True] * 3


def test_the_hash_of_a_default_key(run: Run, load: Load, opens: Opens, alice: Person) -> None:
    """Nobody can have it as a named one, its owner neither; nothing else of the file is lost."""
    key, free = make_api_key(), make_api_key()
    entry = {"name": "x", "key_sha256": hash_of(alice.api_key)}
    dora = {"username": "dora", "email": "dora@example.com"}
    refused = load(carol(api_key=key), {**dora, "api_keys": [entry]}, exit_code=1)
    assert refused.json == {"created": 1, "updated": 0, "failed": 1}
    assert refused.err.startswith("line 2: ")
    assert hash_of(alice.api_key) not in refused.err
    ran = load(
        {**dora, "api_keys": [{"name": "x", "key_sha256": hash_of(free)}]},
        update(entry),
        {"username": "alice", "api_keys": [entry]},
        {"username": "alice", "api_keys": [{"name": "x", "key_sha256": hash_of(key)}]},
        {"username": "alice", "api_key": free},
        {"username": "carol", "api_key": free},
        {"username": "dora", "api_key": free},
        update({"name": "x", "key_sha256": hash_of(make_api_key())}),
        update=True,
        exit_code=1,
    )
    assert ran.json == {"created": 1, "updated": 1, "failed": 6}
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == [f"line {n}" for n in range(2, 8)]
    assert [opens(key), opens(alice.api_key, "alice"), opens(free, "dora")] == [True] * 3
    assert (names(run), listed(run, "alice")) == ([("x", "active")], [])


def test_the_hash_of_a_default_key_that_the_same_file_gives_up(run: Run, load: Load, opens: Opens) -> None:
    key, fresh = make_api_key(), make_api_key()
    load(carol(api_key=key))
    load(
        {"username": "carol", "api_key": key},
        {"username": "carol", "api_key": fresh},
        {"username": "dora", "email": "dora@example.com", "api_keys": [{"name": "x", "api_key": key}]},
        update=True,
    )
    assert (opens(key), opens(key, "dora"), opens(fresh)) == (False, True, True)


def test_a_named_key_that_the_same_file_gives_up_under_two_secrets(
    run: Run, load: Load, ini: dict[str, str], ini_file: Path
) -> None:
    """Its row stays under the former secret when it is given again."""
    key, fresh = make_api_key(), make_api_key()
    load(carol({"name": "x", "api_key": key}))
    secret, text = ini["accountsapp.secret"], ini_file.read_text()
    ini_file.write_text(text.replace(secret, f"{OTHER_SECRET} {secret}"))
    dora = {"username": "dora", "email": "dora@example.com"}
    of_other = {**dora, "api_keys": [{"name": "x", "key_sha256": hash_of(key)}]}
    assert load(update({"name": "x", "api_key": key}), of_other, update=True, exit_code=1).json == {
        "created": 0,
        "updated": 1,
        "failed": 1,
    }
    again = update({"name": "x", "api_key": key}), update({"name": "x", "key_sha256": hash_of(fresh)})
    assert load(*again, of_other, update=True).json == {"created": 1, "updated": 2, "failed": 0}
    assert (names(run), len(listed(run, "dora"))) == ([("x", "active")], 1)


def test_a_default_key_that_is_given_again_under_a_new_secret_keeps_its_row(
    load: Load, ini: dict[str, str], ini_file: Path, stores: Process, bob: Person
) -> None:
    """By which a change looks again at whether the key that proved somebody still stands."""

    def row() -> Any:
        with stores.transaction() as store:
            columns = ApiKey.id, ApiKey.secret_id
            return store.connection.execute(select(*columns).where(ApiKey.account_id == bob.id)).one()

    secret, text, before = ini["accountsapp.secret"], ini_file.read_text(), row()
    ini_file.write_text(text.replace(secret, f"{OTHER_SECRET} {secret}"))
    load({"username": "bob", "api_key": bob.api_key}, update=True)
    assert row().id == before.id
    assert row().secret_id != before.secret_id
    load({"username": "bob", "api_key": make_api_key()}, update=True)
    assert row().id != before.id


def test_the_hash_of_an_older_default_key_is_noticed_after_a_rotation(
    run: Run,
    load: Load,
    opens: Opens,
    ini: dict[str, str],
    ini_file: Path,
    make_app: Callable[..., Any],
    stores: Process,
    alice: Person,
    bob: Person,
) -> None:
    """Which needs no new secret for that; a named key of before remains, and opens nothing."""
    load(carol())
    for person in (alice, bob):
        make_older(stores, person.username, person.api_key)
    entry = {"name": "x", "key_sha256": hash_of(bob.api_key)}
    load(update(entry), update=True)
    none = {"jwt_keys": 0, "mails": 0, "unreadable": 0}
    assert run("secrets", "rotate").json == {"api_keys": 1, **none}
    assert run("secrets", "rotate").json == {"api_keys": 0, **none}
    load(update({"name": "y", "key_sha256": hash_of(alice.api_key)}), update=True, exit_code=1)
    load(update(entry), update=True)

    secret, text = ini["accountsapp.secret"], ini_file.read_text()
    ini_file.write_text(text.replace(secret, f"{OTHER_SECRET} {secret}"))
    assert run("secrets", "rotate").json == {"api_keys": 4, **none}
    assert run("secrets", "rotate").json == {"api_keys": 0, **none}
    bookie = Bookie(TestApp(make_app(**{"accountsapp.secret": OTHER_SECRET})))
    for person in (alice, bob):
        for username, status in ((person.username, 200), ("carol", 403)):
            answer = bookie("GET", f"/{username}/account", query={"api_key": person.api_key})
            assert answer.status_int == status
    assert names(run) == [("x", "active")]


@pytest.mark.parametrize("secrets", [(), (OTHER_SECRET,)], ids=["one secret", "two"])
def test_the_hash_of_a_default_key_takes_nothing_from_its_owner(
    secrets: tuple[str, ...],
    run: Run,
    load: Load,
    ini: dict[str, str],
    make_app: Callable[..., Any],
    stores: Process,
    bob: Person,
) -> None:
    """Of an older one an import cannot see that it is one; whose request it is does not change."""
    app = TestApp(make_app(**{"accountsapp.secret": " ".join([*secrets, ini["accountsapp.secret"]])}))
    bookie = Bookie(app)
    load(carol())
    for _ in range(5):  # Which of two rows is found first by its digest is chance.
        key = make_api_key()
        load({"username": "bob", "api_key": key}, update=True)
        make_older(stores, "bob", key)
        load(update({"name": "x", "key_sha256": hash_of(key)}), update=True)
        for username, status in (("bob", 200), ("carol", 403)):
            answer = bookie("GET", f"/{username}/account", query={"api_key": key})
            assert answer.status_int == status
        checked = app.get(
            "/auth/check", headers={"X-Api-Key": key}, extra_environ={"REMOTE_ADDR": "127.0.0.1"}
        ).headers
        assert (checked["X-Auth-User"], checked["X-Auth-Credential"]) == ("bob", "default-key")
        run("api-keys", "revoke", "--key-stdin", input=key, exit_code=1)
    assert names(run) == [("x", "active")]


def test_within_one_file(run: Run, load: Load, opens: Opens) -> None:
    """What a line of the same batch has taken is taken, what one has given up is free."""
    key, fresh = make_api_key(), make_api_key()
    dora = {"username": "dora", "email": "dora@example.com"}
    ran = load(
        carol({"name": "x", "api_key": key}),
        {**dora, "api_keys": [{"name": "x", "key_sha256": hash_of(key)}]},
        {**dora, "api_key": key},
        update({"name": "x", "api_key": fresh}),
        {**dora, "api_keys": [{"name": "x", "key_sha256": hash_of(key)}]},
        update=True,
        exit_code=1,
    )
    assert ran.json == {"created": 2, "updated": 1, "failed": 2}
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["line 2", "line 3"]
    assert (opens(fresh), opens(key), opens(key, "dora")) == (True, False, True)


class TestUpdate:
    def test_an_entry_replaces_the_living_keys_of_its_name(
        self, run: Run, load: Load, opens: Opens, outbox: Outbox
    ) -> None:
        old, other, new = (make_api_key() for _ in range(3))
        load(carol({"name": "Laptop", "api_key": old}, {"name": "phone", "api_key": other}))
        before = {key["name"]: key for key in listed(run)}
        assert (
            load(update({"name": "LAPTOP", "api_key": new, "scopes": ["account:read"]}), update=True).json
            == UPDATED
        )
        after = {key["name"]: key for key in listed(run)}
        assert after.keys() == {"LAPTOP", "phone"}
        assert after["phone"] == before["phone"]
        assert after["LAPTOP"]["id"] != before["Laptop"]["id"]
        assert after["LAPTOP"]["scopes"] == ["account:read"]
        assert [opens(key) for key in (old, other, new)] == [False, True, True]
        assert outbox.take() == []

    def test_both_halves_of_a_rotation_too(self, run: Run, load: Load, opens: Opens) -> None:
        keys = [make_api_key() for _ in range(2)]
        load(carol({"name": "laptop", "api_key": keys[0]}))
        new = run("api-keys", "rotate", "carol", listed(run)[0]["id"], "--overlap", "5").json["api_key"]
        load(update({"name": "laptop", "api_key": keys[1]}), update=True)
        assert names(run) == [("laptop", "active")]
        assert [opens(key) for key in (keys[0], new, keys[1])] == [False, False, True]

    @pytest.mark.parametrize("how", ["api_key", "key_sha256"])
    def test_the_same_secret_has_its_other_fields_set(
        self, run: Run, load: Load, opens: Opens, how: str
    ) -> None:
        key = make_api_key()
        load(carol({"name": "laptop", "api_key": key}))
        before = listed(run)[0]
        secret = {how: key if how == "api_key" else hash_of(key)}
        expires = text_of(now() + timedelta(days=3))
        entry = {
            "name": "LAPTOP",
            "scopes": ["email:read"],
            "created": "2020-01-01",
            "expires": expires,
            **secret,
        }
        assert load(update(entry), update=True).json == UPDATED
        fields = {
            "name": "LAPTOP",
            "scopes": ["email:read"],
            "created": "2020-01-01T00:00:00Z",
            "expires": expires,
        }
        assert listed(run) == [{**before, **fields}]
        load(update({"name": "laptop", **secret}), update=True)
        assert (listed(run)[0]["scopes"], listed(run)[0]["expires"]) == (None, None)
        assert opens(key)

    def test_what_makes_nothing_changes_nothing(self, run: Run, load: Load) -> None:
        load(carol({"name": "laptop", "api_key": make_api_key()}))
        before = listed(run)
        for api_keys in ([], None, [{"name": "laptop", "scopes": ["email:read"]}, {"name": "new"}]):
            assert load({"username": "carol", "api_keys": api_keys}, update=True).json == UPDATED
        assert load({"username": "carol"}, update=True).json == UPDATED
        assert listed(run) == before

    def test_an_ended_key_lives_again(self, run: Run, load: Load, opens: Opens) -> None:
        """One that has expired keeps its row, one that was revoked has a new one."""
        keys = [make_api_key() for _ in range(2)]
        past = text_of(now() - timedelta(days=2))
        load(
            carol(
                {"name": "expired", "api_key": keys[0], "expires": past}, {"name": "gone", "api_key": keys[1]}
            )
        )
        ids = {key["name"]: key["id"] for key in listed(run)}
        run("api-keys", "revoke", "carol", ids["gone"])
        again = [{"name": name, "key_sha256": hash_of(key)} for name, key in zip(ids, keys, strict=True)]
        load(update(*again), update=True)
        assert names(run) == [("expired", "active"), ("gone", "active")]
        assert all(opens(key) for key in keys)

    def test_no_more_active_ones_than_the_limit(self, run: Run, load: Load, ini_file: Path) -> None:
        ini_file.write_text(ini_file.read_text() + "accountsapp.keys.max = 2\n")
        past, soon = text_of(now() - timedelta(days=2)), text_of(now() + timedelta(hours=9))
        many = [
            {"name": "a", "api_key": "key a"},
            {"name": "b", "api_key": "key b"},
            {"name": "b", "api_key": "key b before", "expires": soon, "created": past},
            {"name": "c", "api_key": "key c", "expires": past},
            {"name": "d"},
        ]
        assert load(carol(*many, {"name": "e", "api_key": "key e"}), exit_code=1).json["failed"] == 1
        assert load(carol(*many)).json == ONE_LINE
        assert names(run) == [("a", "active"), ("b", "active"), ("b", "retiring"), ("c", "expired")]
        for entry in ({"name": "e", "api_key": "key e"}, {"name": "c", "api_key": "key c"}):
            refused = load(update(entry), update=True, exit_code=1)
            assert "api_keys" in refused.err
        assert load(update({"name": "a", "api_key": "key a again"}), update=True).json == UPDATED
        ini_file.write_text(ini_file.read_text().replace("keys.max = 2", "keys.max = 1"))
        assert load(update({"name": "a", "api_key": "key a once more"}), update=True).json == UPDATED
        load(update({"name": "e", "api_key": "key e"}), update=True, exit_code=1)


def test_an_import_tells_of_no_secret(
    run: Run, load: Load, database_dump: Callable[[], bytes], stores: Process
) -> None:
    key = make_api_key()
    load(carol({"name": "laptop", "api_key": key}))
    dump = database_dump()
    assert key.encode() not in dump
    assert hash_of(key).encode() not in dump
