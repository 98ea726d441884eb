"""A client that speaks Bookie, and a look at the database behind it."""

import json as json_module
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import select
from webtest import TestApp, TestResponse

from accountsapp.db import Database
from accountsapp.domain.data.models import Account, ApiKey, Base, EmailAddress

Pairs = Mapping[str, object] | Sequence[tuple[str, object]]


class Bookie:
    """Calls below ``/api/v1``; every status is an answer.

    ``query`` and ``form`` are pairs, or text that is sent as it is; ``json`` is made a body.
    """

    def __init__(self, app: TestApp) -> None:
        self.app = app

    def __call__(
        self,
        method: str,
        path: str,
        *,
        query: Pairs | str = "",
        form: Pairs | str | None = None,
        json: object = None,
        body: bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        if form is not None:
            body = (form if isinstance(form, str) else urlencode(form)).encode("latin-1")
            content_type = content_type or "application/x-www-form-urlencoded"
        if json is not None:
            body = json_module.dumps(json).encode()
            content_type = content_type or "application/json"
        sent = dict(headers or {})
        if content_type is not None:
            sent["Content-Type"] = content_type
        query = query if isinstance(query, str) else urlencode(query)
        return self.app.request(
            f"/api/v1{path}" + (f"?{query}" if query else ""),
            method=method,
            body=body,
            headers=sent,
            expect_errors=True,
        )


def in_path(username: str) -> str:
    """The username as a segment of a path."""
    return quote(username, safe="")


@pytest.fixture
def bookie(app: TestApp) -> Bookie:
    return Bookie(app)


@pytest.fixture
def snapshot(database: Database) -> Callable[[], dict[str, list[tuple[Any, ...]]]]:
    """All that is stored of all accounts, to compare before and after."""

    def take() -> dict[str, list[tuple[Any, ...]]]:
        with database.read_engine.connect() as connection:
            return {
                table.name: [
                    tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in (Account.__table__, EmailAddress.__table__, ApiKey.__table__)
            }

    return take


@pytest.fixture
def database_dump(database: Database) -> Callable[[], bytes]:
    """All bytes that a thief of the database gets: its files on SQLite, every row on PostgreSQL."""

    def take() -> bytes:
        if database.is_sqlite:
            path = Path(database.url.database or "")
            return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
        parts = []
        with database.read_engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                for row in connection.execute(select(table)):
                    for value in row:
                        parts += [value if isinstance(value, bytes) else str(value).encode(), b"\n"]
        return b"".join(parts)

    return take
