"""Which usernames can be had."""

import string
from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accountsapp.domain.errors import InvalidUsername
from accountsapp.domain.rules.usernames import RESERVED, check_chosen, check_imported, check_new

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
CONTROLS = ("a\0b", "a\nb", "a\x7f", "a\u2028", "\ud800", "a\x85")
NOT_IMPORTED = ("", "x" * 256, "\ufdfa" * 255, "a/b", "/", ".", "..", *CONTROLS)
NOT_CHOSEN = ("@@bob", " @@bob", "ping", "Ｐｉｎｇ", None, 5, ["bob"])


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


@pytest.mark.parametrize("name", ["x", "x" * 255, "Bob Smith", "who@Example.com", "日本語", "<b>", "123"])
def test_chosen(name: str) -> None:
    assert check_chosen(f" {name}\t") == check_imported(name.lower())


@pytest.mark.parametrize("name", [*NOT_IMPORTED, *NOT_CHOSEN])
def test_not_chosen(name: object) -> None:
    """What could not be imported could not be exported and read again either."""
    with pytest.raises(InvalidUsername):
        check_chosen(name)


NAMES = st.text(max_size=300) | st.text(string.ascii_letters + string.digits + "._-/@ ", max_size=40)
"""Of any characters, and of those that make good names."""


@given(NAMES)
def test_a_new_name_is_short_plain_and_nobodys_word(name: str) -> None:
    try:
        taken = check_new(name)
    except InvalidUsername:
        return
    assert taken == name
    assert 3 <= len(name) <= 35
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert name[0] not in "._-"
    assert not name.isdecimal()
    assert name.lower() not in RESERVED
    assert check_imported(name) == name


@given(NAMES)
@example("\ufdfa" * 255)
def test_an_imported_name_is_one_segment_of_a_path_that_any_database_takes(name: str) -> None:
    try:
        taken = check_imported(name)
    except InvalidUsername:
        return
    assert taken == name
    assert 1 <= len(name) <= 255
    assert name not in (".", "..")
    assert "/" not in name
    assert not [character for character in name if category(character) in ("Cc", "Cs")]
    assert len(name.encode()) <= 255 * 4
