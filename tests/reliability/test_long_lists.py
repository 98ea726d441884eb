"""Lists of a million: each page is read by an index, and a list or an export holds a page in memory."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update

from accountsapp.apis.bookie.schemas import AdminColumns
from accountsapp.db.database import Database
from accountsapp.domain import audit, job_lists
from accountsapp.domain.accounts import administration
from accountsapp.domain.clock import now
from accountsapp.domain.data import reads
from accountsapp.domain.data.models import Account, AccountState, AuditEvent, EmailAddress, Job
from accountsapp.domain.recent import Recent
from accountsapp.domain.transfer import exporting
from accountsapp.testing.plugin import migrated

NUMBER = 4000


@pytest.fixture(scope="module")
def filled(request: pytest.FixtureRequest, sqlite_folder: Path) -> Iterator[Callable[[str], Database]]:
    """Gives that of a kind which all tests read, filled for the first of them."""
    databases: dict[str, Database] = {}
    with ExitStack() as stack:

        def fill_first(backend: str) -> Database:
            if backend not in databases:
                url = stack.enter_context(migrated(backend, request, sqlite_folder / "many"))
                databases[backend] = Database(url)
                stack.callback(databases[backend].dispose)
                fill(databases[backend])
            return databases[backend]

        yield fill_first


@pytest.fixture
def many(filled: Callable[[str], Database], backend: str) -> Database:
    """One with many accounts, which nobody changes."""
    return filled(backend)


@pytest.fixture
def many_to_change(database: Database) -> Database:
    """Another one, of the test's own."""
    fill(database)
    return database


