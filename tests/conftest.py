"""What all tests share beside the fixtures of ``accountsapp.testing.plugin``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import select
from webtest import TestApp

from accountsapp.db import Database
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, Base, EmailAddress
from accountsapp.process import Process
from tests.support.bookie import Bookie
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--soak`` only what has two amounts is run."""
    if config.getoption("--soak"):
        items[:] = [item for item in items if "soak" in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> Soak:
    """Of two amounts the one that this run is about: ``soak(short, whole)``."""
    is_whole = request.config.getoption("--soak")
    return lambda short, whole: whole if is_whole else short


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
