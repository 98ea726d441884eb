"""What an e-mail address is."""

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from accountsapp import email_syntax
from accountsapp.domain.errors import InvalidEmail
from accountsapp.domain.rules.emails import (
    LONGEST_EMAIL,
    LONGEST_LOCAL_PART,
    envelope_of,
    key_of,
    parse,
)

DOTTED = ("a@b.c", "a@b.test", "a@xn--exmple-cua.com")
NOT_DOTTED = ("a@localhost", "a@b.c.", "a@127.0.0.1", "a@.c", "a@b..c", "a@b.", "a@.")


@pytest.mark.parametrize("address", DOTTED)
def test_with_a_dot(address: str) -> None:
    assert parse(address, dotted=True) == address


@pytest.mark.parametrize("address", NOT_DOTTED)
def test_where_a_dot_is_needed(address: str) -> None:
    with pytest.raises(InvalidEmail) as refused:
        parse(address, dotted=True)
    assert refused.value.field == "email"


def test_where_no_dot_is_needed() -> None:
    assert parse("a@localhost") == "a@localhost"


@pytest.mark.parametrize("address", ["a@127.0.0.1", "a@1.2.3.4", "a@127.1", "a@2130706433", "a@1\u30022.3.4"])
def test_an_ip_address_is_no_domain(address: str) -> None:
    with pytest.raises(InvalidEmail):
        parse(address)


@given(text=st.text() | st.from_regex(r"[a-zA-Z\s@.\u0130]{1,8}") | st.emails())
def test_what_is_taken_is_an_address(text: str) -> None:
    try:
        address = parse(text)
    except InvalidEmail:
        return
    assert address == text.strip().lower()
    assert parse(address) == address
    local, domain = address.split("@")
    assert local
    assert domain
    assert not any(character.isspace() or character < " " for character in address)
    assert len(local.encode()) <= LONGEST_LOCAL_PART
    assert len(address.encode()) <= LONGEST_EMAIL
    assert key_of(key_of(address)) == key_of(address) == key_of(address.upper().lower())
    assert envelope_of(address).rpartition("@")[2].isascii()


LABELS = st.from_regex(r"[a-z0-9-]{1,5}|[a-z0-9]{62,64}|xn--[a-z0-9-]{1,5}", fullmatch=True)
LOCALS = st.from_regex(r"[a-z0-9_+.-]{1,6}|[a-z]{63,65}", fullmatch=True)


@given(
    local=LOCALS,
    labels=st.lists(LABELS, min_size=1, max_size=5),
    top=st.sampled_from(["org", "x", "c0m", ""]),
)
def test_what_the_library_is_not_asked_about_it_takes(local: str, labels: list[str], top: str) -> None:
    address = f"{local}@{'.'.join([*labels, top])}"
    if email_syntax.is_plain(address):
        validate_email(address, check_deliverability=False, globally_deliverable=True)


@given(address=st.emails(domains=st.sampled_from(["example.com", "bücher.example", "localhost"])))
def test_what_is_plain_is_taken(address: str) -> None:
    local = address.rpartition("@")[0]
    if len(local) <= LONGEST_LOCAL_PART:
        assert parse(address, keep_case=True) == address


SAME = (
    ("a@bücher.example", "A@XN--BCHER-KVA.example"),
    ("a@BÜCHER.example", "a@bu\u0308cher.example"),
    ("a@\uff45xample.com", "a@example.com"),
    ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
    ("JÜRGEN@example.com", "jürgen@EXAMPLE.com"),
    ("Σοφος@example.com", "σοφοσ@example.com"),
    (" a@example.com", "a@example.com"),
)
OTHER = (
    ("a@straße.example", "a@strasse.example"),
    ("a@große.example", "a@GROSSE.example"),
    ("a@ς.example", "a@σ.example"),
    ("a@bücher.example", "a@bucher.example"),
    ("a@ı.example", "a@i.example"),
    ("jurgen@example.com", "jürgen@example.com"),
    ("a@example.com", "a@example.org"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_one(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_addresses(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


@given(text=st.text() | st.from_regex(r"[a-z\u00df\uff0e]{0,4}@[a-z.\u00df\u3002\u0130-]{0,9}"))
def test_any_text_has_a_key(text: str) -> None:
    assert key_of(key_of(text)) == key_of(text)
    assert envelope_of(text).startswith(text.rpartition("@")[0])


def test_the_envelope() -> None:
    assert envelope_of("Anna@BÜCHER.example") == "Anna@xn--bcher-kva.example"
    assert envelope_of("jürgen@straße.example") == "jürgen@xn--strae-oqa.example"
    assert envelope_of("Anna@Example.com") == "Anna@Example.com"
