"""What an e-mail address is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountsapp.domain.errors import InvalidEmail
from accountsapp.domain.rules.emails import LONGEST_EMAIL, parse

DOTTED = ("a@b.c", "a@b.c.", "a@xn--exmple-cua.com")
NOT_DOTTED = ("a@localhost", "a@.c", "a@b..c", "a@b.", "a@.")


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


@given(text=st.text() | st.from_regex(r"[a-zA-Z\s@.\u0130]{1,8}") | st.emails())
def test_what_is_taken_is_an_address(text: str) -> None:
    try:
        address = parse(text)
    except InvalidEmail:
        stripped = text.strip()
        assert (
            stripped.count("@") != 1
            or stripped.startswith("@")
            or stripped.endswith("@")
            or len(stripped.lower()) > LONGEST_EMAIL
            or not stripped.isprintable()
            or any(character.isspace() for character in stripped)
        )
        return
    assert address == text.strip().lower()
    assert parse(address) == address
    local, domain = address.split("@")
    assert local
    assert domain
    assert not any(character.isspace() or character < " " for character in address)
