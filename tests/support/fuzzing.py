"""Requests that nobody means, made from the printed tree; the same ones for the same seed.

Half of a request is right: the path is there, the credential good, a field has a value that it may have. The
other half is anything, so that what is behind the first check is met as well as the checks themselves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from accountsapp.testing.actors import beside
from accountsapp.testing.credentials import PRESENTATIONS, Holder, Shown, present, spoiled
from accountsapp.tree import Row
from tests.support.hostile_values import (
    BROKEN,
    FORM,
    FURTHER_FIELDS,
    HEADERS,
    METHODS,
    MULTIPART,
    SEGMENTS,
    TEXTS,
    TYPES,
    VALUES,
)
from tests.support.openedx import MERGE_PATCH
from tests.support.pictures import encoded, quarters


class Request(NamedTuple):
    """One request, as it is sent."""

    method: str
    raw: bytes


@dataclass
class Fuzzer:
    """Makes requests.

    :param rows: of the tree
    :param holders: by actor, with good credentials; may be changed meanwhile
    """

    random: Random
    rows: Sequence[Row]
    holders: dict[str, Holder]

    def request(self) -> Request:
        random = self.random
        row = random.choice(self.rows)
        method = random.choice(row.methods if random.random() < 0.9 else METHODS)
        asking = self._somebody()
        shown = self._shown(row, asking)
        path = self._path(row.path, asking if random.random() < 0.7 else self._somebody())
        names = names_of(row)
        query = "&".join(part for part in (shown.query, self._query(names)) if part)
        headers = {"Host": "accounts.example.org", **shown.headers}
        body = b""
        if method not in ("GET", "HEAD") or random.random() < 0.1:
            headers["Content-Type"], body = self._body(row, names)
        for name in random.sample(sorted(HEADERS), random.choice((0, 0, 0, 1, 3))):
            headers[name] = random.choice(HEADERS[name])
        if body or random.random() < 0.5:
            headers["Content-Length"] = str(len(body))
        lines = [f"{method} {path}{'?' + query if query else ''} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return Request(method, "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)

    def _somebody(self) -> Holder:
        """The owner of an account that is as it should be, half of the time."""
        everybody = list(self.holders.values())
        return self.holders["self"] if self.random.random() < 0.5 else self.random.choice(everybody)

    def _shown(self, row: Row, asking: Holder) -> Shown:
        random = self.random
        if random.random() < 0.1:
            return Shown()
        kinds = row.credentials if row.credentials and random.random() < 0.9 else tuple(PRESENTATIONS)
        shown = self._of(random.choice(kinds), asking)
        if random.random() < 0.1:
            return beside(shown, self._of(random.choice(tuple(PRESENTATIONS)), self._somebody()))
        return shown

    def _of(self, kind: str, holder: Holder) -> Shown:
        """A credential of that kind, a good one as a rule."""
        return present(kind, spoiled(holder) if self.random.random() < 0.05 else holder)

    def _path(self, pattern: str, target: Holder) -> str:
        random = self.random
        segments = [self._segment(part, target) for part in pattern.split("/")]
        if random.random() < 0.1:
            segments.insert(random.randint(1, len(segments)), random.choice(SEGMENTS))
        if random.random() < 0.05:
            segments = [part.swapcase() for part in segments]
        return "/".join(segments)

    def _segment(self, part: str, target: Holder) -> str:
        """What stands for a part of a path that varies."""
        if not part.startswith("{"):
            return part
        random = self.random
        if random.random() < 0.1:
            return random.choice((*SEGMENTS, quote(random.choice(TEXTS), safe="")))
        person = target.person
        if part.startswith(("{username}", "{account}")):
            other_words = (person.email, str(person.id), person.username.upper())
            return quote(person.username if random.random() < 0.8 else random.choice(other_words))
        return part.replace("{size}", "30").replace("{number}", "1").replace("{count}", "3").strip("{}")

    def _query(self, names: Sequence[str]) -> str:
        return urlencode(self._fields(self.random.choice((0, 0, 1, 2)), names), errors="surrogatepass")

    def _fields(self, count: int, names: Sequence[str]) -> list[tuple[str, str]]:
        return [(self.random.choice(names), self._text()) for _ in range(count)]

    def _text(self) -> str:
        random = self.random
        person = self._somebody().person
        own = (person.username, person.email, str(person.id), person.api_key)
        return random.choice(own if random.random() < 0.2 else TEXTS)

    def _body(self, row: Row, names: Sequence[str]) -> tuple[str, bytes]:
        """Its type and itself."""
        random = self.random
        kind = random.random()
        if kind < 0.1:
            return random.choice(TYPES), random.choice(BROKEN)
        if "picture" in row.view or "image" in row.view:
            return "image/png", encoded(quarters())[: random.choice((None, 40, 8))]
        fields = self._fields(random.choice((0, 1, 1, 2, 5)), names)
        content_type = random.choice(_types_of(row) if random.random() < 0.9 else TYPES)
        if content_type == FORM:
            return FORM, urlencode(fields, errors="surrogatepass").encode()
        if content_type == MULTIPART:
            return MULTIPART, self._multipart(fields)
        values = {name: self._value(text) for name, text in fields}
        return content_type, json.dumps(values).encode()

    def _value(self, text: str) -> Any:
        return text if self.random.random() < 0.6 else self.random.choice(VALUES)

    def _multipart(self, fields: Sequence[tuple[str, str]]) -> bytes:
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
            for name, text in fields
        ]
        if self.random.random() < 0.5:
            disposition = b'form-data; name="avatar"; filename="a.png"'
            parts.append(
                b"--b\r\nContent-Disposition: "
                + disposition
                + b"\r\nContent-Type: image/png\r\n\r\n"
                + encoded(quarters())
                + b"\r\n"
            )
        return b"".join(parts) + self.random.choice((b"--b--\r\n", b"--b--", b""))


def names_of(row: Row) -> tuple[str, ...]:
    """Of fields: those of the schemas beside the view three times, and a few that are of no schema."""
    return (*_names_in(row.view.rpartition(".")[0].rpartition(".")[0]) * 3, *FURTHER_FIELDS)


@cache
def _names_in(package: str) -> tuple[str, ...]:
    names = {
        field.alias or name
        for model in _models(BaseModel)
        if model.__module__.startswith(f"accountsapp.{package}.") and "settings" not in model.__module__
        for name, field in model.model_fields.items()
    }
    return tuple(sorted(names))


def _types_of(row: Row) -> tuple[str, ...]:
    """What the API of a view takes as a rule."""
    _, _, api = row.view.partition("apis.")
    if api.startswith("openedx"):
        return (MERGE_PATCH, FORM) if "PATCH" in row.methods else (FORM,)
    if api.startswith(("amo", "dockerhub")):
        return ("application/json",)
    if api.startswith(("bookie", "pybossa")):
        return ("application/json", FORM, FORM, MULTIPART)
    return (FORM,)


def _models(base: type[BaseModel]) -> set[type[BaseModel]]:
    return {base, *(model for child in base.__subclasses__() for model in _models(child))}
