"""``PATCH`` of the texts of an account, and its picture."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from accountsapp.domain.data import locking
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder
from accountsapp.testing.people import SITE_URL
from tests.support.amo import SELF_KEYS, Amo
from tests.support.pictures import blank_png, encoded, opened, photograph, quarters

TEXTS = ("display_name", "biography", "homepage", "location", "occupation")
FULL = {
    "display_name": "Ada L.",
    "biography": "Line\nLine",
    "homepage": "https://example.org/x",
    "location": "Here",
    "occupation": "Writer",
}


def texts(amo: Amo, user: Holder) -> dict[str, Any]:
    said = amo.account(user).json
    return {key: said[key] for key in TEXTS}


def test_what_was_given_changes_and_the_rest_stays(amo: Amo, user: Holder, editor: Holder) -> None:
    for more in ({"body": FULL}, {"form": FULL}, {"form": FULL, "files": []}):
        assert amo.account(user, "PATCH", dict.fromkeys(TEXTS)).status_int == 200
        body = more.get("body")
        answer = amo.account(user, "PATCH", body, **{k: v for k, v in more.items() if k != "body"})
        assert (answer.status_int, answer.json.keys()) == (200, SELF_KEYS)
        assert texts(amo, user) == FULL
    answer = amo("PATCH", "/account/USER", editor, {"location": "  There  ", "id": 7, "username": "x"})
    assert answer.json["location"] == "There"
    assert texts(amo, user) == {**FULL, "location": "There"}
    untyped = amo("PATCH", "/account/user", user, json.dumps({"occupation": "X"}).encode())
    assert untyped.json["occupation"] == "X"
    assert amo.account(user, "PATCH").status_int == 200


def test_s04_nothing_else_is_taken(amo: Amo, user: Holder) -> None:
    before = amo.account(user).json
    names = [
        *("id", "username", "email", "permissions", "is_verified", "deleted", "created", "name", "picture"),
        *("is_admin", "is_staff", "state", "password_hash", "credential_epoch", "version", "fxa_id"),
        *("last_login", "read_dev_agreement", "notifications", "groups", "picture_type", "picture_url"),
    ]
    for body in (dict.fromkeys(names, "x"), dict.fromkeys(names, True), {name: [1] for name in names}):
        assert amo.account(user, "PATCH", body).json == before


def test_clearing(amo: Amo, user: Holder) -> None:
    nothing = dict.fromkeys(TEXTS)
    emptied = dict.fromkeys(TEXTS, "")
    for more, status in (
        ({"body": nothing}, 200),
        ({"form": emptied}, 200),
        ({"form": emptied, "files": []}, 200),
        ({"body": {key: "" for key in TEXTS if key != "display_name"} | {"display_name": None}}, 200),
        ({"body": {"display_name": ""}}, 400),
        ({"body": {"display_name": "   "}}, 400),
    ):
        amo.account(user, "PATCH", FULL)
        answer = amo.account(user, "PATCH", more.pop("body", None), **more)
        assert answer.status_int == status
        assert texts(amo, user) == (nothing if status == 200 else FULL)


BAD = {
    "display_name": [
        "x",
        "x" * 51,
        "\u200b\u200b",
        "\u3164\u2800",
        "\u0301\u0301",
        "\t\x07\x07",
        7,
        True,
        [],
        {},
    ],
    "biography": ["x" * 3001, "a\0b", "a\ud800", 3.5, ["x"], {"a": 1}, False],
    "homepage": [
        *(
            "example.org",
            "ftp://example.org",
            "https://invalid,com",
            "https://",
            "javascript:alert(1)",
            "//x.y",
        ),
        *(
            "http://exa mple.org",
            f"https://example.org/{'x' * 255}",
            "mailto:a@example.org",
            1,
            "http://a\0b",
        ),
    ],
    "location": ["x" * 256, 1, "\0"],
    "occupation": ["x" * 256, [], "\ud800"],
    "picture_upload": ["x", "", None, 1, {}],
}
GOOD = {
    "display_name": ["+++", "xy", "x" * 50, "𝓍𝓎", " ab ", "éé", "日本", "a\u200b", "Node.js", None],
    "biography": [
        "x" * 3000,
        "e.g. this",
        "3.14",
        "v2.0.1",
        "well...ok",
        "Node.js",
        "<b>bold</b>",
        "\r\n".join("ab"),
    ],
    "homepage": [
        "http://localhost:8080/",
        "https://bücher.example/ü",
        "HTTPS://EXAMPLE.ORG",
        "http://[::1]/",
    ],
    "location": ["x" * 255, "example.com", "a\nb"],
}


def test_values(amo: Amo, user: Holder) -> None:
    amo.account(user, "PATCH", FULL)
    for key, values in BAD.items():
        for value in values:
            answer = amo.account(user, "PATCH", {key: value, "location" if key != "location" else "x": "no"})
            assert (answer.status_int, [*answer.json]) == (400, [key]), (key, value)
            assert all(isinstance(text, str) for text in answer.json[key])
            assert texts(amo, user) == FULL
    for key, values in GOOD.items():
        for value in values:
            answer = amo.account(user, "PATCH", {key: value})
            assert answer.status_int == 200, (key, value)
            stored = value and value.replace("\r\n", "\n").strip()
            assert answer.json[key] == stored
    wrong = {key: values[0] for key, values in BAD.items()}
    assert amo.account(user, "PATCH", wrong).json.keys() == BAD.keys()
    assert amo.account(user, "PATCH", form={"biography": "a\0b"}).json.keys() == {"biography"}
    files = [("location", "a.txt", b"x")]
    assert amo.account(user, "PATCH", files=files).json.keys() == {"location"}


LINKS = [
    *(
        "<a href=x>y</a>",
        "<A>",
        "see http://x",
        "HTTPS://EXAMPLE",
        "x-y+z://a",
        "www.x",
        "WWW.Example",
        "example.com",
    ),
    *(
        "see example.org/x.",
        "EXAMPLE.COM",
        "<p>example.net</p>",
        "a@example.com",
        "exam\u200bple.com",
        "example．com",
    ),
    *("example&period;com", "bücher.de", "example.co.uk", "a example.io, b", "example&#46;com", "<a\nhref>"),
]


@pytest.mark.parametrize("link", LINKS)
def test_no_links_in_a_biography(link: str, amo: Amo, user: Holder) -> None:
    assert amo.account(user, "PATCH", {"biography": link}).json.keys() == {"biography"}


def test_what_is_there_already_is_taken(amo: Amo, user: Holder, stores: Process) -> None:
    """It may have come by an import, or be older than the rules."""
    stored = {
        "display_name": "x",
        "biography": "see http://example.org\r\nand more " + "x" * 4000 + "  ",
        "homepage": "not a url",
        "location": "y" * 300,
        "occupation": "z" * 300,
    }
    with stores.transaction() as store:
        account = locking.lock(store.session, user.person.id)
        for key, value in stored.items():
            setattr(account, key, value)
    said = texts(amo, user)
    assert said == stored
    for more in ({"body": said}, {"form": said}, {"form": said, "files": []}):
        answer = amo.account(user, "PATCH", more.pop("body", None), **more)
        assert answer.status_int == 200
        assert texts(amo, user) == stored
    assert amo.account(user, "PATCH", {"homepage": "not a url either"}).status_int == 400


def test_bodies_that_cannot_be_read(amo: Amo, user: Holder) -> None:
    path = "/account/user/"
    for body in (b"[]", b'"x"', b"7", b"null", b"true"):
        assert amo("PATCH", path, user, body).json.keys() == {"non_field_errors"}
    for body in (b"{", b"\xff", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 50_000, b'{"a":1}x'):
        answer = amo("PATCH", path, user, body)
        assert (answer.status_int, answer.json.keys()) == (400, {"detail"}), body[:10]
    for kind in ("text/plain", "application/xml", "image/png"):
        answer = amo("PATCH", path, user, b"{}", headers={"Content-Type": kind})
        assert (answer.status_int, answer.json.keys()) == (415, {"detail"})
    answer = amo("PATCH", path, user, b"x", headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_int, answer.json.keys()) == (400, {"detail"})
    assert amo("PATCH", path, user, b" " * (1024 * 1024 + 1)).status_int == 413


def upload(amo: Amo, user: Holder, data: bytes, name: str = "a.png", **form: str) -> Any:
    return amo.account(user, "PATCH", form=form, files=[("picture_upload", name, data)])


def test_a_picture_with_texts(amo: Amo, user: Holder) -> None:
    answer = upload(amo, user, encoded(quarters(1000, 600)), location="Here")
    said = answer.json
    assert (said["picture_type"], said["location"]) == ("image/png", "Here")
    assert said["picture_url"].startswith(f"{SITE_URL}/")
    first = urlsplit(said["picture_url"]).path
    served = amo.app.get(first)
    assert served.content_type == "image/png"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert opened(served.body).size == (500, 300)
    turned = upload(amo, user, photograph(80, 60, orientation=6), "x.gif").json["picture_url"]
    picture = amo.app.get(urlsplit(turned).path).body
    assert opened(picture).size == (60, 80)
    assert b"canary" not in picture
    assert urlsplit(turned).path != first
    for end in ("", "/"):
        answer = amo("DELETE", f"/account/user/picture{end}", user)
        assert answer.json.keys() == SELF_KEYS
        assert (answer.json["picture_type"], answer.json["picture_url"]) == (None, None)
    assert amo.account(user).json["location"] == "Here"


def test_all_or_nothing(amo: Amo, user: Holder) -> None:
    answer = upload(amo, user, encoded(quarters()), homepage="x")
    assert (answer.status_int, answer.json.keys()) == (400, {"homepage"})
    assert amo.account(user).json["picture_url"] is None
    answer = upload(amo, user, b"no picture", location="There", homepage="x")
    assert answer.json.keys() == {"picture_upload", "homepage"}
    assert amo.account(user).json["location"] is None


def test_s34_files_that_are_no_picture(amo: Amo, user: Holder) -> None:
    whole = photograph(400, 300)
    files = {
        "text": b"hello",
        "empty": b"",
        "gif": encoded(quarters(), "GIF"),
        "webp": encoded(quarters(), "WEBP"),
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "html before a jpeg": b"<html><script>alert(1)</script>" + whole,
        "cut off jpeg": whole[: len(whole) // 2],
        "cut off png": encoded(quarters(300, 300))[:-40],
        "animated": encoded(quarters(), save_all=True, append_images=[quarters(60, 40).rotate(90)]),
        "many pixels": blank_png(30_000, 30_000, depth=1, colour=0),
        "many bytes": encoded(quarters()) + bytes(4 * 1024 * 1024),
    }
    for name, data in files.items():
        answer = upload(amo, user, data)
        assert (answer.status_int, answer.json.keys()) == (400, {"picture_upload"}), name
    assert upload(amo, user, bytes(5 * 1024 * 1024)).status_int in (400, 413)
    assert amo.account(user).json["picture_url"] is None
