"""The proof of a mailed link by which somebody unsubscribes: made as the contract says, checked strictly."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import unsubscribing
from accountsapp.testing.people import SECRET

OLD_SECRET = "an-older-one-" + "o" * 40


def by_hand(secret: str, address: str) -> tuple[str, str]:
    """As a host service would make it that knows the secret."""
    key = hmac.new(secret.encode(), b"accountsapp/amo/unsubscribe/1", sha256).digest()
    token = urlsafe_b64encode(address.lower().encode())
    return token.decode(), hmac.new(key, token, sha256).hexdigest()


@pytest.mark.parametrize("address", ["a@example.com", "Ab@Example.COM", "jürgen@bücher.example", "abc@x.org"])
def test_it_is_made_as_the_contract_says(address: str) -> None:
    made = unsubscribing.make(Keyring((SECRET, OLD_SECRET)), address)
    assert made == by_hand(SECRET, address)


def test_every_secret_verifies_and_padding_may_be_left_out() -> None:
    keyring = Keyring((SECRET, OLD_SECRET))
    for secret in (SECRET, OLD_SECRET):
        token, digest = by_hand(secret, "Ab@Bücher.example")
        for given in (token, token.rstrip("=")):
            assert unsubscribing.check(keyring, given, digest) == "ab@xn--bcher-kva.example"


def test_whatever_else_is_refused() -> None:
    keyring = Keyring((SECRET,))
    token, digest = unsubscribing.make(keyring, "a@example.com")
    other, _ = unsubscribing.make(keyring, "b@example.com")
    bad = [
        (token, digest[:-1] + ("0" if digest[-1] != "0" else "1")),
        (token, digest.upper() if digest.upper() != digest else ""),
        (token, ""),
        (token, "é" * 64),
        (other, digest),
        ("", digest),
        ("\0", digest),
        ("€", digest),
        (token + "A", digest),
        ("A" * 5000, digest),
        by_hand(OLD_SECRET, "a@example.com"),
    ]
    assert [unsubscribing.check(keyring, *pair) for pair in bad] == [None] * len(bad)
    assert unsubscribing.check(keyring, token, digest) == "a@example.com"


def test_a_token_that_is_no_address_is_refused_though_its_hash_is_right() -> None:
    keyring = Keyring((SECRET,))
    key = keyring.raw_keys(unsubscribing.LABEL)[0]
    for data in (b"\xff\xfe", b"a\0b"):
        token = urlsafe_b64encode(data)
        digest = hmac.new(key, token, sha256).hexdigest()
        assert unsubscribing.check(keyring, token.decode(), digest) is None
    for token in (b"A", b"Q"):  # no such length in base64
        padded = token + b"==="
        digest = hmac.new(key, padded, sha256).hexdigest()
        assert unsubscribing.check(keyring, token.decode(), digest) is None
