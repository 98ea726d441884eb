"""A disk that is full, fails or is read-only: 503 with its cause in the log, reads go on, and all is well
again without a restart.
"""

import http.client
import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from sqlalchemy import event, text
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.process import Process
from accountsapp.testing.oauth import ALL, bearer, issue
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.openedx import grow_up
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server
from tests.support.trouble import files_cannot_grow, full, obey_permissions, read_only, small_disk

WRITERS = 16


class Answer(NamedTuple):
    status: int
    retry_after: str | None
    body: dict[str, Any]


class Client:
    """Speaks to one server as one person."""

    def __init__(self, server: Server, person: Person) -> None:
        self._server = server
        self._turn = 0
        self._path = f"/api/v1/{person.username}/account?api_key={person.api_key}"

    def read(self) -> Answer:
        return self.ask("GET", self._path)

    def write(self, name: str) -> Answer:
        return self.ask("POST", f"{self._path}&name={name}")

    def write_all_at_once(self) -> list[Answer]:
        """Another name each."""
        self._turn += 1
        return concurrently([partial(self.write, f"{self._turn}-{n}") for n in range(WRITERS)])

    def ready(self) -> Answer:
        return self.ask("GET", "/readyz")

    def ask(self, method: str, path: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheader("Retry-After"), json.loads(answer.read()))


class OnSQLite:
    """A disk is trouble for the file of SQLite; what PostgreSQL's is, it says itself."""

    @pytest.fixture
    def backend(self) -> str:
        return "sqlite"


def check(
    server: Server, person: Person, trouble: Callable[[], AbstractContextManager[None]], cause: str
) -> None:
    """Before, in, and after the trouble."""
    client = Client(server, person)
    name = client.read().body["name"]
    with trouble():
        refused = client.write_all_at_once() + [client.write(f"{number}") for number in range(5)]
        assert {answer.status for answer in refused} == {503}
        assert all(answer.retry_after for answer in refused)
        reads = [client.read() for _ in range(5)]
        ready = client.ready()
    assert {answer.status for answer in reads} == {200}
    assert {answer.body["name"] for answer in reads} == {name}
    assert (ready.status, ready.body["status"]) == (200, "degraded")
    assert ready.body["checks"]["database"] == "ok"
    assert cause in ready.body["checks"]["write"]
    assert {answer.status for answer in client.write_all_at_once()} == {200}
    assert {client.write(f"{number}").status for number in range(20)} == {200}
    assert client.ready().body == {"status": "ok", "checks": {"database": "ok", "write": "ok"}}
    log = server.log.read_text()
    assert log.count(f"the database refuses writes: {cause}") == 1
    assert log.count("the database takes writes again") == 1
    assert "Traceback" not in log


