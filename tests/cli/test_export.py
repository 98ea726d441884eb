"""``accountsapp accounts export``, and that import reads what it writes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accountsapp.db.database import Database
from accountsapp.domain.accounts import profile
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.rules.notifications import MANDATORY
from accountsapp.domain.rules.privacy import Privacy
from accountsapp.domain.transfer.exporting import export_all
from accountsapp.domain.transfer.importing import Importer
from accountsapp.process import Process
from accountsapp.testing.people import SECRET, Person
from tests.cli.conftest import Ran, Run
from tests.cli.test_import import FULL, HASH, exported


def test_no_secrets_unless_asked_for(run: Run, load: Callable[..., Ran]) -> None:
    load(FULL)
    out = run("accounts", "export").out
    assert FULL["password_hash"] not in out
    assert FULL["api_key"] not in out
    assert exported(run) == [FULL]


def test_some_accounts(run: Run, alice: Person, bob: Person, admin: Person) -> None:
    assert [record["username"] for record in exported(run, "BOB", "alice")] == ["bob", "alice"]
    assert [record["username"] for record in exported(run)] == ["alice", "bob", "admin"]
    ran = run("accounts", "export", "bob", "nobody", exit_code=1)
    assert ran.out == ""
    assert "nobody" in ran.err


def test_an_account_without_a_key(run: Run, alice: Person, raw: Database) -> None:
    with raw.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM api_key")
    assert "api_key" not in exported(run)[0]


def test_a_secret_that_is_missing(run: Run, alice: Person, monkeypatch: Any) -> None:
    monkeypatch.setenv("ACCOUNTSAPP_SECRET", "y" * 40)
    ran = run("accounts", "export", "--with-secrets", exit_code=1)
    assert ran.err.startswith("accountsapp: ")
    run("accounts", "export")


def test_privacy_field_by_field(run: Run, alice: Person, stores: Process) -> None:
    """A record has only the two choices that import takes: who chose for each field shares nothing."""
    with stores.transaction() as store:
        profile.change(store, alice.id, {"account_privacy": Privacy.CUSTOM.value})
    record = exported(run)[0]
    assert record["account_privacy"] == "private"
    run("accounts", "delete", "alice")
    run("accounts", "import", "-", input=json.dumps(record))
    assert exported(run) == [record]


def test_more_than_one_page(run: Run) -> None:
    lines = [json.dumps({"username": f"u{n}", "email": f"u{n}@e.com"}) for n in range(2100)]
    run("accounts", "import", "-", input="\n".join(lines))
    assert [record["username"] for record in exported(run)] == [f"u{n}" for n in range(2100)]


def test_all_of_one_moment(run: Run, alice: Person, bob: Person, raw: Database) -> None:
    """What is changed while an export runs is not in it."""
    records = export_all(raw.read_engine)
    assert next(records)["username"] == "alice"
    run("accounts", "delete", "bob")
    run("accounts", "add", "carol", "--email", "c@e.com")
    assert [record["username"] for record in records] == ["bob"]
    assert [record["username"] for record in export_all(raw.read_engine)] == ["alice", "carol"]


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
names = st.text(
    st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
    min_size=1,
    max_size=30,
).filter(lambda name: name not in (".", ".."))
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789+-ßé", min_size=1, max_size=6)
local = st.lists(words, min_size=1, max_size=3).map(".".join)
moments = (
    st.datetimes()
    .filter(lambda moment: 1000 <= moment.year <= 9998)
    .map(lambda moment: moment.isoformat() + "Z")
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
OPTIONAL_TEXT = (
    *("name", "display_name", "biography", "location", "company", "occupation", "homepage", "gravatar_email"),
    *("country", "locale", "language", "gender", "goals", "level_of_education", "mailing_address"),
    *("last_login_ip", "invited_by"),
)
FLAGS = ("privacy_mode", "subscribed", "activated", "is_admin", "is_staff", "read_dev_agreement")
app_permissions = st.from_regex(r"[A-Za-z*]{1,9}:[A-Za-z*]{1,9}", fullmatch=True)
optional: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(OPTIONAL_TEXT, st.none() | text),
    **dict.fromkeys(FLAGS, st.booleans()),
    "password_hash": st.just(HASH),
    "language_proficiencies": st.lists(st.fixed_dictionaries({"code": text}), max_size=3),
    "year_of_birth": st.none() | st.integers(1000, 9999),
    "account_privacy": st.sampled_from([None, "all_users", "private"]),
    "permissions": st.lists(app_permissions, max_size=3),
    "signup": st.none() | moments,
    "last_login": st.none() | moments,
    "invite_ct": st.integers(0, 2**31 - 1),
    "notifications": st.dictionaries(
        st.sampled_from([k for k, m in MANDATORY.items() if not m]), st.booleans()
    ),
    "info": st.dictionaries(text, json_values, max_size=4),
}


@st.composite
def records(draw: Any) -> dict[str, Any]:
    addresses = draw(st.lists(local, min_size=1, max_size=3, unique_by=str.casefold))
    return {
        "username": draw(names),
        "emails": [
            {"email": f"{address}@e.com", "verified": draw(st.booleans()), "primary": index == 0}
            for index, address in enumerate(addresses)
        ],
        "api_key": "key " + draw(st.text("abc+/=é", max_size=20)),
        **draw(st.fixed_dictionaries({}, optional=optional)),
    }


def as_dict(record: dict[str, Any]) -> str:
    return json.dumps(
        {**record, "emails": sorted(record["emails"], key=lambda a: a["email"])}, sort_keys=True
    )


@pytest.fixture
def imported(raw: Database) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Into an empty database, and out of it again."""
    keyring = Keyring((SECRET,))

    def imported(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with raw.begin() as session:
            session.connection().exec_driver_sql("DELETE FROM account")
        complaints: list[str] = []
        importer = Importer(
            raw.write, keyring, Passwords(4), lambda line, text: complaints.append(text), most_keys=20
        )
        *_, counts = importer.run(enumerate((json.dumps(record).encode() for record in given), 1))
        assert complaints == []
        assert counts.created == len(given)
        return list(export_all(raw.read_engine, keyring))

    return imported


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records())
def test_round_trip(imported: Any, record: dict[str, Any]) -> None:
    """Import, export, import: what was given is there, and the second export is the first."""
    (once,) = imported([record])
    assert imported([once]) == [once]
    given = {key: value for key, value in record.items() if key not in ("signup", "last_login")}
    assert as_dict({**once, **given}) == as_dict(once)
    for key in ("signup", "last_login"):
        assert (record.get(key) or "Z").removesuffix("Z") == (once[key] or "Z").removesuffix("Z")
