"""The user object and how bodies are read (dockerhub 4, 5)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.apis.dockerhub.schemas import ProfileChange
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.oauth import basic
from accountsapp.testing.people import SITE_URL, Person
from accountsapp.web.fields import InvalidFields, load_body
from accountsapp.web.formats import gravatar_url

USER = "/api/v1.1/users/alice/"
KEYS = {
    "id",
    "username",
    "url",
    "date_joined",
    "type",
    "full_name",
    "location",
    "company",
    "profile_url",
    "gravatar_url",
    "email",
    "is_active",
}


@pytest.fixture
def patch(app: TestApp, alice: Person) -> Callable[..., Any]:
    """PATCHes alice with a JSON object or with a raw body."""

    def call(body: Any = None, status: int = 200, content_type: str | None = "application/json") -> Any:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return send(app, body, content_type or "", status)

    return call


def send(app: TestApp, body: bytes, content_type: str, status: int = 200) -> Any:
    """A PATCH of exactly these bytes."""
    return app.request(
        USER,
        environ={"CONTENT_TYPE": content_type},
        method="PATCH",
        body=body,
        headers=basic("alice"),
        status=status,
    )


def test_the_user_object(app: TestApp, register: Callable[..., Person]) -> None:
    person = register(
        "Jane",
        "jane@example.com",
        name="Jane Doe",
        location="San Francisco, CA",
        company="Success, Inc.",
        homepage="https://example.com/jane",
        gravatar_email="Jane@Example.com ",
        signup=datetime(2014, 2, 12, 17, 58, 1, 431312, tzinfo=UTC),
    )
    assert app.get("/api/v1.1/users/jane/", headers=basic("jane")).json == {
        "id": person.id,
        "username": "Jane",
        "url": f"{SITE_URL}/api/v1.1/users/Jane/",
        "date_joined": "2014-02-12T17:58:01.431312Z",
        "type": "User",
        "full_name": "Jane Doe",
        "location": "San Francisco, CA",
        "company": "Success, Inc.",
        "profile_url": "https://example.com/jane",
        "gravatar_url": "https://secure.gravatar.com/avatar/"
        "9e26471d35a78862c17e467d87cddedf.jpg?s=80&r=g&d=mm",
        "email": "jane@example.com",
        "is_active": True,
    }


def test_unset_values_are_empty_and_times_have_six_digits(
    app: TestApp, stores: Process, alice: Person
) -> None:
    with stores.transaction() as store:
        account = store.session.get(Account, alice.id)
        account.signup, account.created = None, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
        account.name = None
    answer = app.get(USER, headers=basic("alice")).json
    assert set(answer) == KEYS
    assert answer["date_joined"] == "2020-01-02T03:04:05.000000Z"
    empty = ("full_name", "location", "company", "profile_url", "gravatar_url")
    assert [answer[key] for key in empty] == [""] * 5


def test_patch_answers_the_whole_object_and_keeps_what_was_not_sent(patch: Callable[..., Any]) -> None:
    answer = patch({"location": "Private Island", "company": "Retired"}).json
    assert set(answer) == KEYS
    assert (answer["location"], answer["company"]) == ("Private Island", "Retired")
    assert answer["full_name"] == "Alice Liddell"
    assert patch({"company": ""}).json["company"] == ""
    assert patch({}).json["location"] == "Private Island"


def test_a_change_shows_at_once_in_the_other_apis(
    app: TestApp, patch: Callable[..., Any], alice: Person
) -> None:
    patch({"full_name": "Alice P. Liddell"})
    answer = app.get("/api/v1/alice/account", {"api_key": alice.api_key})
    assert answer.json["name"] == "Alice P. Liddell"


def test_gravatar(patch: Callable[..., Any]) -> None:
    assert gravatar_url(None) == gravatar_url("") == ""
    assert gravatar_url(" ÄB@example.com") == gravatar_url("äb@EXAMPLE.com")
    with_address = patch({"gravatar_email": " Alice@Example.com "}).json
    assert with_address["gravatar_url"] == gravatar_url("alice@example.com")
    assert "gravatar_email" not in with_address
    assert patch({"gravatar_email": ""}).json["gravatar_url"] == ""


class _Request:
    """A request with a JSON body that was read."""

    has_form = False

    def __init__(self, **values: Any) -> None:
        self.parameters = type("Parameters", (), {"body": list(values.items())})


def refused(**values: Any) -> set[str]:
    """The fields that are refused."""
    try:
        load_body(ProfileChange, _Request(**values))
    except InvalidFields as error:
        return set(error.texts)
    return set()


FIELDS = ("full_name", "location", "company", "profile_url", "gravatar_email")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", [None, 1, 1.5, True, False, [], ["x"], {}, "a\x00b", "a\nb", "a\ud800", "\u2028", "x" * 300]
)
def test_values_of_other_types_and_with_control_characters_are_400(field: str, value: Any) -> None:
    assert refused(**{field: f"a{value}b" if value == "\u2028" else value}) == {field}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", ["\x1f{}\x1f", "{}\t", "\n{}", "{}\r\n", "{}\x85", "\u2028{}", "\t", "\0"], ids=ascii
)
def test_control_characters_at_the_ends_are_not_trimmed(field: str, value: str) -> None:
    good = {"profile_url": "http://example.com", "gravatar_email": "a@example.com"}.get(field, "x")
    assert refused(**{field: f" {good} "}) == set()
    assert refused(**{field: value.format(good)}) == {field}


@pytest.mark.parametrize("field", ["full_name", "location", "company"])
def test_255_characters_after_trimming(field: str) -> None:
    assert refused(**{field: " \u00a0" + "é" * 255 + "\u3000 "}) == set()
    assert refused(**{field: "é" * 256}) == {field}


GOOD_URLS = [
    "",
    "http://example.com",
    "HTTPS://EXAMPLE.com/path?q=1#f",
    "https://sub.example.co.uk:8443/",
    "http://localhost/",
    "http://127.0.0.1:80/x",
    "http://[::1]:8080/",
    "http://[2001:db8::1]",
    "http://user:pass@[::1]:80/",
    "http://user@example.com:/",
    "https://münchen.example/ü",
    "https://xn--mnchen-3ya.example/",
    "https://example.com./",
    "https://example.com/" + "x" * 235,
]
BAD_URLS = [
    "example.com",
    "//example.com",
    "/path",
    "ftp://example.com",
    "javascript:alert(1)",
    "mailto:a@example.com",
    "http://",
    "http:///path",
    "http:example.com",
    "http://exa mple.com",
    "http://-example.com",
    "http://example-.com",
    "http://exam_ple.com",
    "http://.example.com",
    "http://exa..mple.com",
    "http://999.1.1.1",
    "http://1.2.3",
    "http://[::1",
    "http://[zz]/",
    "http://[::1]x",
    "http://x[::1]",
    "http://[::1][::1]",
    "http://[[::1]]",
    "http://[::1]]",
    "http://::1",
    "http://a:80[::1]",
    "http://[::1]:80:80",
    "http://[x@[::1]",
    "http://[127.0.0.1]",
    "http://[v1.x]",
    "http://x.org\\@evil",
    "http://x.org\\evil",
    "http:\\\\x.org",
    "https://x.org/\\",
    "http://a@b@x.org",
    "http://x.org:+80",
    "http://x.org:8_0",
    "http://example.com:99999/",
    "http://example.com:port/",
    "http://" + "a" * 64 + ".com",
    "https://example.com/" + "x" * 236,
    "https://example.com/a b",
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_profile_urls_that_are_taken(url: str) -> None:
    assert refused(profile_url=url) == set()


@pytest.mark.parametrize("url", BAD_URLS)
def test_profile_urls_that_are_400(url: str) -> None:
    assert refused(profile_url=url) == {"profile_url"}


@pytest.mark.parametrize("address", ["x", "a@b", "a@b@c.org", "@b.org", "a b@c.org", "a" * 250 + "@b.org"])
def test_gravatar_addresses_that_are_400(address: str) -> None:
    assert refused(gravatar_email=address) == {"gravatar_email"}


def test_every_bad_field_at_once_and_nothing_is_changed(app: TestApp, patch: Callable[..., Any]) -> None:
    before = app.get(USER, headers=basic("alice")).body
    answer = patch({"full_name": 1, "profile_url": "x", "company": "fine", "location": None}, 400)
    assert set(answer.json) == {"full_name", "profile_url", "location"}
    assert all(isinstance(texts, list) for texts in answer.json.values())
    assert app.get(USER, headers=basic("alice")).body == before


SETTABLE = ("location", "company", "gravatar_email")


def test_s04_unknown_and_read_only_keys_are_ignored(
    app: TestApp, patch: Callable[..., Any], stores: Process, alice: Person
) -> None:
    def row() -> dict[str, Any]:
        with stores.transaction() as store:
            account = store.session.get(Account, alice.id)
            return {c.key: getattr(account, c.key) for c in Account.__mapper__.column_attrs}

    before = row()
    columns = {c.key: "x" for c in Account.__mapper__.column_attrs if c.key not in SETTABLE}
    others = {"email": "x@example.com", "url": "x", "type": "x", "is_active": False, "groups": ["x"]}
    patch({**columns, **others, "admin": True, "is_superuser": True, "date_joined": "x"})
    assert row() == before


# 4. Bodies


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.api+json", None])
def test_json_with_its_type_a_plus_json_type_or_none(
    patch: Callable[..., Any], content_type: str | None
) -> None:
    assert patch({"company": "C"}, content_type=content_type).json["company"] == "C"
    assert patch(b'{"company": "D"}', content_type="application/json; charset=utf-8").json["company"] == "D"


def test_forms(app: TestApp, alice: Person) -> None:
    headers = basic("alice")
    answer = app.patch(USER, "company=one&company=two&location=%C3%A9", headers=headers)
    assert (answer.json["company"], answer.json["location"]) == ("two", "é")
    part = b'--b\r\nContent-Disposition: form-data; name="company"\r\n\r\nthree\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="location"; filename="x"\r\n\r\nfile\r\n'
    answer = send(app, part + file + b"--b--\r\n", "multipart/form-data; boundary=b", 400)
    assert set(answer.json) == {"location"}
    answer = send(app, part + b"--b--\r\n", "multipart/form-data; boundary=b")
    assert answer.json["company"] == "three"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"<x/>", "application/xml", 415),
        (b"", "text/plain", 415),
        (b"{}", "application/json; charset=latin-1", 415),
        (b"", "application/json", 400),
        (b"", None, 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"company": NaN}', "application/json", 400),
        (b'{"company": "a", "company": "b"}', "application/json", 400),
        (b'{"company": "\xff"}', "application/json", 400),
        (b"\xef\xbb\xbf{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"company=%FF", "application/x-www-form-urlencoded", 400),
        (b"x", "multipart/form-data", 400),
        (b'{"company": "' + b"x" * 1024 * 1024 + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_read(
    patch: Callable[..., Any], body: bytes, content_type: str | None, status: int
) -> None:
    answer = patch(body, status, content_type)
    assert set(answer.json) == {"detail"}
    assert answer.json["detail"]


def test_s33_text_is_kept_as_given(patch: Callable[..., Any]) -> None:
    text = "<script>alert('x')</script> & \"é☃\" \U0001f600"
    answer = patch({"full_name": text})
    assert answer.json["full_name"] == text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_s31_headers(app: TestApp, alice: Person) -> None:
    answer = app.get(USER, headers=basic("alice"))
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_the_charset_of_a_form_does_not_count(app: TestApp, alice: Person, charset: str) -> None:
    form = f"application/x-www-form-urlencoded; charset={charset}"
    for body in (b"company=B%C3%BCcher", "company=Bücher".encode()):
        assert send(app, body, form).json["company"] == "Bücher"
    for body in (b"company=B%FCcher", "company=Bücher".encode("latin-1")):
        assert send(app, body, form, 400).json["detail"]
