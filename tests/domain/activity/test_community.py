"""The community: who is listed, in which order, with which rank; and what happened of late."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import func, select, update

from accountsapp.db.database import Database
from accountsapp.domain import recent
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.activity import community, feed
from accountsapp.domain.activity.feed import AccountMade, Contributed, ProjectMade
from accountsapp.domain.data import places
from accountsapp.domain.data.activity_models import Contribution, Project
from accountsapp.domain.data.member_models import Member, MemberChange, MemberPart
from accountsapp.domain.data.models import Account, AccountState, Base
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.activity import add_project, contribute

START = datetime(2020, 1, 1, tzinfo=UTC)


class Shown(NamedTuple):
    """The columns that the tests ask for."""

    name: str | None
    info: dict[str, Any]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lags."""
    monkeypatch.setattr(recent, "FRESH", 0.0)
    monkeypatch.setattr(recent, "STALE", 0.0)


@pytest.fixture
def add(database: Database) -> Callable[..., list[int]]:
    """Makes accounts by their columns, as an import would."""

    def add(*rows: dict[str, Any]) -> list[int]:
        table = Base.metadata.tables["account"]
        with database.begin() as session:
            return [
                session.execute(
                    table.insert()
                    .values(username_key=row["username"], version=1, created=START, **row)
                    .returning(table.c.id)
                ).scalar_one()
                for row in rows
            ]

    return add


def expected(database: Database) -> tuple[list[int], list[int]]:
    """The listed accounts in both orders, by Python."""
    with database.read_engine.connect() as connection:
        accounts = [
            account
            for account in connection.execute(select(Account.__table__))
            if account.state == "active" and "@" not in account.username
        ]
    newest = sorted(accounts, key=lambda a: (a.signup or a.created, a.id), reverse=True)
    best = sorted(accounts, key=lambda a: (-a.n_contributions, a.signup or a.created, a.id))
    return [a.id for a in newest], [a.id for a in best]


def check(stores: Process) -> None:
    """Pages, ranks, top and total are what they are to be."""
    newest, best = expected(stores.database)
    with stores.transaction() as store:
        assert community.total(store) == len(newest)
        pages = [community.page(store, n, Shown) for n in range(1, community.pages(store) + 1)]
        assert [member.id for page in pages for member in page or []] == newest
        assert all(len(page or []) == community.PAGE for page in pages[:-1])
        assert community.page(store, len(pages) + 1, Shown) is None
        for wrong in (0, -1, 10**20):
            assert community.page(store, wrong, Shown) is None
        ranks = [community.standing(store, account_id).rank for account_id in best]
        assert ranks == [*range(1, len(best) + 1)]
        assert [(n, member.id) for n, member in community.top(store, Shown)] == [*enumerate(best, 1)][:20]


def test_nobody(stores: Process) -> None:
    with stores.transaction() as store:
        assert community.page(store, 1, Shown) == []
        assert community.page(store, 2, Shown) is None
        assert (community.total(store), community.pages(store)) == (0, 1)
        assert community.top(store, Shown, 7) == ()
        assert community.standing(store, 7) == (None, 0)
        assert feed.feed(store, Shown) == ()


def test_who_is_listed(stores: Process, add: Callable[..., list[int]]) -> None:
    one, _, _, two = add(
        {"username": "one", "signup": START, "name": "One", "info": {"a": 1}, "n_contributions": 3},
        {"username": "a@example.com"},
        {"username": "pending", "state": "pending"},
        {"username": "two", "signup": None},
    )
    with stores.transaction() as store:
        page = community.page(store, 1, Shown)
        assert page == [
            (two, "two", START, 0, Shown(None, {})),
            (one, "one", START, 3, Shown("One", {"a": 1})),
        ]
    check(stores)


def test_whatever_changes_is_seen(
    stores: Process, add: Callable[..., list[int]], alice: Person, bob: Person, database: Database
) -> None:
    add(*({"username": f"u{n:03}", "signup": START + timedelta(days=n % 7)} for n in range(60)))
    check(stores)
    changes: list[dict[str, Any]] = [
        {"state": AccountState.DEACTIVATED},
        {"state": AccountState.ACTIVE},
        {"username": "alice@example.com"},
        {"username": "alice"},
        {"signup": START - timedelta(days=1)},
        {"signup": None},
        {"n_contributions": 7},
        {"n_contributions": 7, "name": "same"},
        {"last_login": START},
    ]
    for change in changes:
        with database.begin() as session:
            session.execute(update(Account).where(Account.id == alice.id).values(change))
        check(stores)
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    check(stores)
    with database.begin() as session:
        session.execute(Account.__table__.delete())
    check(stores)
    with database.read_engine.connect() as connection:
        assert connection.scalar(select(func.sum(MemberChange.delta))) == 0


def test_what_is_the_same_is_no_change(stores: Process, alice: Person, database: Database) -> None:
    with database.begin() as session:
        before = session.scalar(select(func.count()).select_from(MemberChange))
        same = {"state": "active", "username": "alice", "n_contributions": 0}
        session.execute(update(Account).where(Account.id == alice.id).values(same))
        assert session.scalar(select(func.count()).select_from(MemberChange)) == before


