"""``accountsapp activity import``: every kind and key of the record, and what one bad line costs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import literal, select

from accountsapp.db.database import Database
from accountsapp.domain.activity import authorship, projects
from accountsapp.domain.audit import Event
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
from accountsapp.domain.data.addon_figures import addon_figures_text
from accountsapp.domain.data.models import Account, Base
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.cli.conftest import Ran, Run

Activity = Callable[..., Ran]

PROJECT: dict[str, Any] = {
    "kind": "project",
    "owner": "ALICE",
    "short_name": "stars",
    "name": "Count stars",
    "description": "All of\nthem",
    "info": {"thumbnail": "x.png", "n": [1, 2.5]},
    "published": True,
    "n_tasks": 4,
    "created": "2015-06-10T15:02:38Z",
}
ADDON: dict[str, Any] = {
    "kind": "addon",
    "slug": "tabs",
    "type": "extension",
    "listed": True,
    "approved": 1,
    "average_rating": 4.25,
    "authors": [{"username": "Alice", "role": "developer"}, {"username": "bob", "role": "owner"}],
}
REVIEW: dict[str, Any] = {
    "kind": "review",
    "username": "bob",
    "addon": "tabs",
    "rating": 3,
    "body": "so so",
}
COLLECTION = {"kind": "collection", "username": "bob", "slug": "best", "name": "The best"}


def contribution(username: str, task: Any, project: str = "stars", **more: Any) -> dict[str, Any]:
    return {"kind": "contribution", "username": username, "project": project, "task": task, **more}


@pytest.fixture
def activity(run: Run) -> Activity:
    """Imports records: ``activity({"kind": …}, …)``; bytes are lines as they are."""

    def load(*records: dict[str, Any] | bytes, exit_code: int = 0) -> Ran:
        lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
        return run("activity", "import", "-", input=b"\n".join(lines), exit_code=exit_code)

    return load


def stored(database: Database, model: Any, *columns: str) -> list[tuple[Any, ...]]:
    table = Base.metadata.tables[model.__tablename__]
    with database.read_engine.connect() as connection:
        rows = connection.execute(select(*(table.c[column] for column in columns)))
        return sorted((tuple(row) for row in rows), key=repr)


def complaints(ran: Ran) -> list[str]:
    lines = ran.err.splitlines()
    assert ran.json["failed"] == len(lines)
    return lines


def test_every_kind_is_made_and_imported_again_changes_nothing(
    activity: Activity, stores: Process, database: Database, alice: Person, bob: Person
) -> None:
    records = [
        PROJECT,
        contribution("alice", 1, created="2020-01-02T03:04:05Z"),
        contribution("BOB", 1),
        contribution("bob", "1"),
        ADDON,
        REVIEW,
        COLLECTION,
    ]
    assert activity(*records).json == {"created": 7, "updated": 0, "failed": 0}

    def everything() -> list[Any]:
        return [
            stored(database, Project, "short_name", "owner_id", "name", "description", "info", "published"),
            stored(database, Project, "n_tasks", "n_volunteers", "n_answered"),
            stored(database, Volunteer, "account_id"),
            stored(database, Contribution, "task"),
            stored(database, AnsweredTask, "task"),
            stored(database, Addon, "slug", "type", "listed", "approved", "average_rating"),
            stored(database, AddonAuthor, "account_id", "role", "position"),
            stored(database, Review, "account_id", "rating", "body"),
            stored(database, Collection, "account_id", "slug", "name"),
            stored(database, Account, "username", "n_contributions"),
        ]

    first = everything()
    info = {"thumbnail": "x.png", "n": [1, 2.5]}
    assert first == [
        [("stars", alice.id, "Count stars", "All of\nthem", info, True)],
        [(4, 2, 2)],
        sorted([(alice.id,), (bob.id,)], key=repr),
        [('"1"',), ("1",), ("1",)],
        [('"1"',), ("1",)],
        [("tabs", "extension", True, True, 4.25)],
        sorted([(alice.id, "developer", 0), (bob.id, "owner", 1)], key=repr),
        [(bob.id, 3.0, "so so")],
        [(bob.id, "best", "The best")],
        [("alice", 1), ("bob", 2)],
    ]
    assert activity(*records).json == {"created": 0, "updated": 7, "failed": 0}
    assert everything() == first
    with stores.transaction() as store:
        (row,) = projects.created_by(store.connection, alice.id)
        assert (row.created.isoformat(), row.overall_progress) == ("2015-06-10T15:02:38+00:00", 50)
        text = store.connection.scalar(select(addon_figures_text(literal(bob.id))))
        assert authorship.figures_of(text) == (4.25, True, False, 1)


def test_the_least_record_of_each_kind(activity: Activity, database: Database, bob: Person) -> None:
    ran = activity(
        {"kind": "project", "short_name": "p", "owner": None, "name": None, "info": None, "n_tasks": None},
        {"kind": "addon", "slug": "a", "type": "theme", "authors": None, "average_rating": None},
        {"kind": "review", "username": "bob", "addon": "a", "body": None},
        {"kind": "collection", "username": "bob", "slug": "c"},
    )
    assert ran.json == {"created": 4, "updated": 0, "failed": 0}
    columns = ("short_name", "owner_id", "name", "description", "info", "published", "n_tasks")
    assert stored(database, Project, *columns) == [("p", None, "p", "", {}, False, 0)]
    assert stored(database, Addon, "listed", "approved", "average_rating") == [(False, False, None)]
    assert stored(database, Review, "rating", "body") == [(None, None)]
    assert stored(database, Collection, "name") == [(None,)]


def test_an_update_changes_what_it_names(
    activity: Activity, database: Database, alice: Person, bob: Person
) -> None:
    activity(PROJECT, ADDON, REVIEW, COLLECTION, contribution("bob", 1, created="2020-01-01"))
    ran = activity(
        {"kind": "project", "short_name": "stars", "name": "Stars"},
        {"kind": "project", "short_name": "stars", "owner": None},
        {"kind": "addon", "slug": "tabs", "average_rating": None, "listed": False},
        {"kind": "addon", "slug": "tabs", "authors": [{"username": "bob", "role": "owner"}]},
        {"kind": "review", "username": "bob", "addon": "tabs", "rating": 5},
        {"kind": "collection", "username": "bob", "slug": "best", "name": None},
        contribution("bob", 1, created="2021-01-01"),
    )
    assert ran.json == {"created": 0, "updated": 7, "failed": 0}
    assert stored(database, Project, "name", "owner_id", "published", "n_tasks") == [("Stars", None, True, 4)]
    assert stored(database, Addon, "listed", "approved", "average_rating") == [(False, True, None)]
    assert stored(database, AddonAuthor, "account_id", "role") == [(bob.id, "owner")]
    assert stored(database, Review, "rating", "body") == [(5.0, "so so")]
    assert stored(database, Collection, "name") == [(None,)]
    ((moment,),) = stored(database, Contribution, "created")
    assert moment.isoformat() == "2021-01-01T00:00:00+00:00"


def test_the_same_identity_twice_in_one_file(
    activity: Activity, database: Database, alice: Person, bob: Person
) -> None:
    ran = activity(
        {**PROJECT, "name": "First"},
        {"kind": "project", "short_name": "stars", "name": "Second"},
        {**ADDON, "authors": []},
        {"kind": "addon", "slug": "tabs", "authors": [{"username": "alice"}]},
        REVIEW,
        {**REVIEW, "rating": 1},
        COLLECTION,
        {**COLLECTION, "name": "Other"},
        contribution("bob", 1, created="2020-01-01"),
        contribution("bob", 1),
    )
    assert ran.json == {"created": 5, "updated": 5, "failed": 0}
    assert stored(database, Project, "name", "n_volunteers", "n_answered") == [("Second", 1, 1)]
    assert stored(database, AddonAuthor, "account_id", "role") == [(alice.id, "developer")]
    assert stored(database, Review, "rating") == [(1.0,)]
    assert stored(database, Collection, "name") == [("Other",)]
    assert stored(database, Account, "username", "n_contributions") == [("alice", 0), ("bob", 1)]


BAD: list[tuple[dict[str, Any] | bytes, str]] = [
    (b"{", "is not valid JSON"),
    (b"[1]", "must be a JSON object"),
    (b'{"kind": "project", "kind": "addon"}', "is not valid JSON"),
    (b"\xff{}", "is not UTF-8"),
    (b'{"kind": "project", "short_name": "x", "info": {"a": NaN}}', "is not valid JSON"),
    ({}, "kind: is required"),
    ({"kind": "person"}, "kind: must be one of project, contribution, addon, review, collection"),
    ({"kind": 7}, "kind: must be one of project, contribution, addon, review, collection"),
    ({"kind": None}, "kind: must be one of project, contribution, addon, review, collection"),
    ({"kind": "project"}, "short_name: is required"),
    ({**PROJECT, "colour": "red", "n_volunteers": 3}, "colour: unknown key; n_volunteers: unknown key"),
    ({**PROJECT, "owner": "nobody"}, "owner: no such account"),
    ({**PROJECT, "n_tasks": -1}, "n_tasks: "),
    ({**PROJECT, "n_tasks": 2**31}, "n_tasks: "),
    ({**PROJECT, "n_tasks": "4"}, "n_tasks: "),
    ({**PROJECT, "published": "yes"}, "published: "),
    ({**PROJECT, "published": 2}, "published: "),
    ({**PROJECT, "created": "yesterday"}, "created: "),
    ({**PROJECT, "info": []}, "info: "),
    ({**PROJECT, "short_name": ""}, "short_name: "),
    ({**PROJECT, "short_name": "x" * 256}, "short_name: "),
    ({**PROJECT, "short_name": None}, "short_name: "),
    ({**PROJECT, "name": "a\nb"}, "name: has control characters"),
    ({**PROJECT, "description": "a\0b"}, "description: has NUL or half a surrogate pair in it"),
    ({**PROJECT, "info": {"a": "\ud800"}}, "info: has NUL or half a surrogate pair in it"),
    ({**PROJECT, "description": "x" * 1024 * 1024}, "is larger than 1 MiB"),
    (contribution("nobody", 1), "username: no such account"),
    (contribution("alice", 1, "nothing"), "project: no such project"),
    (contribution("alice", None), "task: "),
    (contribution("alice", True), "task: "),
    (contribution("alice", 1.5), "task: "),
    (contribution("alice", ""), "task: "),
    (contribution("alice", ["x"]), "task: "),
    ({"kind": "contribution"}, "username: is required; project: is required; task: is required"),
    ({"kind": "addon", "slug": "new"}, "type: is required"),
    ({**ADDON, "type": "plugin"}, "type: "),
    ({**ADDON, "average_rating": 5.5}, "average_rating: "),
    ({**ADDON, "average_rating": True}, "average_rating: "),
    ({**ADDON, "authors": [{"username": "nobody"}]}, "authors: no such account"),
    (
        {**ADDON, "authors": [{"username": "alice"}, {"username": "ALICE"}]},
        "authors: an account is given twice",
    ),
    ({**ADDON, "authors": [{"username": "alice", "role": "admin"}]}, "authors.0.role: "),
    ({**ADDON, "authors": [{"username": "alice", "since": 1}]}, "authors.0.since: unknown key"),
    ({**ADDON, "authors": "alice"}, "authors: "),
    ({**REVIEW, "addon": "nothing"}, "addon: no such add-on"),
    ({**REVIEW, "username": "nobody"}, "username: no such account"),
    ({**REVIEW, "rating": 6}, "rating: "),
    ({**REVIEW, "body": 7}, "body: "),
    ({**COLLECTION, "username": "nobody"}, "username: no such account"),
    ({**COLLECTION, "slug": 7}, "slug: "),
]


def test_each_bad_line_is_one_line_with_its_number_and_costs_no_other(
    activity: Activity, database: Database, alice: Person, bob: Person
) -> None:
    lines: list[dict[str, Any] | bytes] = [PROJECT, ADDON]
    for bad, _ in BAD:
        lines += [bad, contribution("alice", len(lines))]
    ran = activity(*lines, exit_code=1)
    assert ran.json == {"created": 2 + len(BAD), "updated": 0, "failed": len(BAD)}
    told = complaints(ran)
    for number, (line, (_, text)) in enumerate(zip(told, BAD, strict=True)):
        assert line.startswith(f"line {3 + 2 * number}: {text}")
    assert "nobody" not in ran.err
    assert stored(database, Account, "username", "n_contributions") == [("alice", len(BAD)), ("bob", 0)]


def test_what_is_no_file_is_one_line(run: Run, tmp_path: Any) -> None:
    for name in (tmp_path / "nothing", tmp_path):
        ran = run("activity", "import", str(name), exit_code=1)
        assert len(ran.err.splitlines()) == 1
        assert ran.out == ""
    empty = tmp_path / "empty"
    empty.write_bytes(b"\n\n")
    assert run("activity", "import", str(empty)).json == {"created": 0, "updated": 0, "failed": 0}


def test_it_is_recorded(activity: Activity, run: Run, alice: Person) -> None:
    activity({"kind": "collection", "username": "alice", "slug": "c"})
    (event,) = [
        row for row in run("audit", "list", "--json").jsons if row["event"] == Event.ACTIVITY_IMPORTED
    ]
    assert (event["detail"]["created"], event["detail"]["updated"]) == (1, 0)
    assert event["detail"]["command"]
