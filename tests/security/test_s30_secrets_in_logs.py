"""S30: canaries in every field, every logger at DEBUG, a database that fails: no line and no error has them.

The five calls with ordinary failures stand in ``tests/apis/test_bookie_logs.py``.
"""

import logging
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from functools import cache
from io import StringIO
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from sqlalchemy import text
from webtest import TestApp

from accountsapp.domain.accounts import invitations, registration
from accountsapp.domain.credentials import api_keys, key_reports, named_keys, recovery
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.data import locking
from accountsapp.domain.emails import claims
from accountsapp.domain.rules.api_keys import hash_of
from accountsapp.process import Process
from accountsapp.testing.everywhere import NEARBY, urls
from accountsapp.testing.named_keys import add_key
from accountsapp.testing.people import Person
from accountsapp.web.reports import REPORTER
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox

CANARIES = {
    "password": "Kanarie pass/1+é",
    "new password": "Kanarie new&2=ü",
    "wrong password": "Kanarie wrong'3\"",
    "key": "kanariekey+4/=",
    "wrong key": "kanariewrongkey5",
    "token": "kanarietoken6",
    "cookie": "kanariecookie7",
    "code": "kanariecode8",
    "email": "kanarie.mail9@example.com",
    "new email": "kanarie.new10@example.com",
    "other email": "kanarie.other11@example.com",
}


@cache
def forms(secret: str) -> set[str]:
    """The ways in which a secret may stand in a line."""
    data = secret.encode()
    encoded = {b64encode(b"x" * pad + data).decode()[4 if pad else 0 : -4] for pad in (0, 1, 2)}
    written = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    written |= {repr(secret)[1:-1], repr(data)[2:-1], ascii(secret)[1:-1], secret.lower(), secret.upper()}
    return written | encoded | {data.hex(), urlsafe_b64encode(data).decode().rstrip("=")}


def found_in(said: str, secrets: dict[str, str]) -> dict[str, str]:
    """Which secrets are there, and the line."""
    return {
        name: line
        for name, secret in secrets.items()
        for form in forms(secret)
        if form in said
        for line in said.splitlines()
        if form in line
    }


