"""The documents of the APIs, and what the example requests in them need to be true."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import time_machine
from webtest import TestApp, TestResponse

from accountsapp.domain.rules.key_scopes import FULL
from accountsapp.process import Process
from tests.support import pictures
from tests.support.credentials import Holder, Shown, hold, present, visitor
from tests.support.everywhere import NEARBY
from tests.support.people import Person
from tests.support.reporting import Reporter

MOMENT = datetime(2026, 1, 15, 10, tzinfo=UTC)
"""When all that happens in the examples happens."""
MULTIPART = "multipart/form-data"
UPLOADS = {"replace_image": ("file", "ada.png")}
"""Operations that take a picture: the field, and the name of the file."""
PICTURE = pictures.encoded(pictures.quarters())
KINDS = {
    "api-key": "api_key",
    "api-key-header": "x-api-key",
    "proxied-api_key": "proxied api_key",
    "requested-session": "requested session",
    "session-header": "session header",
    "signed-token": "signed token",
}
"""Names of Security Scheme Objects that are no kind of credential themselves."""


class Call(NamedTuple):
    """An operation of a document.

    :ivar name: of the operation (``operationId``)
    """

    name: str
    method: str
    path: str
    operation: Mapping[str, Any]

    @property
    def answers(self) -> list[tuple[int, Mapping[str, Any]]]:
        """By status; the first one is that of the example."""
        return [(int(status), answer) for status, answer in self.operation["responses"].items()]

    @property
    def alternatives(self) -> list[tuple[str, ...]]:
        """The schemes of each way to say who one is; an empty one where nobody need."""
        return [tuple(alternative) for alternative in self.operation["security"] if alternative] or [()]

    @property
    def is_open(self) -> bool:
        return self.alternatives[0][:1] in ((), ("visitor",)) or {} in self.operation["security"]


def document_of(app: TestApp, name: str) -> dict[str, Any]:
    return app.get(f"/docs/{name}.json").json


def calls_of(document: Mapping[str, Any]) -> Iterator[Call]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Call(operation["operationId"], method.upper(), path, operation)


class World:
    """An application on SQLite with people in it, to which everything can be done again and again."""

    def __init__(self, app: TestApp, register: Callable[..., Person], reporter: Reporter) -> None:
        self.app = app
        self._reporter = reporter
        app.extra_environ.update(NEARBY)
        self.stores: Process = app.app.registry.process
        with time_machine.travel(MOMENT, tick=False):
            self.admin = register("admin", is_admin=True, name="Ada Min", invite_ct=3, year_of_birth=1990)
            self.bob = register("bob")
            self.holder = hold(self.stores, self.admin)
        self._file = sqlite3.connect(self.stores.database.url.database)
        self._first = sqlite3.connect(":memory:")
        self._file.backup(self._first)

    def rewind(self) -> None:
        """Everything is as it was at first."""
        self.app.reset()
        self._first.backup(self._file)

    def close(self) -> None:
        self._file.close()
        self._first.close()

    def holder_of(self, call: Call) -> Holder:
        """Who does it: the administrator with everything; the default key alone cannot be ended."""
        if call.name != "end_api_key":
            return self.holder
        person = replace(self.holder.person, api_key=self.holder.named[FULL])
        return self.holder._replace(person=person)

    def present(self, schemes: tuple[str, ...], holder: Holder | None = None) -> Shown:
        """A good credential of one way; a visitor's cookie where nobody need say who he is."""
        if not schemes or schemes[0] == "visitor":
            return visitor(self.stores)
        with time_machine.travel(MOMENT, tick=False):
            return present(KINDS.get(schemes[0], schemes[0]), holder or self.holder)

    def send(
        self,
        call: Call,
        shown: Shown,
        *,
        media_type: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> TestResponse:
        """The example request.

        :param values: in place of those of the example, by name
        """
        values, path, query = values or {}, call.path, []
        for parameter in call.operation["parameters"]:
            name = parameter["name"]
            value = values.get(name, parameter.get("example"))
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", quote(value))
            elif value is not None:
                query.append((name, value))
        headers, body = {"Accept": "application/json", **shown.headers}, b""
        if media_type == MULTIPART:
            headers["Content-Type"], body = self.app.encode_multipart([], [(*UPLOADS[call.name], PICTURE)])
        elif media_type is not None:
            example = call.operation["requestBody"]["content"][media_type]["example"]
            is_object = isinstance(example, dict)
            fields = {name: values.get(name, example[name]) for name in example} if is_object else example
            body = encoded(fields, media_type)
            headers["Content-Type"] = media_type
        if call.name == "report":
            headers |= self._reporter.sign(body)
        queries = [part for part in (shown.query, urlencode(query)) if part]
        with time_machine.travel(MOMENT, tick=False):
            return self.app.request(
                "?".join([path, *(["&".join(queries)] if queries else [])]),
                method=call.method,
                headers=headers,
                body=body,
                expect_errors=True,
            )


def encoded(fields: Any, media_type: str) -> bytes:
    if media_type == "application/x-www-form-urlencoded":
        return urlencode(fields, doseq=True).encode()
    return json.dumps(fields).encode()
