"""R15 for pictures: files and row are one change, whatever fails."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import event

from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.data.models import JobState
from accountsapp.domain.errors import AccountNotFound, Busy, UsernameTaken
from accountsapp.domain.pictures import files, keeping
from accountsapp.domain.pictures.decoding import JPEG, PNG, Picture, picture_of
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.jobs import all_jobs, let_time_pass
from tests.support.outbox import Outbox
from tests.support.pictures import encoded, opened, quarters


class Stem(NamedTuple):
    """What an account has of its picture."""

    picture: str | None


@pytest.fixture
def picture() -> Picture:
    return picture_of(encoded(quarters()), formats=frozenset({PNG, JPEG}), most_bytes=10_000)


@pytest.fixture
def stores(stores: Process) -> Process:
    """Without the squares of any API."""
    stores.rendition_sizes = set()
    return stores


def names(stores: Process) -> list[str]:
    """All files there are, by their path."""
    folder = stores.settings.files
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def stem_of(stores: Process, person: Person) -> str | None:
    with stores.transaction() as store:
        return profile.read(store, person.id, Stem).picture


def names_of(person: Person, stem: str | None, *sizes: int) -> list[str]:
    kinds = sorted(["avatar.png", *(f"{size}.jpg" for size in sizes)])
    return [f"uploads/user_{person.id}/{stem}_{kind}" for kind in kinds]


def change(stores: Process, person: Person, picture: Picture | None, **values: Any) -> str | None:
    with stores.transaction() as store:
        profile.change(store, person.id, picture=picture, **values)
    return stem_of(stores, person)


def test_one_change_with_texts_and_name(
    stores: Process, alice: Person, picture: Picture, outbox: Outbox
) -> None:
    stores.rendition_sizes = {30, 120}
    with stores.transaction() as store:
        row = profile.change(store, alice.id, {"name": "Al"}, username="al", picture=picture)
        assert row.username == "al"
        assert profile.read(store, alice.id, Stem).picture
    stem = stem_of(stores, alice)
    assert names(stores) == names_of(alice, stem, 120, 30)
    outbox.take()
    assert names(stores) == names_of(alice, stem, 120, 30), "no job removes it"
    folder = files.folder_of(stores.settings, alice.id)
    assert (folder / f"{stem}_avatar.png").read_bytes() == picture.png
    small = opened((folder / f"{stem}_30.jpg").read_bytes())
    assert (small.format, small.size) == ("JPEG", (30, 30))


def test_another_one_and_none(stores: Process, alice: Person, picture: Picture, outbox: Outbox) -> None:
    first = change(stores, alice, picture)
    second = change(stores, alice, picture)
    assert first != second
    assert names(stores) == sorted(names_of(alice, first) + names_of(alice, second))
    outbox.take()
    assert names(stores) == names_of(alice, second)
    with stores.transaction() as store:
        profile.change(store, alice.id, {"name": "Al"})
    assert stem_of(stores, alice) == second, "what is not given stays"
    assert change(stores, alice, None) is None
    assert change(stores, alice, None) is None
    outbox.take()
    assert names(stores) == []


def test_with_its_account(
    stores: Process, alice: Person, bob: Person, picture: Picture, outbox: Outbox
) -> None:
    change(stores, alice, picture)
    of_bob = change(stores, bob, picture)
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    outbox.take()
    assert names(stores) == names_of(bob, of_bob)
    assert not files.folder_of(stores.settings, alice.id).exists()


@pytest.fixture
def umask_of_others() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_everybody_may_read_them_whatever_the_umask(
    umask_of_others: None, stores: Process, alice: Person, picture: Picture
) -> None:
    change(stores, alice, picture)
    root = stores.settings.files
    made = {path.relative_to(root).parts[-1]: stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
    assert set(made.values()) == {0o755, 0o644}
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


def failing(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise ZeroDivisionError

    if where == "second file":
        real = files.write
        written: list[str] = []

        def write(folder: Path, name: str, data: bytes) -> None:
            written.append(name)
            if len(written) == 2:
                raise OSError(28, "No space left on device")
            real(folder, name, data)

        monkeypatch.setattr(files, "write", write)
    else:
        owner, name = {
            "lock": (Store, "lock_columns"),
            "put": (keeping, "put"),
            "flush": (Store, "reread"),
            "end": (Store, "commit"),
        }[where]
        monkeypatch.setattr(owner, name, fail)


@pytest.mark.parametrize("where", ["second file", "lock", "put", "flush", "end"])
def test_r15_what_fails_leaves_the_former_picture(
    where: str,
    stores: Process,
    alice: Person,
    picture: Picture,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
) -> None:
    stores.rendition_sizes = {30}
    former = change(stores, alice, picture)
    with monkeypatch.context() as patch:
        failing(where, patch)
        with pytest.raises((ZeroDivisionError, Busy)):
            change(stores, alice, picture)
    assert stem_of(stores, alice) == former
    assert names(stores) == names_of(alice, former, 30), "at once"
    let_time_pass(database)
    outbox.take()
    assert names(stores) == names_of(alice, former, 30), "nor later"
    assert change(stores, alice, picture) != former


def test_r15_a_refusal_leaves_no_file(stores: Process, alice: Person, bob: Person, picture: Picture) -> None:
    for username, error in (("bob", UsernameTaken), ("al", AccountNotFound)):
        account_id = alice.id if username == "bob" else 999
        with pytest.raises(error), stores.transaction() as store:
            profile.change(store, account_id, {"name": "x"}, username=username, picture=picture)
    assert names(stores) == []
    assert stem_of(stores, alice) is None


def test_r15_a_commit_that_fails_is_cleared_up_later(
    stores: Process, alice: Person, picture: Picture, outbox: Outbox, database: Database
) -> None:
    """Whether it reached the database cannot be known at once."""

    def fail(_session: Any) -> None:
        raise ZeroDivisionError

    def change_and_fail() -> None:
        with stores.transaction() as store:
            profile.change(store, alice.id, picture=picture)
            event.listen(store.session, "before_commit", fail)

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert stem_of(stores, alice) is None
    assert len(names(stores)) == 1
    let_time_pass(database)
    outbox.take()
    assert names(stores) == []


def test_a_change_that_takes_too_long_is_refused(
    stores: Process,
    alice: Person,
    picture: Picture,
    outbox: Outbox,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its files are being removed when it wants to have them: it must not be committed without them."""

    def change_slowly() -> None:
        with stores.transaction() as store, keeping.written(store, alice.id, picture) as written:
            let_time_pass(database)
            outbox.take()
            store.lock(alice.id)
            keeping.put(store.session, alice.id, None, written)

    with pytest.raises(Busy):
        change_slowly()
    assert stem_of(stores, alice) is None
    assert names(stores) == []


def test_no_job_is_left_by_a_change(
    stores: Process, alice: Person, picture: Picture, database: Database
) -> None:
    change(stores, alice, picture)
    assert all_jobs(database) == []
    change(stores, alice, picture)
    assert [(job.name, job.state) for job in all_jobs(database)] == [("remove_picture", JobState.QUEUED)]


def test_doing_a_job_twice_is_harmless(
    stores: Process, alice: Person, picture: Picture, database: Database, outbox: Outbox
) -> None:
    former, present = change(stores, alice, picture), change(stores, alice, picture)
    with database.begin() as session:
        for stem in (former, former, present):
            jobs.enqueue(session, keeping.REMOVE_PICTURE, {"of": alice.id, "stem": stem})
        for _ in range(2):
            jobs.enqueue(session, keeping.REMOVE_PICTURES, {"of": 999})
    outbox.take()
    assert names(stores) == names_of(alice, present)
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}


def test_not_within_a_transaction(stores: Process, alice: Person, picture: Picture) -> None:
    with stores.transaction() as store:
        profile.change(store, alice.id, {"name": "x"})
        with pytest.raises(RuntimeError, match="before the transaction"):
            profile.change(store, alice.id, picture=picture)
