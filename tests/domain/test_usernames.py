"""Which usernames can be had."""

import pytest

from accountsapp.domain.errors import InvalidUsername
from accountsapp.domain.usernames import RESERVED, check_imported, check_new

NEW = ("bob", "b0b", "0bob", "Bob.B_o-b", "x" * 35, "a--", "bob.", "1.2.3")
NOT_NEW = (
    "",
    "ab",
    "x" * 36,
    "123",
    "٣٤٥",
    "²²²",
    ".bob",
    "_bob",
    "-bob",
    "bob smith",
    "bob@example.com",
    "bob+1",
    "bob/x",
    "bob\n",
    "bob\0",
    "böb",
    "bоb",
    "@@bob",
    "ＢＯＢ",
    "ﬁnn",
    "..",
    "...",
)
IMPORTED = (
    "a",
    "x" * 255,
    "ping",
    "account",
    "bob smith",
    "who@example.com",
    "@@bob",
    "...",
    ".x",
    "日本語",
    "😀",
    "böb+1",
    "<b>",
    "%2F",
    "123",
)
NOT_IMPORTED = ("", "x" * 256, "a/b", "/", ".", "..", "a\0b", "a\nb", "a\x7f", "a\u2028", "\ud800", "a\x85")


@pytest.mark.parametrize("name", NEW)
def test_new(name: str) -> None:
    assert check_new(name) == name


@pytest.mark.parametrize("name", NOT_NEW)
def test_not_new(name: str) -> None:
    with pytest.raises(InvalidUsername) as refused:
        check_new(name)
    assert refused.value.field == "username"


def test_reserved_names_in_any_case_cannot_be_newly_had() -> None:
    had = []
    for reserved in RESERVED:
        for name in (reserved, reserved.upper(), reserved.title()):
            try:
                had.append(check_new(name))
            except InvalidUsername:
                continue
    assert had == []


@pytest.mark.parametrize("name", ["a", "ping", "suspend", "stats", "bmarks", "tags", "account", "api"])
def test_words_of_urls_are_reserved(name: str) -> None:
    assert name in RESERVED


@pytest.mark.parametrize("name", IMPORTED)
def test_imported(name: str) -> None:
    assert check_imported(name) == name


@pytest.mark.parametrize("name", NOT_IMPORTED)
def test_not_imported(name: str) -> None:
    with pytest.raises(InvalidUsername):
        check_imported(name)
