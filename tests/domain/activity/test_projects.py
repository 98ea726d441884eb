"""The projects that an account made, and those that it contributed to."""

from accountsapp.domain.activity import projects
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.activity import add_project, contribute


def test_created_drafts_and_contributed(stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        session = store.session
        for short_name, name, published in (
            ("p3", "beta", True),
            ("p2", "Alpha", True),
            ("p1", "ALPHA", True),
            ("p4", "draft", False),
        ):
            add_project(session, short_name, alice.id, name=name, published=published)
        other = add_project(session, "other", bob.id, published=False)
        contribute(session, other, alice.id, ["x"])
        contribute(session, add_project(session, "nobody's", info={"a": [1]}), alice.id, ["x"])
        store.commit()
        connection = store.connection

        def names(rows: list[projects.ProjectRow]) -> list[str]:
            return [row.short_name for row in rows]

        assert names(projects.created_by(connection, alice.id)) == ["p1", "p2", "p3"]
        assert names(projects.created_by(connection, alice.id, drafts=True)) == ["p1", "p2", "p3", "p4"]
        owned = projects.created_by(connection, alice.id, drafts=True)
        assert names([row for row in owned if not row.published]) == ["p4"]
        assert names(projects.contributed_by(connection, alice.id)) == ["nobody's"]
        assert names(projects.contributed_by(connection, alice.id, drafts=True)) == ["nobody's", "other"]
        assert projects.contributed_by(connection, bob.id) == []
        (row,) = projects.contributed_by(connection, alice.id)
        assert (row.owner_id, row.info, row.n_tasks, row.overall_progress) == (None, {"a": [1]}, 0, 0)


def test_volunteers_and_progress(stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        session = store.session
        project_id = add_project(session, "p", alice.id, n_tasks=3)
        small = add_project(session, "small", alice.id, n_tasks=1)
        contribute(session, project_id, alice.id, [1, "1"])
        contribute(session, project_id, bob.id, [1])
        contribute(session, small, bob.id, [1, 2])
        store.commit()
        rows = {row.short_name: row for row in projects.created_by(store.connection, alice.id)}
    assert (rows["p"].n_volunteers, rows["p"].overall_progress) == (2, 66)
    assert (rows["small"].n_volunteers, rows["small"].overall_progress) == (1, 100)
