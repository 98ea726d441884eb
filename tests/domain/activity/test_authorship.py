"""What an account's add-ons say of it."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

from sqlalchemy import Connection, event, literal, select

from accountsapp.db.database import Database
from accountsapp.domain.activity import authorship
from accountsapp.domain.activity.authorship import AddonFigures
from accountsapp.domain.data.addon_figures import addon_figures_text
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.activity import add_addon, add_project, contribute


def figures(connection: Connection, account_id: int) -> AddonFigures:
    text = connection.scalar(select(addon_figures_text(literal(account_id))))
    return authorship.figures_of(text)


def test_figures_count_public_addons_alone(stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        assert figures(store.connection, alice.id) == AddonFigures(None, False, False, 0)
        session = store.session
        add_addon(session, "hidden", [alice.id], listed=False, average_rating=1)
        add_addon(session, "waiting", [alice.id], approved=False, average_rating=1)
        add_addon(session, "foreign", [bob.id], average_rating=1)
        store.commit()
        assert figures(store.connection, alice.id) == AddonFigures(None, False, False, 0)
        add_addon(session, "theme", [bob.id, alice.id], type="theme")
        store.commit()
        assert figures(store.connection, alice.id) == AddonFigures(None, False, True, 1)
        add_addon(session, "one", [alice.id], average_rating=4.1)
        add_addon(session, "two", [alice.id], average_rating=4.2)
        add_addon(session, "three", [alice.id], average_rating=0)
        store.commit()
        assert figures(store.connection, alice.id) == AddonFigures(2.77, True, True, 4)
        assert figures(store.connection, bob.id) == AddonFigures(1.0, True, True, 2)
        assert figures(store.connection, 2**31 - 1) == AddonFigures(None, False, False, 0)


def test_figures_take_one_statement(stores: Process, database: Database, alice: Person) -> None:
    statements: list[str] = []
    event.listen(
        database.read_engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    with stores.transaction() as store:
        figures(store.connection, alice.id)
        assert len(statements) == 1


def test_many_contributions_cost_nothing(
    stores: Process, register: Callable[..., Person], alice: Person, bob: Person
) -> None:
    """An account with 10,000 contributions and one with none."""
    with stores.transaction() as store:
        for account_id, name in ((alice.id, "one"), (bob.id, "two")):
            add_addon(store.session, name, [account_id], average_rating=3)
        contribute(store.session, add_project(store.session, "big"), alice.id, range(10_000))

    def cost(account_id: int) -> float:
        times = []
        with stores.transaction() as store:
            for _ in range(200):
                begin = perf_counter()
                figures(store.connection, account_id)
                times.append(perf_counter() - begin)
        return median(times)

    cost(bob.id)
    assert cost(alice.id) < 2 * cost(bob.id)