@pytest.mark.parametrize("most_folded", [0, 10_000])
def test_folding_keeps_every_place(
    stores: Process,
    add: Callable[..., list[int]],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    most_folded: int,
) -> None:
    """Parts are cut, grow, are cut anew, shrink and go; one by one or all at once."""
    monkeypatch.setattr(places, "PART", 5)
    monkeypatch.setattr(places, "LARGEST_PART", 8)
    monkeypatch.setattr(places, "FEW_PARTS", 6)
    monkeypatch.setattr(places, "MOST_FOLDED", most_folded)
    chance = random.Random(7)
    ids: list[int] = []
    for turn in range(6):
        signups = [START + timedelta(days=chance.randrange(10)) for _ in range(25)]
        rows = [
            {"username": f"u{turn}-{n}", "signup": signup, "n_contributions": chance.choice([0, 0, 1, 5])}
            for n, signup in enumerate(signups)
        ]
        ids += add(*rows)
        if turn % 2:
            check(stores)
        assert database.write(places.fold)
        assert database.write(places.fold) == 0
        check(stores)
        parts_are_right(database)
        gone = chance.sample(ids, 12)
        with database.begin() as session:
            session.execute(Account.__table__.delete().where(Account.id.in_(gone[:6])))
            session.execute(
                update(Account).where(Account.id.in_(gone[6:])).values(n_contributions=Account.id % 3)
            )
        check(stores)
    with database.begin() as session:
        session.execute(Account.__table__.delete().where(Account.id.not_in(ids[:3])))
    database.write(places.fold)
    parts_are_right(database)
    check(stores)
    with database.begin() as session:
        session.execute(Account.__table__.delete())
    database.write(places.fold)
    check(stores)


def parts_are_right(database: Database) -> None:
    with database.read_engine.connect() as connection:
        members = connection.scalar(select(func.count()).select_from(Member))
        for order in places.ORDERS:
            of_order = select(MemberPart.members).where(MemberPart.order == order)
            numbers = connection.scalars(of_order).all()
            assert sum(numbers) == members
            assert all(0 < number <= places.LARGEST_PART for number in numbers)


def test_the_reader_folds_when_much_waits(
    stores: Process, add: Callable[..., list[int]], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "FOLD_FROM", 10)
    add(*({"username": f"u{n}"} for n in range(30)))
    check(stores)
    with database.read_engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(MemberChange)) == 0
        assert connection.scalar(select(func.count()).select_from(MemberPart)) == 2
    check(stores)


def test_ones_own_place_is_added_to_the_top(stores: Process, add: Callable[..., list[int]]) -> None:
    ids = add(*({"username": f"u{n:02}", "n_contributions": 100 - n} for n in range(30)))
    (hidden,) = add({"username": "x@y", "n_contributions": 500})
    with stores.transaction() as store:
        top = community.top(store, Shown)
        assert [member.id for _, member in top] == ids[:20]
        assert community.top(store, Shown, ids[3]) == top
        assert community.top(store, Shown, hidden) == top
        *best, own = community.top(store, Shown, ids[25])
        assert tuple(best) == top
        assert (own.rank, own.member.id, own.member.score) == (26, ids[25], 75)
        assert community.standing(store, hidden) == (None, 500)


def test_the_feed(stores: Process, add: Callable[..., list[int]], database: Database) -> None:
    ann, ben, hidden = add(
        {"username": "ann", "signup": START, "name": "Ann"},
        {"username": "ben", "signup": START + timedelta(hours=1)},
        {"username": "x@y", "signup": START + timedelta(hours=2)},
    )
    with stores.transaction() as store:
        session = store.session

        def project(short_name: str, owner: int | None, hours: int, **columns: Any) -> int:
            return add_project(session, short_name, owner, created=START + timedelta(hours=hours), **columns)

        shown = project("shown", ann, 3, name="Shown", n_tasks=2)
        draft = project("draft", ann, 4, published=False)
        project("of hidden", hidden, 5)
        project("of nobody", None, 6)
        contribute(session, shown, ben, ["a"])
        contribute(session, draft, ben, ["a"])
        contribute(session, shown, hidden, ["b"])
        store.commit()
        with database.begin() as other:
            other.execute(update(Contribution).values(created=START + timedelta(hours=9)))
        items = feed.feed(store, Shown)
    member = community.MemberRow(ann, "ann", START, 0, Shown("Ann", {}))
    contributed, made, of_ben, of_ann = items
    assert isinstance(contributed, Contributed)
    assert (contributed.member.id, contributed.project_name, contributed.project_short_name) == (
        ben,
        "Shown",
        "shown",
    )
    assert isinstance(made, ProjectMade)
    assert (made.project.short_name, made.project.n_volunteers, made.project.overall_progress) == (
        "shown",
        2,
        100,
    )
    assert isinstance(of_ben, AccountMade)
    assert of_ann == AccountMade(START, member)
    assert [item.moment.hour for item in items] == [9, 3, 1, 0]


def test_the_feed_has_the_latest_hundred(
    stores: Process, add: Callable[..., list[int]], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many contributions that are not shown do not hide those that are."""
    monkeypatch.setattr(feed, "CONTRIBUTIONS_LOOKED_AT", (200, 400))
    (ann,) = add({"username": "ann", "signup": START})
    with stores.transaction() as store:
        shown, draft = (
            add_project(store.session, "shown", ann),
            add_project(store.session, "draft", ann, published=False),
        )
        contribute(store.session, shown, ann, range(120))
        store.session.execute(update(Contribution).values(created=START))
        contribute(store.session, draft, ann, range(190))
        store.session.execute(update(Project).values(created=START - timedelta(days=1)))
        store.commit()
        items = feed.feed(store, Shown)
    assert len(items) == 100
    assert {type(item) for item in items} == {Contributed, AccountMade}