class TestDisk(OnSQLite):
    @pytest.fixture
    def folder(self, ini: dict[str, str], alice: Person, database: Database, tmp_path: Path) -> Path:
        """Where the file of the database lies, with an account in it."""
        folder = tmp_path / "disk"
        folder.mkdir()
        with database.write_engine.connect() as connection:
            connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        self.source = Path(database.url.database or "")
        ini["sqlalchemy.url"] = f"sqlite:///{folder}/accounts.sqlite"
        return folder

    def serve(self, folder: Path, ini: dict[str, str], tmp_path: Path) -> Server:
        shutil.copy(self.source, folder / "accounts.sqlite")
        return Server(tmp_path, ini, prepare=obey_permissions).wait()

    def test_r06_full(self, folder: Path, ini: dict[str, str], alice: Person, tmp_path: Path) -> None:
        with small_disk(folder, 4) as is_small:
            server = self.serve(folder, ini, tmp_path)
            try:
                Client(server, alice).write("before")
                if is_small:
                    check(server, alice, partial(full, folder), "the disk is full")
                else:
                    # Where nothing may be mounted, the same refusal by another name.
                    self.check_failing(server, alice, folder)
            finally:
                server.stop()

    def test_r06_a_picture(
        self, folder: Path, ini: dict[str, str], alice: Person, stores: Process, tmp_path: Path
    ) -> None:
        """On the disk of the database: nothing of a refused one is left, and the former one stays."""
        grow_up(stores, alice)
        headers = {**bearer(issue(stores, alice, *ALL)), "Content-Type": "image/png"}
        headers["Content-Disposition"] = "attachment; filename=a.png"
        with stores.database.write_engine.connect() as connection:
            connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        ini["accountsapp.files"] = str(folder / "files")

        def upload(picture: Image.Image) -> int:
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
                path = f"/api/user/v1/accounts/{alice.username}/image"
                connection.request("POST", path, encoded(picture), headers)
                return connection.getresponse().status

        def pictures() -> dict[str, bytes]:
            files = (folder / "files").rglob("*.*")
            return {file.name: file.read_bytes() for file in files}

        with small_disk(folder, 8) as is_small:
            server = self.serve(folder, ini, tmp_path)
            try:
                assert upload(quarters()) == 204
                before = pictures()
                trouble = full(folder) if is_small else files_cannot_grow(server.pid, 100)
                with trouble:
                    assert [upload(Image.effect_noise((500, 500), 90)) for _ in range(3)] == [503] * 3
                    assert pictures() == before
                assert upload(quarters(80, 80)) == 204
                after = pictures()
            finally:
                server.stop()
        assert len(after.keys() - before.keys()) == len(before)  # a worker removes the former ones
        assert "Traceback" not in server.log.read_text()

    def test_failing(self, folder: Path, ini: dict[str, str], alice: Person, tmp_path: Path) -> None:
        server = self.serve(folder, ini, tmp_path)
        try:
            self.check_failing(server, alice, folder)
        finally:
            server.stop()

    def check_failing(self, server: Server, person: Person, folder: Path) -> None:
        client = Client(server, person)
        for number in range(40):
            client.write(f"{number}")
        size = (folder / "accounts.sqlite-wal").stat().st_size
        assert size > 4 * server.log.stat().st_size
        check(server, person, partial(files_cannot_grow, server.pid, size), "the disk fails")

    def test_read_only(self, folder: Path, ini: dict[str, str], alice: Person, tmp_path: Path) -> None:
        """Connections that were opened meanwhile are not kept."""
        server = self.serve(folder, ini, tmp_path)
        try:
            check(server, alice, partial(read_only, folder), "read-only")
        finally:
            server.stop()

    def test_locked_by_another_process(
        self, folder: Path, ini: dict[str, str], alice: Person, tmp_path: Path
    ) -> None:
        """However many wait to write, somebody is left to answer."""
        server = self.serve(folder, ini, tmp_path)
        client = Client(server, alice)

        def timed(ask: Callable[[], Answer]) -> tuple[float, int]:
            began = time.monotonic()
            status = ask().status
            return time.monotonic() - began, status

        def look() -> list[tuple[float, int]]:
            time.sleep(0.3)
            seen = []
            for _ in range(10):
                seen += [timed(partial(client.ask, "GET", "/healthz")), timed(client.read)]
                time.sleep(0.3)
            return seen

        try:
            client.write("before")
            other = sqlite3.connect(folder / "accounts.sqlite", isolation_level=None, check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
            asked = [partial(lambda n: [timed(partial(client.write, f"in-{n}"))], n) for n in range(40)]
            looks, *writes = concurrently([look, *asked])
            other.execute("ROLLBACK")
            other.close()
            after = client.write_all_at_once()
        finally:
            server.stop()
        assert {status for _, status in looks} == {200}
        assert max(seconds for seconds, _ in looks) < 3
        assert {status for [(_, status)] in writes} == {503}
        assert max(seconds for [(seconds, _)] in writes) < 10
        assert {answer.status for answer in after} == {200}
        assert server.log.read_text().count("the database refuses writes: others are in the way") == 1


class TestDamagedFile(OnSQLite):
    def test_a_read_is_503(
        self, app: TestApp, alice: Person, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = Path(database.url.database or "")
        with database.write_engine.connect() as connection:
            connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        database.dispose()
        whole = path.read_bytes()
        path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
        url = f"/api/v1/alice/account?api_key={alice.api_key}"
        for _ in range(3):
            answer = app.get(url, status=503)
            assert int(answer.headers["Retry-After"]) > 0
        assert caplog.text.count("the database is not available: damaged (SQLITE_CORRUPT") == 1
        database.dispose()
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.write_bytes(whole)
        app.get(url, status=200)
        assert caplog.text.count("the database is available again") == 1


class TestFile(OnSQLite):
    def test_its_size_limit(
        self, app: TestApp, alice: Person, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Which SQLite calls a full disk."""
        url = f"/api/v1/alice/account?api_key={alice.api_key}"

        def limit(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA max_page_count = 1")  # as many as there are, but no more

        event.listen(database.write_engine, "connect", limit)
        database.dispose()
        mail = {"email": alice.email}  # each makes a further row
        answers = [app.post("/api/v1/suspend", mail, expect_errors=True) for _ in range(40)]
        assert {answer.status_int for answer in answers} == {200, 503}
        assert all(answer.headers["Retry-After"] for answer in answers if answer.status_int == 503)
        name = app.get(url, status=200).json["name"]
        ready = app.get("/readyz", status=200).json
        assert (ready["status"], ready["checks"]["write"]) == ("degraded", "over its limit (SQLITE_FULL)")
        event.remove(database.write_engine, "connect", limit)
        database.dispose()
        assert app.get(url).json["name"] == name
        for number in range(20):
            app.post(url, {"name": f"{number}"}, status=200)
        assert caplog.text.count("the database refuses writes: over its limit (SQLITE_FULL)") == 1
        assert "others are in the way" not in caplog.text  # a transaction that failed holds nobody up
        assert caplog.text.count("the database takes writes again") == 1

    def test_it_cannot_be_opened(
        self, app: TestApp, alice: Person, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its disk is not mounted."""
        url = f"/api/v1/alice/account?api_key={alice.api_key}"
        folder = Path(database.url.database or "").parent
        database.dispose()
        folder.rename(folder.with_name("elsewhere"))
        try:
            for method in ("GET", "POST"):
                answer = app.request(url, method=method, status=503)
                assert int(answer.headers["Retry-After"]) > 0
            ready = app.get("/readyz", status=503).json
            assert ready["checks"]["database"] == "cannot be opened (SQLITE_CANTOPEN)"
        finally:
            folder.with_name("elsewhere").rename(folder)
        app.get(url, status=200)
        app.post(url, {"name": "A"}, status=200)
        assert app.get("/readyz", status=200).json["status"] == "ok"
        assert caplog.text.count("the database is not available: cannot be opened (SQLITE_CANTOPEN)") == 1
        assert caplog.text.count("the database is available again") == 1


class TestServerSays:
    """What PostgreSQL itself says, in its own codes."""

    @pytest.fixture
    def backend(self) -> str:
        return "postgresql"

    @pytest.fixture
    def refuse(self, database: Database) -> Callable[[str | None], None]:
        """Makes the server refuse changes of accounts with a code of its own; None ends it."""

        def change(sqlstate: str | None) -> None:
            with database.write_engine.begin() as connection:
                connection.execute(text("DROP FUNCTION IF EXISTS refuse() CASCADE"))
                if sqlstate is not None:
                    connection.execute(
                        text(
                            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                            f"$$BEGIN RAISE 'no' USING ERRCODE = '{sqlstate}'; END$$"
                        )
                    )
                    connection.execute(
                        text(
                            "CREATE TRIGGER refuse BEFORE UPDATE ON account FOR EACH ROW "
                            "EXECUTE FUNCTION refuse()"
                        )
                    )

        return change

    @pytest.mark.parametrize(
        ("sqlstate", "cause"),
        [
            ("53100", "the disk is full"),
            ("53200", "over its limit"),
            ("25006", "read-only"),
            ("58030", "the disk fails"),
            ("XX001", "damaged"),
            ("40001", "others are in the way"),
        ],
    )
    def test_it_is_told(
        self,
        app: TestApp,
        alice: Person,
        refuse: Callable[[str | None], None],
        caplog: pytest.LogCaptureFixture,
        sqlstate: str,
        cause: str,
    ) -> None:
        body = {"api_key": alice.api_key, "name": "A"}
        refuse(sqlstate)
        for _ in range(3):
            assert app.post("/api/v1/alice/account", body, status=503).headers["Retry-After"]
        assert app.get(f"/api/v1/alice/account?api_key={alice.api_key}").json["name"] != "A"
        ready = app.get("/readyz", status=200).json
        assert (ready["status"], ready["checks"]["database"]) == ("degraded", "ok")
        assert cause in ready["checks"]["write"]
        refuse(None)
        for _ in range(5):
            app.post("/api/v1/alice/account", body, status=200)
        assert app.get("/readyz").json["status"] == "ok"
        assert caplog.text.count("the database refuses writes") == 1
        assert caplog.text.count("the database takes writes again") == 1
