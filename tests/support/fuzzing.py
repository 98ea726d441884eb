"""Requests that nobody means, made from the printed tree; the same ones for the same seed.

Half of a request is right: the path is there, the credential good, a field has a value that it may have. The
other half is anything, so that what is behind the first check is met as well as the checks themselves.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from accountsapp.tree import Row
from tests.support.actors import beside
from tests.support.credentials import PRESENTATIONS, Holder, Shown, present, spoiled
from tests.support.openedx import MERGE_PATCH
from tests.support.people import PASSWORD
from tests.support.pictures import encoded, quarters

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X")
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    MERGE_PATCH,
    FORM,
    f"{FORM}; charset=no-such",
    "text/plain",
    "multipart/form-data",
    MULTIPART,
    "image/png",
    "",
    "\xff/\xfe",
)
TEXTS = (
    "",
    " ",
    "0",
    "1",
    "-1",
    "true",
    "none",
    "null",
    "new_review",
    "newest",
    "signup",
    "en",
    "de-AT",
    "SE",
    "2000",
    "2026-01-01T00:00:00Z",
    "all_users",
    "username,email",
    "someone@example.com",
    "someone@bücher.example",
    "a@b",
    '"a b"@example.com',
    "http://example.com/?a=1",
    "javascript:alert(1)",
    "//evil.example",
    "/account/newsletter",
    PASSWORD,
    "another horse battery",
    "x" * 73,
    "x" * 5000,
    "\N{CYRILLIC CAPITAL LETTER SHA}" * 300,
    "\N{PILE OF POO}" * 20,
    "İıſK\N{KELVIN SIGN}ß",
    "a\x00b",
    "a\r\nSet-Cookie: x=y",
    "\u2028\u202e\ufeff\u200b",
    "' OR 1=1 --",
    '"; DROP TABLE account; --',
    "%s%n%d{0}{x}$(id)`id`",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "9" * 30,
    "1e999",
    "²",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**53,
    2**63,
    10**40,
    1.5,
    -0.0,
    1e308,
    [],
    {},
    [None],
    ["en", "en"],
    [{"code": "sv"}],
    [[[[[[]]]]]],
    {"a": {"b": {"c": None}}},
    {"": ""},
    "\ud800",
)
BROKEN = (
    b"",
    b"{",
    b"[" * 30000,
    b'{"a":' * 25 + b"1" + b"}" * 25,
    b'{"name": NaN}',
    b'{"name": 1, "name": 2}',
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b'"text"',
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b"a=%ff&b=%00&=&&c",
    b"name=%u0041;email",
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="avatar"; filename="../a\x00.png"\r\n\r\n\x89PNG\r\n--b--',
    b"--b\r\n\r\n",
    b"x" * 70000,
)
SEGMENTS = (
    "",
    ".",
    "..",
    "%2e%2e",
    "%2f",
    "%00",
    "%ff",
    "%c0%ae",
    "@@view",
    ";a=b",
    "*",
    "a" * 300,
    "%E2%80%A8",
    "{username}",
    "1%20",
    "9" * 40,
)
HEADERS: Mapping[str, Sequence[str]] = {
    "Accept": ("*/*", "application/json", "text/html;q=0.5, */*;q=x", "\xff", "a" * 3000),
    "Accept-Language": ("de", "el,en;q=0.5", "*", "x-" * 500, "\x01"),
    "Authorization": (
        "",
        "Basic",
        "Basic =",
        "Basic /w==",
        "Basic Og==",
        "Bearer",
        "JWT a.b.c",
        "Session x",
        "x",
    ),
    "Cookie": ("sessionid=", "sessionid=a; sessionid=b", "=;;=", 'a="', "csrftoken=x", "\xfe=\xff"),
    "Origin": ("null", "http://accounts.example.org", "https://evil.example", "\xff"),
    "Referer": ("http://accounts.example.org/keys", "http://evil.example/", "x"),
    "X-CSRFToken": ("", "x", "a" * 43),
    "X-Forwarded-For": ("1.2.3.4", "unknown, \xff", "a" * 2000),
    "X-Forwarded-Host": ("evil.example",),
    "X-HTTP-Method-Override": ("DELETE", "x"),
    "X-Original-URI": ("/x?api_key=1&api_key=2", "\xff", "?", "a" * 3000),
    "X-Requested-With": ("XMLHttpRequest",),
    "X-Api-Key": ("", "acct_", "\xff", "a" * 1000),
    "If-None-Match": ("*", '"x"'),
    "If-Modified-Since": ("yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "If-Match": ("*", '"1"', "x"),
    "Range": ("bytes=0-1", "bytes=9-1", "x=1"),
    "Content-Encoding": ("gzip", "x"),
    "Content-Disposition": ('attachment; filename="a.png"', 'attachment; filename="\xff.exe"', ";"),
    "Access-Control-Request-Method": ("PUT", "\xff"),
    "Expect": ("100-continue",),
    "Host": ("", "evil.example", "[::1]:99999999999", "\xff"),
}


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


FURTHER_FIELDS = tuple(
    [
        "api_key",
        "username",
        "callback",
        "next",
        "page",
        "limit",
        "format",
        "response_format",
        "usernames",
        "email",
        "email_or_username",
        "login",
        "password",
        "current_password",
        "new_password",
        "btn",
        "code",
        "key",
        "session",
        "client_id",
        "client_secret",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "grant_type",
        "token",
        "code_challenge",
        "code_challenge_method",
        "decision",
        "csrf_token",
        "language",
        "to",
        "config",
        "return",
        "_method",
        "hash",
        "notification",
        "user",
        "id",
        "is_admin",
        "lookup_id",
        "x1",
        "y1",
        "x2",
        "y2",
        "fullname",
    ]
)
"""Beside those of the schemas."""


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
