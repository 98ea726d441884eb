"""What becomes of the activity of a deleted account."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.activity import projects
from accountsapp.domain.data.activity_models import (
    Addon,
    AddonAuthor,
    AnsweredTask,
    Collection,
    Contribution,
    Project,
    Review,
    Volunteer,
)
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.activity import add_addon, add_project, contribute
from tests.support.concurrently import concurrently


@pytest.fixture
def rows(database: Database) -> Callable[..., list[Any]]:
    def rows(*columns: Any) -> list[Any]:
        with database.read_engine.connect() as connection:
            found = connection.execute(select(*columns)).all()
        return sorted(row[0] if len(columns) == 1 else tuple(row) for row in found)

    return rows


@pytest.fixture
def carol(register: Callable[..., Person]) -> Person:
    return register("carol")


def delete(stores: Process, person: Person) -> None:
    with stores.transaction() as store:
        lifecycle.delete(store, person.id)


def test_reviews_collections_and_own_addons_go(
    stores: Process, alice: Person, bob: Person, rows: Callable[..., list[Any]]
) -> None:
    with stores.transaction() as store:
        session = store.session
        mine, shared, foreign = (
            add_addon(session, "mine", [alice.id]),
            add_addon(session, "shared", [alice.id, bob.id]),
            add_addon(session, "foreign", [bob.id]),
        )
        for account_id in (alice.id, bob.id):
            for addon_id in (mine, shared, foreign):
                session.add(Review(account_id=account_id, addon_id=addon_id))
            session.add(Collection(account_id=account_id, slug="c"))
    delete(stores, alice)
    assert rows(Addon.slug) == ["foreign", "shared"]
    assert rows(Review.account_id, Review.addon_id) == [(bob.id, shared), (bob.id, foreign)]
    assert rows(Collection.account_id) == [bob.id]


def test_shared_addons_have_an_owner_ever_after(
    stores: Process, alice: Person, bob: Person, carol: Person, rows: Callable[..., list[Any]]
) -> None:
    """The first of the remaining authors, if no owner is left."""
    with stores.transaction() as store:
        session = store.session
        first = add_addon(session, "first", [alice.id, carol.id, bob.id])
        second = add_addon(session, "second", [carol.id, alice.id, bob.id])
        session.execute(
            AddonAuthor.__table__.update()
            .where(AddonAuthor.addon_id == second, AddonAuthor.account_id == bob.id)
            .values(role="owner")
        )
    delete(stores, alice)
    of = (AddonAuthor.addon_id, AddonAuthor.account_id, AddonAuthor.role)
    everyone = [
        (first, bob.id, "developer"),
        (first, carol.id, "owner"),
        (second, bob.id, "owner"),
        (second, carol.id, "owner"),
    ]
    assert rows(*of) == everyone
    delete(stores, carol)
    assert rows(*of) == [(first, bob.id, "owner"), (second, bob.id, "owner")]


def test_contributions_stay_under_a_mark_and_count_as_before(
    stores: Process, alice: Person, bob: Person, rows: Callable[..., list[Any]]
) -> None:
    with stores.transaction() as store:
        session = store.session
        for short_name in ("one", "two"):
            project_id = add_project(session, short_name, bob.id, n_tasks=4)
            contribute(session, project_id, alice.id, [1, 2])
            contribute(session, project_id, bob.id, [2])

    def figures() -> list[tuple[int, int]]:
        with stores.transaction() as store:
            created = projects.created_by(store.connection, bob.id)
            return [(row.n_volunteers, row.overall_progress) for row in created]

    before, contributions = figures(), rows(Contribution.task)
    assert before == [(2, 50), (2, 50)]
    delete(stores, alice)
    assert figures() == before
    assert rows(Contribution.task) == contributions
    with stores.database.read_engine.connect() as connection:
        left = connection.execute(select(Volunteer.project_id).where(Volunteer.account_id.is_(None))).all()
    assert len({row.project_id for row in left}) == len(left) == 2
    marks = rows(Volunteer.id)
    assert min(marks) > 2**32  # chance, not counting: nothing of it says when or who


def test_projects_stay_unless_they_are_drafts_of_ones_own(
    stores: Process, alice: Person, bob: Person, carol: Person, rows: Callable[..., list[Any]]
) -> None:
    with stores.transaction() as store:
        session = store.session
        add_project(session, "published", alice.id)
        add_project(session, "draft", alice.id, published=False)
        alone = add_project(session, "alone", alice.id, published=False)
        contribute(session, alone, alice.id, [1, 2])
        helped = add_project(session, "helped", alice.id, published=False)
        contribute(session, helped, bob.id, [1])
        once_helped = add_project(session, "once helped", alice.id, published=False)
        contribute(session, once_helped, carol.id, [1])
        add_project(session, "foreign", bob.id, published=False)
    delete(stores, carol)
    delete(stores, alice)
    assert rows(Project.short_name) == ["foreign", "helped", "once helped", "published"]
    with stores.database.read_engine.connect() as connection:
        owners = connection.execute(select(Project.owner_id).where(Project.short_name != "foreign"))
        assert {row.owner_id for row in owners} == {None}
    assert rows(AnsweredTask.project_id) == [helped, once_helped]
    assert rows(Contribution.task) == ["1", "1"]


def test_authors_of_one_addon_who_are_deleted_at_once_leave_nothing(
    stores: Process, register: Callable[..., Person], rows: Callable[..., list[Any]]
) -> None:
    people = [register(f"person{number}") for number in range(4)]
    with stores.transaction() as store:
        for slug in ("a", "b", "c"):
            add_addon(store.session, slug, [person.id for person in people])
    concurrently([partial(delete, stores, person) for person in people])
    assert rows(func.count(Addon.id)) == [0]
    assert rows(func.count(Account.id)) == [0]
