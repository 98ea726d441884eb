"""Every operation of every API, read from the printed tree, to do the same thing to each."""

from base64 import b64encode
from typing import Any

from webtest import TestApp, TestResponse

from accountsapp.tree import rows
from tests.support.people import PASSWORD, Person

FILL = {"{username}": "alice", "{count}": "3", "{code}": "no-such-code", "{id}": "1"}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def urls(app: TestApp) -> list[tuple[str, str]]:
    """Every verb at every URL; the account in it is alice's."""
    found = []
    for row in rows(app.app.registry):
        path = row.path
        for pattern, value in FILL.items():
            path = path.replace(pattern, value)
        assert "{" not in path, f"say in FILL what stands for it: {path}"
        found += [(method, path) for method in row.methods]
    return found


class Everywhere:
    """Calls with the credentials that open a URL: the owner's or an administrator's."""

    def __init__(self, app: TestApp, owner: Person, admin: Person) -> None:
        self.app = app
        self._owner = owner
        self._admin = admin
        self.urls = urls(app)

    def key(self, path: str) -> str:
        return (self._admin if path.startswith("/api/v1/a/") else self._owner).api_key

    def __call__(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes = b"",
        content_type: str | None = None,
        headers: dict[str, str] | None = None,
        path_of_key: str | None = None,
    ) -> TestResponse:
        pair = b64encode(f"{self._owner.username}:{PASSWORD}".encode()).decode()
        sent = {"Authorization": f"Basic {pair}", **(headers or {})}
        if content_type is not None:
            sent["Content-Type"] = content_type
        self.app.reset()
        return self.app.request(
            f"{path}?api_key={self.key(path_of_key or path)}" + (f"&{query}" if query else ""),
            method=method,
            body=body,
            headers=sent,
            expect_errors=True,
        )


def dump(app: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that belongs to an account or is to be done for one."""
    from accountsapp.domain.data.models import Base

    with app.app.registry.database.read_engine.connect() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
            if table.name != "audit_event"
        }
