"""S12 to S15, S41, S49: keys, passwords, and what a stolen database is worth."""

import base64
import string
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import event, text, update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.credentials import api_keys, password_change
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import Account, Base
from accountsapp.domain.errors import WeakPassword
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.passwords import commonest_passwords
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE, is_plausible, make_api_key
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SECRET, Person
from tests.support.front_end import FrontEnd

NEW_KEY = make_api_key()
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def test_s12_no_write_by_get(app: TestApp, database: Database, alice: Person) -> None:
    before = _dump(database)
    key = alice.api_key
    for path in ("account", "api_key", "ping"):
        for query in ("name=Changed", "_method=POST&name=Changed", "callback=f&name=Changed"):
            headers = {
                "X-HTTP-Method-Override": "POST",
                "X-HTTP-Method": "DELETE",
                "X-Method-Override": "POST",
            }
            assert app.get(f"/api/v1/alice/{path}?api_key={key}&{query}", headers=headers).status_int == 200
    assert _dump(database) == before


def test_s12_a_callback_on_a_write_writes_once(app: TestApp, alice: Person) -> None:
    answer = app.post(f"/api/v1/alice/account?api_key={alice.api_key}&callback=f", {"name": "Once"})
    assert answer.text.startswith("/**/f({")
    assert app.get("/api/v1/alice/account", {"api_key": alice.api_key}).json["name"] == "Once"


def test_s13_keys_are_unique_random_and_checked() -> None:
    made = [make_api_key() for _ in range(100_000)]
    assert len(set(made)) == len(made)
    body = made[0][len("acct_") : -6]
    assert len(BASE62) ** len(body) >= 2**128
    for key in made[:1000]:
        number = 0
        for digit in key[-6:]:
            number = number * 62 + BASE62.index(digit)
        assert number == zlib.crc32(key[len("acct_") : -6].encode())


def test_s13_the_checksum_catches_every_single_typing_error() -> None:
    for key in (make_api_key() for _ in range(5)):
        for place in range(len("acct_"), len(key)):
            typos = [key[:place] + typo + key[place + 1 :] for typo in BASE62 if typo != key[place]]
            assert [typo for typo in typos if is_plausible(typo)] == []


def test_s13_a_typing_error_is_refused_without_a_query(
    app: TestApp, database: Database, alice: Person
) -> None:
    key = alice.api_key
    statements: list[str] = []
    event.listen(database.read_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for place in range(len("acct_"), len(key)):
        for typo in ("0", "z", "Q"):
            if key[place] != typo:
                wrong = key[:place] + typo + key[place + 1 :]
                assert app.get("/api/v1/alice/account", {"api_key": wrong}, status=403)
    assert statements == []


@pytest.mark.parametrize(
    "password", ["é" * 36 + "x", "😀" * 20, "a" * 1024, "a" * 1025, "", "nul\0inside", "a" * 73]
)
def test_s14_what_bcrypt_cannot_read_is_no_password(app: TestApp, alice: Person, password: str) -> None:
    path = f"/api/v1/alice/password?api_key={alice.api_key}"
    change = {"current_password": PASSWORD, "new_password": password}
    assert app.post_json(path, change, expect_errors=True).status_int == 406
    wrong = {"current_password": password, "new_password": "another good one"}
    assert app.post_json(path, wrong, expect_errors=True).status_int == 403


def test_s14_passwords_equal_in_72_bytes_are_two(stores: Process) -> None:
    hashed = stores.passwords.hash("p" * 72)
    assert stores.passwords.verify("p" * 72, hashed)
    assert not stores.passwords.verify("p" * 72 + "q", hashed)


SETTERS = (
    "Bookie",
    "Bookie, other path",
    "mailed code",
    "mailed page",
    "registration",
    "PYBOSSA",
    "operator",
)


@pytest.mark.parametrize("setter", SETTERS)
def test_s15_every_door_refuses_weak_passwords(
    setter: str, app: TestApp, stores: Process, alice: Person
) -> None:
    commonest = [word for word in sorted(commonest_passwords()) if len(word) >= 8][:40]
    weak = [*commonest, "short", "alice@example.com", "ALICE@example.com", "        ", "PASSWORD1"]
    for password in weak:
        assert _is_refused(setter, app, stores, alice, password), password


def _is_refused(setter: str, app: TestApp, stores: Process, person: Person, password: str) -> bool:
    change = {"current_password": PASSWORD, "new_password": password}
    match setter:
        case "Bookie" | "Bookie, other path":
            path = "password" if setter == "Bookie" else "account/password"
            where = f"/api/v1/alice/{path}?api_key={person.api_key}"
            return app.post(where, change, expect_errors=True).status_int == 406
        case "mailed code":
            given = {"username": "alice", "code": "whatever", "password": password}
            answer = app.request("/api/v1/suspend", method="DELETE", POST=given, expect_errors=True)
            # Only the address cannot be known without a good code: that is refused after it.
            return answer.status_int == (403 if "@" in password else 406)
        case "mailed page":
            with stores.transaction() as store:
                account = lock(store.session, person.id)
                code = links.make(store.session, account, Purpose.RESET, person.email, 600)
            page = app.post(f"/recovery/alice/reset/{code}", {"new_password": password}, expect_errors=True)
            return "api_key" not in page.text and app.get(page.request.path).status_int == 200
        case "registration":
            fields = {"fullname": "A", "name": "alicia", "email_addr": "alicia@example.com"}
            mine = password.replace("alice@", "alicia@").replace("ALICE@", "ALICIA@")
            told = FrontEnd(app.app).post("/account/register", **fields, password=mine, confirm=mine)
            return "password" in told["form"]["errors"]
        case "PYBOSSA":
            front_end = FrontEnd(app.app)
            front_end.sign_in(person)
            sent = {"current_password": PASSWORD, "new_password": password, "confirm": password}
            told = front_end.post("/account/alice/update", btn="Password", **sent)
            return "new_password" in told["password_form"]["errors"]
        case _:
            with pytest.raises(WeakPassword), stores.transaction() as store:
                password_change.set_by_operator(store, person.id, password)
            return True


def test_s41_of_fifty_resets_with_one_key_one_succeeds(
    wsgi: object, database: Database, alice: Person
) -> None:
    def reset(_: int) -> tuple[int, str]:
        answer = TestApp(wsgi).post("/api/v1/alice/api_key", {"api_key": alice.api_key}, expect_errors=True)
        return answer.status_int, answer.json.get("api_key", "")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(reset, range(50)))
    good = [key for status, key in answers if status == 200]
    assert sorted(status for status, _ in answers) == [200] + [403] * 49
    assert TestApp(wsgi).get("/api/v1/alice/account", {"api_key": good[0]}).status_int == 200
    with database.read_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_key")).scalar() == 1


