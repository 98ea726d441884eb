"""What PostgreSQL does not let its client do: 503 with the cause in the log and in ``/readyz``, reads as far
as they go, and all is well again without a restart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.reliability.test_database_in_trouble import Client
from tests.support.people import Person
from tests.support.roles import PASSWORD, Role
from tests.support.servers import Server


@pytest.fixture
def backend() -> str:
    return "postgresql"


@pytest.fixture
def role(database_url: str) -> Iterator[Role]:
    role = Role(make_url(database_url))
    yield role
    role.remove()


@pytest.fixture
def server(alice: Person, ini: dict[str, str], role: Role, tmp_path: Path) -> Iterator[Server]:
    url = role.url.render_as_string(hide_password=False)
    server = Server(tmp_path, {**ini, "sqlalchemy.url": url}).wait()
    yield server
    server.stop()


@contextmanager
def changed(role: Role, statement: str, back: str, *, reconnects: bool) -> Iterator[None]:
    """
    :param reconnects: whether only new connections notice
    """
    role.change(statement)
    if reconnects:
        role.send_away()
    try:
        yield
    finally:
        role.change(back)


OF_WRITES = {
    "not permitted (42501)": ("REVOKE UPDATE ON account FROM {role}", "GRANT UPDATE ON account TO {role}"),
    "read-only (25006)": (
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        "ALTER ROLE {role} RESET default_transaction_read_only",
    ),
}
OF_ALL = {
    "wrong password": ("ALTER ROLE {role} PASSWORD 'another'", f"ALTER ROLE {{role}} PASSWORD '{PASSWORD}'"),
    "not permitted": ("ALTER ROLE {role} NOLOGIN", "ALTER ROLE {role} LOGIN"),
    "over its limit": ("ALTER ROLE {role} CONNECTION LIMIT 0", "ALTER ROLE {role} CONNECTION LIMIT -1"),
}
"""By what is told: what is changed, and changed back."""


def test_each_has_its_word(server: Server, role: Role, alice: Person) -> None:
    client = Client(server, alice)
    for cause, (statement, back) in OF_WRITES.items():
        name = client.read().body["name"]
        client.write_all_at_once()
        with changed(role, statement, back, reconnects="read-only" in cause):
            client.write("lost")  # with its connection
            for number in range(5):
                refused = client.write(f"{number}")
                assert (refused.status, bool(refused.retry_after)) == (503, True), cause
            assert client.read().status == 200
            ready = client.ready()
            assert (ready.status, ready.body["status"]) == (200, "degraded")
            assert ready.body["checks"] == {"database": "ok", "write": cause}
        assert client.read().body["name"] != name
        assert [client.write(f"after-{number}").status for number in range(20)] == [200] * 20
        assert client.ready().body["status"] == "ok"
        assert server.log.read_text().count(f"the database refuses writes: {cause}") == 1
    assert server.log.read_text().count("the database takes writes again") == len(OF_WRITES)

    for cause, (statement, back) in OF_ALL.items():
        with changed(role, statement, back, reconnects=True):
            client.read()  # lost with its connection
            for answer in (client.read(), client.write("A"), client.read()):
                assert (answer.status, bool(answer.retry_after)) == (503, True), cause
            ready = client.ready()
            assert (ready.status, ready.body["checks"]["database"]) == (503, cause)
            assert client.ask("GET", "/healthz").status == 200
        assert client.read().status == 200, cause
        assert client.write("A").status == 200, cause
        assert client.ready().body["status"] == "ok"
        assert server.log.read_text().count(f"the database is not available: {cause}\n") == 1
    assert "Traceback" not in server.log.read_text()
