"""R12, R13, R15 for what lies in files: killed at each step, and everything at once, nothing is left over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import Base, JobState
from accountsapp.domain.errors import AccountNotFound, Busy, DomainError
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.pictures.decoding import PNG, Picture, picture_of
from accountsapp.domain.transfer import archives
from accountsapp.process import Process
from accountsapp.testing.oauth import basic
from accountsapp.testing.people import Person
from accountsapp.waiting import Deadline
from tests.support.concurrently import concurrently
from tests.support.jobs import all_jobs, let_time_pass
from tests.support.outbox import Outbox
from tests.support.pictures import encoded, quarters
from tests.support.stuck import Step, run_jobs, stuck

SHORT_WAIT = 1.0
"""Seconds that a refusal waits for the database to be noted in it."""

LIFECYCLE = "accountsapp.domain.accounts.lifecycle"
FILES = "accountsapp.domain.pictures.files"
ARCHIVES = "accountsapp.domain.transfer.archives"
KEEPING = "accountsapp.domain.pictures.keeping"


@pytest.fixture(autouse=True)
def no_squares(stores: Process) -> None:
    """Whichever APIs are mounted, a picture is one file unless a test wants more."""
    stores.rendition_sizes = ()


def a_picture() -> Picture:
    return picture_of(encoded(quarters()), formats=frozenset({PNG}), most_bytes=10_000)


def change_picture(process: Process, account_id: int) -> None:
    with process.transaction() as store:
        profile.change(store, account_id, {"name": "changed"}, picture=a_picture())


FORM = {"content_type": "application/x-www-form-urlencoded"}


def files_of(process: Process) -> list[Path]:
    return [path for path in process.settings.files.rglob("*") if path.is_file()]


def rows_about(database: Database, account_id: int) -> dict[str, int]:
    """How many rows refer to an account, by table."""
    with database.read_engine.connect() as connection:
        return {
            table.name: number
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if any(key.column.table.name == "account" for key in column.foreign_keys)
            or (table.name, column.name) == ("account", "id")
            if (number := connection.scalar(select(func.count()).where(column == account_id)))
        }


DELETION_STEPS = [
    Step(f"{LIFECYCLE}:_erase"),
    Step(f"{LIFECYCLE}:_erase", is_done=True),
    Step("accountsapp.domain.jobs:finish", is_done=True),
    Step(f"{FILES}:remove_folder"),
    Step(f"{FILES}:_remove_all", is_done=True),
    Step(f"{FILES}:remove_folder", is_done=True),
]


@pytest.mark.parametrize("step", DELETION_STEPS, ids=str)
def test_r12_killed_while_it_erases(
    step: Step,
    app: TestApp,
    stores: Process,
    database: Database,
    ini: dict[str, str],
    alice: Person,
    outbox: Outbox,
    tmp_path: Path,
) -> None:
    change_picture(stores, alice.id)
    change_picture(stores, alice.id)
    with stores.transaction() as store:
        lifecycle.ask_deletion(store, alice.id)
    with stuck(run_jobs, ini, step, tmp_path / "mark"), Deadline(SHORT_WAIT):
        assert app.get("/api/v1.1/users/alice/", headers=basic("alice"), status=401)
    assert app.get("/api/v1.1/users/alice/", headers=basic("alice"), status=401)
    let_time_pass(database)
    messages = outbox.take()
    assert rows_about(database, alice.id) == {}
    assert files_of(stores) == []
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}
    assert [message["To"] for message in messages] == [alice.email]


UPLOAD_STEPS = [
    Step(f"{FILES}:write"),
    Step(f"{FILES}:_create", is_done=True),
    Step(f"{FILES}:write", is_done=True),
    Step(f"{KEEPING}:put"),
    Step(f"{KEEPING}:put", is_done=True),
    Step("accountsapp.domain.store:Store.commit"),
    Step("accountsapp.domain.store:Store.commit", is_done=True),
]


@pytest.mark.parametrize("step", UPLOAD_STEPS, ids=str)
def test_r15_killed_while_it_gets_a_picture(
    step: Step,
    stores: Process,
    database: Database,
    ini: dict[str, str],
    alice: Person,
    outbox: Outbox,
    tmp_path: Path,
) -> None:
    """The account has the new picture and its text, or neither; and of both pictures, one has files."""
    change_picture(stores, alice.id)
    former = files_of(stores)
    with stuck(change_picture, ini, step, tmp_path / "mark", alice.id):
        pass
    let_time_pass(database)
    outbox.take()
    is_new = step == UPLOAD_STEPS[-1]
    assert len(files_of(stores)) == 1
    assert (files_of(stores) != former) == is_new
    assert {job.state for job in all_jobs(database)} <= {JobState.DONE}
    change_picture(stores, alice.id)
    outbox.take()
    assert len(files_of(stores)) == 1


EXPORT_STEPS = [
    Step(f"{ARCHIVES}:_write"),
    Step(f"{ARCHIVES}:_write", is_done=True),
    Step(f"{ARCHIVES}:_hand_over", is_done=True),
    Step("accountsapp.domain.jobs:finish", is_done=True),
]


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("step", EXPORT_STEPS, ids=str)
def test_r12_killed_while_it_writes_archives(
    step: Step,
    is_deleted: bool,
    stores: Process,
    database: Database,
    ini: dict[str, str],
    alice: Person,
    outbox: Outbox,
    tmp_path: Path,
) -> None:
    """They are written and mailed once, or the account is deleted meanwhile and nothing is."""
    with stores.transaction() as store:
        archives.ask(store, alice.id)
    with stuck(run_jobs, ini, step, tmp_path / "mark"):
        pass
    if is_deleted:
        with stores.transaction() as store:
            lifecycle.delete(store, alice.id)
    let_time_pass(database)
    subjects = [str(message["Subject"]).partition(": ")[2] for message in outbox.take()]
    assert subjects == ["your account was deleted" if is_deleted else "what is stored about you"]
    assert len(files_of(stores)) == (0 if is_deleted else 1)
    assert {job.state for job in all_jobs(database) if job.name != archives.REMOVE_ARCHIVES} == {
        JobState.DONE
    }


@pytest.mark.parametrize("by_job", [False, True])
def test_r13_deleted_while_everything_is_done(
    by_job: bool,
    app: TestApp,
    stores: Process,
    database: Database,
    register: Callable[..., Person],
    outbox: Outbox,
) -> None:
    for number in range(6):
        person = register(f"person{number}")
        change_picture(stores, person.id)
        with stores.transaction() as store:
            account = locking.lock(store.session, person.id)
            code = links.make(store.session, account, Purpose.RESET, person.email, 600)

        def request(method: str, path: str, person: Person = person, **options: Any) -> int:
            return app.request(path, method=method, expect_errors=True, **options).status_int

        def upload(person: Person = person) -> int:
            try:
                change_picture(stores, person.id)
            except AccountNotFound:
                return 404
            except DomainError as error:
                return 503 if isinstance(error, Busy) else 409
            return 200

        def delete(person: Person = person) -> int:
            with stores.transaction() as store:
                (lifecycle.ask_deletion if by_job else lifecycle.delete)(store, person.id)
            outbox.take()
            return 200

        name, key = person.username, person.api_key
        patch = {"method": "PATCH", "path": f"/api/v1.1/users/{name}/", "headers": basic(name)}
        clients: list[Callable[[], int]] = [
            delete,
            upload,
            upload,
            lambda r=request, p=patch: r(
                **p, body=b'{"location": "canary"}', content_type="application/json"
            ),
            lambda r=request, n=name, k=key: r(
                "POST", f"/api/v1/{n}/account?api_key={k}", body=b"name=c", **FORM
            ),
            lambda r=request, n=name, c=code: r(
                "POST", f"/recovery/{n}/reset/{c}", body=b"password=another+good+one", **FORM
            ),
            lambda r=request, n=name: r("GET", f"/api/v1.1/users/{n}/", headers=basic(n)),
        ]
        results = concurrently(clients)
        assert max(results) < 500, results
        let_time_pass(database)
        outbox.take()
        assert rows_about(database, person.id) == {}
    assert files_of(stores) == []
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}