def test_s49_a_stolen_database_opens_nothing(
    app: TestApp, database: Database, keyring: Keyring, alice: Person
) -> None:
    app.post("/api/v1/suspend", {"email": alice.email})
    app.post(f"/api/v1/alice/account?api_key={alice.api_key}", {"email": "canary-new@example.com"})
    stolen = _dump(database)
    for canary in (alice.api_key, alice.api_key[5:], PASSWORD):
        encoded = base64.b64encode(canary.encode()).decode()
        assert canary not in stolen
        assert encoded not in stolen
        assert canary.encode().hex() not in stolen
    with database.begin() as session:
        row = session.get(ApiKey, alice.id)
        account = session.get(Account, alice.id)
        assert row is not None
        assert account is not None
        assert keyring.unseal(f"account:{alice.id}", row.sealed) == alice.api_key
        with pytest.raises(SealError):
            Keyring(("another secret of the thief, long enough",)).unseal(f"account:{alice.id}", row.sealed)
        with pytest.raises(SealError):
            keyring.unseal("account:999", row.sealed)
        with pytest.raises(InvalidToken):
            Fernet(base64.urlsafe_b64encode(SECRET.encode()[:32])).decrypt(row.sealed.encode())
        assert str(account.password_hash).startswith("$2b$")


def _dump(database: Database) -> str:
    """Every value of every table."""
    with database.read_engine.connect() as connection:
        rows = {
            table.name: [
                tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
        }
    return repr(rows)


def test_the_dump_sees_what_is_there(database: Database, register: Callable[..., Person]) -> None:
    register("canary", name="visible")
    assert "visible" in _dump(database)


@pytest.mark.parametrize("call", ["read", "change password"])
def test_s20_an_old_key_is_not_shown_the_new_one(
    app: TestApp, stores: Process, alice: Person, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner resets it after the credential was looked at and before the key is read."""
    reveal = api_keys.reveal

    def late(*given: Any) -> str | None:
        database = stores.database
        digest = stores.keyring.digest(DIGEST_PURPOSE, NEW_KEY)
        sealed = stores.keyring.seal(f"account:{alice.id}", NEW_KEY)
        change = update(ApiKey).where(ApiKey.account_id == alice.id).values(digest=digest, sealed=sealed)
        if call == "read":
            with database.begin() as session:
                session.execute(change)
        else:
            given[0].session.execute(change)
        return reveal(*given)

    monkeypatch.setattr(api_keys, "reveal", late)
    if call == "read":
        answer = app.get("/api/v1/alice/api_key", {"api_key": alice.api_key}, expect_errors=True)
    else:
        form = {"current_password": alice.password, "new_password": "another good battery"}
        url = f"/api/v1/alice/password?api_key={alice.api_key}"
        answer = app.post(url, form, expect_errors=True)
    assert answer.status_int == 403
    assert NEW_KEY not in answer.text