def fill(database: Database) -> None:
    """Accounts, some of which have no ``name``, ``signup`` or ``last_login``; events and jobs."""
    moment = now()
    accounts = [
        {
            "username": f"User{number}",
            "username_key": f"user{number}",
            "version": 1,
            "state": ("pending", "deactivated", "active", "active")[number % 4],
            "name": None if number % 3 else f"{number % 50} " + "n" * (9000 if number < 9 else 9),
            "signup": None if number % 5 else moment - timedelta(minutes=number),
            "last_login": None if number % 7 else moment - timedelta(minutes=number % 90),
        }
        for number in range(NUMBER)
    ]
    with database.write_engine.begin() as connection:
        connection.execute(insert(Account.__table__), accounts)
        ids = connection.execute(select(Account.id)).scalars().all()
        emails = [
            {"account_id": of, "address": address, "address_key": address, "is_primary": True}
            for of in ids
            for address in (f"a{of % 977}-{of}@example.com",)
        ]
        connection.execute(insert(EmailAddress.__table__), emails)
        events = [
            {"event": "signed in", "account_id": of, "at": moment - timedelta(seconds=of // 9)} for of in ids
        ]
        connection.execute(insert(AuditEvent.__table__), events)
        queue = [{"name": "x", "state": "done", "run_at": moment, "max_attempts": 1}] * NUMBER
        connection.execute(insert(Job.__table__), queue)
        connection.execute(text("ANALYZE"))


@pytest.fixture
def plans(many: Database) -> Callable[[Callable[[Any], Any]], str]:
    """How the database executes each statement that a function sends."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    def explain(work: Callable[[Any], Any]) -> str:
        explain_it = "EXPLAIN QUERY PLAN " if many.is_sqlite else "EXPLAIN "
        with many.read_engine.connect() as connection:
            event.listen(connection, "before_cursor_execute", note)
            work(connection)
            event.remove(connection, "before_cursor_execute", note)
            lines = []
            for statement, parameters in statements:
                rows = connection.exec_driver_sql(explain_it + statement, parameters)
                lines += [str(row[-1]) for row in rows if "count(" not in statement]
            statements.clear()
        return "\n".join(lines)

    return explain


def assert_by_index(plan: str) -> None:
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan.replace("Incremental Sort", "").replace("Sort Key", ""), plan
    assert "Seq Scan" not in plan, plan
    assert not [line for line in plan.splitlines() if line.startswith("SCAN") and "INDEX" not in line], plan


@pytest.mark.parametrize("order", sorted(administration.ORDERS))
@pytest.mark.parametrize("offset", [0, 30])
def test_each_order_is_that_of_an_index(plans: Any, order: str, offset: int) -> None:
    assert_by_index(
        plans(lambda c: administration.users(c, AdminColumns, order=order, limit=20, offset=offset))
    )


def test_inactive_and_invites(plans: Any) -> None:
    assert_by_index(plans(lambda c: administration.inactive(c, AdminColumns, limit=20, offset=0)))
    assert_by_index(plans(lambda c: administration.invites(c, limit=20, offset=0)))


@pytest.mark.parametrize("state", [None, *AccountState])
def test_the_list_of_the_command(plans: Any, state: AccountState | None) -> None:
    assert_by_index(plans(lambda c: list(reads.listing(c, state, most=40, page=20))))


def test_events_and_jobs(plans: Any) -> None:
    assert_by_index(
        plans(lambda c: [row for row, _ in zip(audit.listing(c, most=50), range(50), strict=False)])
    )
    assert_by_index(plans(lambda c: next(job_lists.listing(c))))


def test_search_by_address(plans: Any) -> None:
    plan = plans(lambda c: list(reads.having_address(c, "a1-1@example.com")))
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan
    assert "ix_email_address_address_key" in plan


@pytest.mark.parametrize("order", sorted(administration.ORDERS))
def test_pages_have_everything_once_unknown_values_last(many: Database, order: str) -> None:
    with many.read_engine.connect() as connection:
        rows = [
            row
            for offset in range(0, NUMBER, 1000)
            for row in administration.users(
                connection, AdminColumns, order=order, limit=1000, offset=offset
            ).rows
        ]
    assert len({row.id for row in rows}) == len(rows) == NUMBER
    if order in ("signup", "last_login"):
        times = [(getattr(row.profile, f"{order}_text"), row.id) for row in rows]
        values = [(time is None, time, of) for time, of in times]
        assert values == sorted(values, key=lambda value: (value[0], value[1] or "", value[2]))
    if order == "name":
        assert [row.profile.name is None for row in rows] == sorted(row.profile.name is None for row in rows)
    if order == "email":
        assert len({row.email for row in rows}) == NUMBER


def test_events_come_once_newest_first(many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "EVENTS_AT_ONCE", 77)
    with many.read_engine.connect() as connection:
        rows = list(audit.listing(connection))
        assert [row.id for row in audit.listing(connection, most=200)] == [row.id for row in rows[:200]]
    assert len({row.id for row in rows}) == len(rows) == NUMBER
    keys = [(row.at, row.id) for row in rows]
    assert keys == sorted(keys, reverse=True)


def test_memory_does_not_grow_with_the_list(many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ACCOUNTS_AT_ONCE", 100)
    monkeypatch.setattr(audit, "EVENTS_AT_ONCE", 100)
    monkeypatch.setattr(job_lists, "JOBS_AT_ONCE", 100)

    def peak(rows: Iterator[Any], number: int) -> int:
        tracemalloc.reset_peak()
        for _, row in zip(range(number), rows, strict=False):
            json.dumps(row, default=str)
        return tracemalloc.get_traced_memory()[1]

    with many.read_engine.connect() as connection:
        lists: list[Callable[[], Iterator[Any]]] = [
            lambda: exporting.export_all(many.read_engine),
            lambda: reads.listing(connection, page=100),
            lambda: audit.listing(connection),
            lambda: job_lists.listing(connection),
        ]
        tracemalloc.start()
        try:
            for rows in lists:
                peak(rows(), 300)
                few, all_of_them = peak(rows(), 300), peak(rows(), NUMBER)
                assert all_of_them < few + 300_000, next(rows())
        finally:
            tracemalloc.stop()


def test_a_page_is_the_same_from_whichever_end_it_is_read(
    many_to_change: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where some accounts are going to be deleted, and beyond the end."""
    with many_to_change.write_engine.begin() as connection:
        doomed = select(Account.id).where(Account.id % 100 == 6, Account.state == AccountState.DEACTIVATED)
        ids = connection.execute(doomed).scalars().all()
        going = update(Account.__table__).where(Account.id.in_(ids)).values(deletion_asked=now())
        connection.execute(going)
    assert len(ids) > 9
    with many_to_change.read_engine.connect() as connection:

        def lists(limit: int, offset: int) -> list[list[str]]:
            part = {"limit": limit, "offset": offset}
            inactive = administration.inactive(connection, AdminColumns, **part)
            names = [[row.username for row in inactive.rows]]
            names.append([name for name, _ in administration.invites(connection, **part)])
            assert inactive.total == NUMBER // 2 - len(ids)
            for order in administration.ORDERS:
                page = administration.users(connection, AdminColumns, order=order, **part)
                names.append([row.username for row in page.rows])
                assert page.total == NUMBER - len(ids)
            return names

        whole = lists(NUMBER, 0)
        monkeypatch.setattr(administration, "MOST_SKIPPED", 10)
        for offset in (0, 9, 500, 1500, 1970, 1999, 2500, 3950, NUMBER - len(ids), NUMBER + 500):
            assert lists(20, offset) == [names[offset : offset + 20] for names in whole], offset


def test_many_accounts_are_not_counted_for_every_page(
    many_to_change: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new is seen in the number at once, and so is what is to be deleted."""
    monkeypatch.setattr(administration, "COUNTED_EACH_TIME", 10)
    recent, counted = Recent(), []
    count = administration._row_count
    monkeypatch.setattr(
        administration, "_row_count", lambda connection: counted.append(1) or count(connection)
    )
    with many_to_change.read_engine.connect() as connection:
        assert [administration.total(connection, recent) for _ in range(5)] == [NUMBER] * 5
        with many_to_change.write_engine.begin() as writing:
            new = {"username": "new", "username_key": "new", "version": 1}
            writing.execute(insert(Account.__table__), [new])
            gone = update(Account.__table__).where(Account.username_key.in_(["user1", "user5"]))
            writing.execute(gone.values(deletion_asked=now()))
        assert administration.total(connection, recent) == NUMBER - 1
        assert len(counted) == 1
        assert administration.total(connection, None) == NUMBER - 1