def text_of(answer: Any) -> str:
    """What an answer says, a picture too."""
    return answer.body.decode("utf-8", "surrogateescape")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Everything that any logger of the process says, tracebacks included."""
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))
    names = [*logging.root.manager.loggerDict, "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.orm"]
    changed = []
    for logger in [logging.root, *(logging.getLogger(name) for name in names)]:
        changed.append((logger, logger.level, logger.disabled))
        logger.setLevel(logging.DEBUG)
        logger.disabled = False
    logging.root.addHandler(handler)

    def everything() -> str:
        REPORTER.flush()
        return said.getvalue()

    yield everything
    logging.root.removeHandler(handler)
    for logger, level, disabled in changed:
        logger.setLevel(level)
        logger.disabled = disabled


@pytest.fixture
def noisy(logged: Callable[[], str], make_app: Callable[..., Any]) -> TestApp:
    """The application, made while everything is logged: SQLAlchemy looks at the levels once."""
    return TestApp(make_app())


@pytest.fixture
def noisy_stores(noisy: TestApp) -> Process:
    return noisy.app.registry.process


@pytest.fixture
def kanarie(noisy_stores: Process) -> Person:
    with noisy_stores.transaction() as store:
        account = registration.register(
            store,
            "alice",
            CANARIES["email"],
            password=CANARIES["password"],
            api_key=CANARIES["key"],
            verified=True,
            invite_ct=9,
        )
        registration.register(store, "other", CANARIES["other email"], verified=True, is_admin=True)
        return Person(account.id, "alice", CANARIES["email"], CANARIES["password"], CANARIES["key"])


def ask_everything(app: TestApp, kanarie: Person) -> list[Any]:
    """Every operation with canaries as every credential, in every place, good and bad."""
    values = {
        "name": "plain",
        "username": "alice",
        "email": CANARIES["new email"],
        "code": CANARIES["code"],
        "password": CANARIES["new password"],
        "current_password": CANARIES["wrong password"],
        "new_password": CANARIES["new password"],
        "client_secret": CANARIES["token"],
        "token": CANARIES["token"],
        "grant_type": "password",
    }
    answers = []
    app.extra_environ.update(NEARBY)
    for method, path in urls(app, kanarie):
        if path.endswith(("nonactivated", "delete/alice")):
            continue
        for key, login in (("key", "password"), ("wrong key", "wrong password"), ("key", "token")):
            pair = b64encode(f"alice:{CANARIES[login]}".encode()).decode()
            headers = {
                "Authorization": f"Bearer {CANARIES[login]}" if login == "token" else f"Basic {pair}",
                "Cookie": f"sessionid={CANARIES['cookie']}",
                "X-CSRFToken": CANARIES["token"],
                "Content-Type": "application/x-www-form-urlencoded",
            }
            given = {"api_key": CANARIES[key], "email": CANARIES["new email"], "code": CANARIES["code"]}
            body = urlencode(values).encode() + (b"&x=%ff" if login == "token" else b"")
            app.reset()
            answers.append(
                app.request(
                    f"{path}?{urlencode(given)}",
                    method=method,
                    body=body if method != "GET" else b"",
                    headers=headers,
                    expect_errors=True,
                )
            )
    return answers


HARMLESS = ("email", "new email", "key")
"""What an answer may show to the one who presented it."""
TYPED = ("new email",)
"""What a form that comes back still has: it was typed there. No secret is among it."""


def assert_refusals_show_nothing(answers: list[Any]) -> None:
    """But what was typed, in forms that come back."""
    for answer in answers:
        if answer.status_int >= 400:
            comes_back = answer.content_type == "text/html" and "<form" in answer.text
            private = {n: value for n, value in CANARIES.items() if not (comes_back and n in TYPED)}
            assert found_in(text_of(answer), private) == {}, answer.request.path


def test_s30_every_operation(noisy: TestApp, kanarie: Person, logged: Callable[[], str]) -> None:
    answers = ask_everything(noisy, kanarie)
    assert {200, 400, 401, 403} <= {answer.status_int for answer in answers}
    Outbox(noisy.app.registry.process).take()
    assert "sqlalchemy.engine" in logged()
    assert "accountsapp.access" in logged()
    assert found_in(logged(), CANARIES) == {}
    assert_refusals_show_nothing(answers)
    for answer in answers:
        if answer.status_int < 400:
            private = {name: value for name, value in CANARIES.items() if name not in HARMLESS}
            assert found_in(text_of(answer), private) == {}, answer.request.path


def test_s30_named_keys(
    noisy: TestApp, noisy_stores: Process, kanarie: Person, logged: Callable[[], str]
) -> None:
    """Made, used in every place, replaced, rotated, reported and ended; also where a call is malformed."""
    bookie, secrets = Bookie(noisy), {}
    key, secrets["made"] = add_key(noisy_stores, kanarie)
    with noisy_stores.transaction() as store:
        rotated = named_keys.rotate(store, kanarie.id, key.id, timedelta(hours=1), By.PAGE)
    secrets["rotated"] = rotated.api_key
    for path in ("/alice/account", "/alice/ping", "/bob/account", "/a/users/list", "/nothing/of/it"):
        for secret in (secrets["made"], secrets["rotated"]):
            sent = {"api_key": secret}
            for method in ("GET", "POST", "DELETE", "PUT"):
                bookie(method, path, query=sent, form=sent, headers={"X-Api-Key": secret})
                bookie(
                    method, path, json={**sent, "username": 1}, headers={"X-Api-Key": f"{secret}, {secret}"}
                )
                bookie(
                    method, path, query=f"{urlencode(sent)}&x=%ff", body=b"{", content_type="application/json"
                )
    answer = bookie("POST", "/alice/api_key", headers={"X-Api-Key": secrets["made"]})
    secrets["replacement"] = answer.json["api_key"]
    with noisy_stores.transaction() as store, store.apart() as own:
        assert key_reports.report(own, secrets["rotated"], "https://paste.example")
    assert bookie("DELETE", "/alice/api_key", form={"api_key": secrets["replacement"]}).status_int == 200
    noisy_stores.key_uses.write()
    Outbox(noisy_stores).take()
    hashes = {f"hash of {name}": hash_of(secret) for name, secret in secrets.items()}
    assert "UPDATE api_key" in logged()
    assert found_in(logged(), {**secrets, **hashes}) == {}


def test_s30_what_proxies_hand_on(noisy: TestApp, kanarie: Person, logged: Callable[[], str]) -> None:
    """Good and bad keys in the URLs and headers of a request that somebody asks about."""
    noisy.extra_environ.update(NEARBY)
    for canary in ("key", "wrong key"):
        secret = CANARIES[canary]
        query = urlencode({"api_key": secret})
        shown = (
            *({name: f"/app/?{query}"} for name in ("X-Original-URI", "X-Original-URL", "X-Forwarded-Uri")),
            {"X-Api-Key": secret},
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": f"Token {secret}"},
        )
        for headers in shown:
            answer = noisy.get("/auth/check?scope=administer", headers=headers, expect_errors=True)
            assert answer.status_int in (401, 403)
            assert found_in(text_of(answer), CANARIES) == {}
        answer = noisy.get(f"/auth/check?{query}", headers={"X-Api-Key": secret}, status=400)
        assert found_in(text_of(answer), CANARIES) == {}
    assert "accountsapp.access" in logged()
    assert found_in(logged(), CANARIES) == {}


def test_s30_a_database_without_its_tables(
    noisy: TestApp, kanarie: Person, logged: Callable[[], str]
) -> None:
    """Each statement fails and is told of, with what it was sent with left out."""
    with noisy.app.registry.database.begin() as session:
        for table in ("account", "api_key", "email_address", "link"):
            session.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    answers = ask_everything(noisy, kanarie)
    assert {500, 503} & {answer.status_int for answer in answers}
    assert "Traceback" in logged() or "the database is not available" in logged()
    assert found_in(logged(), CANARIES) == {}
    assert_refusals_show_nothing(answers)
    assert not [answer for answer in answers if "Traceback" in text_of(answer)]


def test_s30_a_database_that_is_gone(noisy: TestApp, kanarie: Person, logged: Callable[[], str]) -> None:
    """Every connection fails."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no database")

    database = noisy.app.registry.database
    database.dispose()
    for engine in (database.read_engine, database.write_engine):
        engine.pool._creator = refuse
        engine.dispose()
    answers = ask_everything(noisy, kanarie)
    assert max(answer.status_int for answer in answers) >= 500
    assert found_in(logged(), CANARIES) == {}
    assert_refusals_show_nothing(answers)


