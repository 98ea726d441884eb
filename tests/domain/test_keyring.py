"""API keys: made, recognised, digested and sealed."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.rules.api_keys import ALPHABET, is_plausible, make_api_key

FIRST, SECOND = "first-" + "x" * 32, "second-" + "x" * 32


def test_new_keys() -> None:
    made = [make_api_key() for _ in range(2000)]
    assert [key for key in made if not re.fullmatch(r"acct_[0-9A-Za-z]{36}", key)] == []
    assert [key for key in made if not is_plausible(key)] == []
    assert len(set(made)) == len(made)
    assert set("".join(key[5:35] for key in made)) == set(ALPHABET)


def test_a_typing_error_is_seen() -> None:
    key = make_api_key()
    typos = [
        key[:place] + character + key[place + 1 :]
        for place in range(5, len(key))
        for character in ALPHABET
        if character != key[place]
    ]
    assert [typo for typo in typos if is_plausible(typo)] == []


@pytest.mark.parametrize(
    ("key", "expected"),
    [("", False), ("0123456789ab", True), ("x" * 41, True), ("acct_", True), ("acct_" + "x" * 36, False)],
)
def test_keys_of_another_form_are_plausible(key: str, expected: bool) -> None:
    assert is_plausible(key) is expected


@given(key=st.text(st.characters(), min_size=1).filter(lambda key: not key.startswith("acct_")))
def test_any_key_of_an_older_system_is_plausible(key: str) -> None:
    assert is_plausible(key)
    assert len(Keyring((FIRST,)).digest("api-key", key)) == 32


@dataclass(frozen=True)
class Digest:
    secret: str = FIRST
    purpose: str = "api-key"
    value: str = "key"

    def made(self) -> bytes:
        return Keyring((self.secret,)).digest(self.purpose, self.value)


def test_a_digest_depends_on_secret_purpose_and_value() -> None:
    digests = (
        Digest(),
        Digest(secret=SECOND),
        Digest(purpose="link"),
        Digest(value="Key"),
        Digest(value="key\0"),
    )
    assert len({digest.made() for digest in digests}) == len(digests)
    assert Digest().made() == Digest().made()


def test_a_seal_opens_for_its_owner_alone() -> None:
    keyring = Keyring((FIRST,))
    sealed = keyring.seal("account:7", "canary")
    assert keyring.unseal("account:7", sealed) == "canary"
    assert "canary" not in sealed
    assert sealed != keyring.seal("account:7", "canary")
    for owner in ("account:8", "account:77", "account:", ""):
        with pytest.raises(SealError):
            keyring.unseal(owner, sealed)


@pytest.mark.parametrize("broken", ["", "x", "é"])
def test_a_broken_seal(broken: str) -> None:
    with pytest.raises(SealError):
        Keyring((FIRST,)).unseal("account:7", broken)


def test_another_secret_opens_nothing() -> None:
    sealed = Keyring((FIRST,)).seal("account:7", "canary")
    with pytest.raises(SealError):
        Keyring((SECOND,)).unseal("account:7", sealed)


def test_rotation() -> None:
    old, both, new = Keyring((FIRST,)), Keyring((SECOND, FIRST)), Keyring((SECOND,))
    sealed = old.seal("account:7", "canary")
    assert both.unseal("account:7", sealed) == "canary"
    assert both.digests("api-key", "key") == [new.digest("api-key", "key"), old.digest("api-key", "key")]
    assert both.digest("api-key", "key") == new.digest("api-key", "key")
    assert both.secret_id == new.secret_id != old.secret_id
    assert new.unseal("account:7", both.seal("account:7", "canary")) == "canary"


@given(owner=st.integers(), value=st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_is_given_back(owner: int, value: str) -> None:
    keyring = Keyring((FIRST,))
    assert keyring.unseal(f"account:{owner}", keyring.seal(f"account:{owner}", value)) == value
