"""What all tests share beside the fixtures of ``accountsapp.testing.plugin``: how long a run is."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis
from sqlalchemy import select
from sqlalchemy.engine import make_url
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, Base, EmailAddress
from accountsapp.process import Process
from accountsapp.testing.applications import Applications, InTurn
from deploy.cluster import valkey
from tests.support import servers
from tests.support.bookie import Bookie
from tests.support.granian_wire import DIFFERENCES, Granian, OverTheWire
from tests.support.outbox import Outbox

pytest_plugins = ["accountsapp.testing.plugin"]

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
    parser.addoption(
        "--server", choices=["waitress", "granian"], default="waitress", help="that requests go through"
    )
    parser.addoption("--pgbouncer", metavar="PORT", type=int, help="PostgreSQL is asked through that one")


def pytest_configure(config: pytest.Config) -> None:
    servers.RUNNER = config.getoption("--server")


SLOWEST = "reliability"
"""The folder whose tests take the longest, most of it in waiting."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--soak`` only what has two amounts is run. The slowest come first, so that at the end no worker
    waits for the last test of another one.
    """
    if config.getoption("--soak"):
        items[:] = [item for item in items if "soak" in getattr(item, "fixturenames", ())]
    items.sort(key=lambda item: SLOWEST not in item.path.parts)


def pytest_collection_finish() -> None:
    """What the tests consist of is there until the end: no collection of garbage is to look through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> Soak:
    """Of two amounts the one that this run is about: ``soak(short, whole)``."""
    is_whole = request.config.getoption("--soak")
    return lambda short, whole: whole if is_whole else short


@pytest.fixture
def database_url(database_url: str, request: pytest.FixtureRequest) -> str:
    """That of the plug-in, through pgbouncer where the run is about it."""
    port = request.config.getoption("--pgbouncer")
    url = make_url(database_url)
    if port is None or url.get_backend_name() == "sqlite":
        return database_url
    return url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)


@pytest.fixture
def ini(ini: dict[str, str], database_url: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """That of the plug-in, for pgbouncer where the run is about it."""
    is_pooled = request.config.getoption("--pgbouncer") and not database_url.startswith("sqlite")
    return {**ini, "sqlalchemy.pgbouncer": "true"} if is_pooled else ini


@pytest.fixture(scope="session")
def granian() -> Iterator[Granian]:
    """A server of the run's own."""
    server = Granian()
    yield server
    server.stop()


@pytest.fixture
def wsgi(wsgi: Any, request: pytest.FixtureRequest) -> Any:
    """That of the plug-in, behind the server that the run is about."""
    return _behind_server(wsgi, request)


@pytest.fixture
def throttled(throttled: TestApp, request: pytest.FixtureRequest) -> TestApp:
    """That of the plug-in, behind the server that the run is about."""
    return TestApp(_behind_server(throttled.app, request))


def _behind_server(app: Any, request: pytest.FixtureRequest) -> Any:
    is_past = getattr(request.node, "originalname", "") in DIFFERENCES
    if request.config.getoption("--server") == "waitress" or is_past:
        return app
    return OverTheWire(request.getfixturevalue("granian"), app)


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