def test_s30_what_a_database_says_of_duplicates(
    noisy: TestApp, noisy_stores: Process, kanarie: Person, logged: Callable[[], str], monkeypatch: Any
) -> None:
    """PostgreSQL tells the value that is there already."""
    for module in (registration, recovery, invitations, locking):
        monkeypatch.setattr(module, "refusing_duplicates", nullcontext, raising=False)
    monkeypatch.setattr(registration, "check_username_free", lambda *_: None)
    monkeypatch.setattr(claims, "check_free", lambda *_: None)
    for email, name in ((CANARIES["email"], "newcomer"), (CANARIES["email"].upper(), "newcomer")):
        with noisy_stores.transaction() as store:
            key = api_keys.reveal(store, store.reader.by_username("other"))  # type: ignore[arg-type]
        given = {"api_key": key, "username": name, "email": email}
        answer = noisy.post_json("/api/v1/a/users/add", given, expect_errors=True)
        assert answer.status_int == 500
        assert found_in(text_of(answer), CANARIES) == {}
    assert "IntegrityError" in logged()
    assert found_in(logged(), CANARIES) == {}


def test_s30_the_search_finds(logged: Callable[[], str]) -> None:
    """Each form of each canary would be seen, if it were there."""
    for secret in CANARIES.values():
        for form in forms(secret):
            assert found_in(f"before {form} after", {"it": secret})
    logging.getLogger("accountsapp.access").debug("plain %s", CANARIES["cookie"])
    assert found_in(logged(), CANARIES)


def test_s30_audit_and_jobs_hold_none(noisy: TestApp, kanarie: Person, database: Any) -> None:
    ask_everything(noisy, kanarie)
    with database.read_engine.connect() as connection:
        said = [
            " ".join(str(value) for value in row)
            for table in ("audit_event", "job", "session", "api_key")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert said
    assert found_in("\n".join(said), CANARIES) == {}
