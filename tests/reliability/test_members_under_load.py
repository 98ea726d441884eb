"""Many write accounts while parts are cut and folded: every place is right in the end."""

import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
from sqlalchemy import func, select, text, update

from accountsapp.db.database import Database
from accountsapp.domain import recent
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.activity import community
from accountsapp.domain.data import places
from accountsapp.domain.data.member_models import Member, MemberChange, MemberPart
from accountsapp.domain.data.models import Account, Base
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently


class Nothing(NamedTuple):
    """No further columns."""


def make(database: Database, prefix: str, number: int) -> list[int]:
    """Accounts, in small transactions."""
    table = Base.metadata.tables["account"]
    ids: list[int] = []
    for part in range(number // 5):
        rows = [
            {"username": f"{prefix}{part}-{n}", "username_key": f"{prefix}{part}-{n}", "version": 1}
            for n in range(5)
        ]
        with database.begin() as session:
            ids += session.scalars(table.insert().returning(table.c.id), rows)
    return ids


def test_writers_and_folders_at_once(
    stores: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PART", 5), ("LARGEST_PART", 9), ("FOLD_FROM", 1)):
        monkeypatch.setattr(places, name, value)
    monkeypatch.setattr(recent, "FRESH", 0.0)
    over = threading.Event()

    def fold() -> None:
        while not over.wait(0.01):
            database.write(places.fold)

    def change(prefix: str) -> None:
        ids = make(database, prefix, 40)
        for account_id in ids[::3]:
            with database.begin() as session:
                session.execute(update(Account).where(Account.id == account_id).values(n_contributions=5))
        for account_id in ids[::4]:
            with stores.transaction() as store:
                lifecycle.delete_untold(store, account_id)

    def look() -> None:
        while not over.wait(0.01):
            with stores.transaction() as store:
                assert 0 <= community.total(store) <= 160
                assert community.page(store, 1, Nothing) is not None

    background = [threading.Thread(target=target) for target in (fold, fold, look)]
    for thread in background:
        thread.start()
    try:
        concurrently([partial(change, prefix) for prefix in ("a", "b", "c", "d")])
    finally:
        over.set()
        for thread in background:
            thread.join()
    database.write(places.fold)
    with database.read_engine.connect() as connection:
        members = connection.scalar(select(func.count()).select_from(Member))
        assert members == connection.scalar(select(func.count()).select_from(Account)) == 4 * 30
        for order in places.ORDERS:
            of_order = select(func.sum(MemberPart.members)).where(MemberPart.order == order)
            assert connection.scalar(of_order) == members
        assert connection.scalar(select(func.count()).select_from(MemberChange)) == 0
    with stores.transaction() as store:
        rows = [row for n in range(1, 6) for row in community.page(store, n, Nothing) or []]
        ids = [row.id for row in rows]
        assert len(set(ids)) == len(ids) == members
        ranks = [community.standing(store, account_id).rank or 0 for account_id in ids]
        assert sorted(ranks) == [*range(1, 121)]


def test_a_place_among_accounts_of_one_moment_is_found_by_an_index(
    database: Database, register: Callable[..., Person]
) -> None:
    """Row by row it would take longer the farther back it is."""
    register("somebody")
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    order = "ORDER BY joined DESC, account_id DESC LIMIT 24"
    statement = (
        f"SELECT account_id FROM member WHERE (joined, account_id) < ('2022-01-01 00:00:00', 5) {order}"
    )
    with database.read_engine.connect() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
            connection.execute(text("SET enable_bitmapscan = off"))
            connection.execute(text("SET enable_sort = off"))
        plan = str(connection.execute(text(f"{explain} {statement}")).all())
        if not database.is_sqlite:
            connection.execute(text("RESET ALL"))
    expected = (
        "(joined,account_id)<(?,?)" if database.is_sqlite else "Index Cond: (ROW(joined, account_id) < ROW"
    )
    assert expected in plan
    assert "ix_member_joined" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
