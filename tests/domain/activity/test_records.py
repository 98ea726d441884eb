"""An account's own activity, as its export has it: what was imported, and nothing of others."""

import json
from itertools import islice

import pytest

from accountsapp.domain.activity import records
from accountsapp.domain.activity.importing import Importer
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.activity import add_project, contribute


def test_they_are_what_was_imported(stores: Process, alice: Person, bob: Person) -> None:
    project = {
        "short_name": "stars",
        "name": "Stars",
        "description": "d",
        "info": {"a": [1]},
        "published": False,
        "n_tasks": 3,
        "created": "2015-06-10T15:02:38.411497Z",
    }
    contributions = [
        {"project": "stars", "task": task, "created": "2020-01-02T03:04:05Z"} for task in ('a"b', 7, "7", "ö")
    ]
    reviews = [{"addon": "a", "rating": 3, "body": "so so"}, {"addon": "b", "rating": 2.5, "body": None}]
    collections = [{"slug": "c", "name": "C"}, {"slug": "d", "name": None}]
    lines = [{"kind": "project", "owner": "alice", **project}]
    lines += [{"kind": "project", "owner": "bob", "short_name": "foreign"}]
    lines += [{"kind": "addon", "type": "theme", "slug": slug} for slug in ("a", "b")]
    for person in ("alice", "bob"):
        lines += [{"kind": "contribution", "username": person, **record} for record in contributions]
        lines += [{"kind": "review", "username": person, **record} for record in reviews]
        lines += [{"kind": "collection", "username": person, **record} for record in collections]
    importer = Importer(stores.database.write, stores.keyring, lambda *told: pytest.fail(str(told)))
    *_, counts = importer.run((n, json.dumps(line).encode()) for n, line in enumerate(lines, 1))
    assert counts.created == len(lines)
    with stores.transaction() as store:
        connection = store.connection
        assert list(records.projects_of(connection, alice.id)) == [project]

        def by_task(record: object) -> str:
            return json.dumps(record, sort_keys=True)

        of_alice = sorted(records.contributions_of(connection, alice.id), key=by_task)
        assert of_alice == sorted(contributions, key=by_task)
        assert list(records.reviews_of(connection, alice.id)) == reviews
        assert list(records.collections_of(connection, alice.id)) == collections
        assert list(records.projects_of(connection, 2**31 - 1)) == []


def test_they_are_read_in_parts(stores: Process, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "ROWS_AT_ONCE", 3)
    with stores.transaction() as store:
        for name in ("a", "b", "c", "d", "e", "f", "g"):
            project_id = add_project(store.session, name, alice.id)
            if name != "a":
                contribute(store.session, project_id, alice.id, range(ord(name) - ord("a")))
        store.commit()
        connection = store.connection
        assert len(list(records.projects_of(connection, alice.id))) == 7
        found = [(row["project"], row["task"]) for row in records.contributions_of(connection, alice.id)]
        assert sorted(found) == [(name, n) for number, name in enumerate("abcdefg") for n in range(number)]
        assert len(list(islice(records.contributions_of(connection, alice.id), 2))) == 2
