"""The file of public keys: at the start, and when it changes (keys 8)."""

import json
import logging
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accountsapp.keys.reporters import Reporters
from accountsapp.settings import SettingsError
from tests.support.reporting import Reporter, publish

CONTENT = b"[]"
SETTING = "accountsapp.leaks.public_keys: "


def is_heard(reporters: Reporters, reporter: Reporter) -> bool:
    return reporters.signed(reporter.identifier, reporter.signature(CONTENT), CONTENT)


def pem_of(private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_all_keys_count_also_those_that_are_not_current(tmp_path: Path) -> None:
    first, second = Reporter("first"), Reporter("second")
    file = tmp_path / "keys.json"
    published = [{**reporter.published, "is_current": False, "more": None} for reporter in (first, second)]
    file.write_text(json.dumps({"public_keys": published, "more": 1}))
    reporters = Reporters(file)
    assert (is_heard(reporters, first), is_heard(reporters, second)) == (True, True)
    assert not reporters.signed("first", second.signature(CONTENT), CONTENT)
    assert not reporters.signed("", first.signature(CONTENT), CONTENT)


def one(**key: object) -> str:
    return json.dumps({"public_keys": [key]})


UNUSABLE = {
    "missing": None,
    "empty": "",
    "no JSON": "no JSON",
    "an array": "[]",
    "no list": "{}",
    "no key": '{"public_keys": []}',
    "an object": '{"public_keys": {}}',
    "neither": one(),
    "no PEM": one(key_identifier="a"),
    "no identifier": one(key="x"),
    "empty identifier": one(key_identifier="", key=pem_of(ec.generate_private_key(ec.SECP256R1()))),
    "other text": one(key_identifier="a", key="no PEM"),
    "half a surrogate pair": one(key_identifier="a", key="\ud800"),
    "the PEM alone": pem_of(ec.generate_private_key(ec.SECP256R1())),
    "P-384": one(key_identifier="a", key=pem_of(ec.generate_private_key(ec.SECP384R1()))),
    "Ed25519": one(key_identifier="a", key=pem_of(ed25519.Ed25519PrivateKey.generate())),
    "RSA": one(key_identifier="a", key=pem_of(rsa.generate_private_key(65537, 2048))),
    "one of two": json.dumps(
        {
            "public_keys": [
                Reporter().published,
                {"key_identifier": "a", "key": pem_of(ec.generate_private_key(ec.SECP256K1()))},
            ]
        }
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, case: str) -> None:
    file, content = tmp_path / "keys.json", UNUSABLE[case]
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError) as refused:
        Reporters(file)
    said = str(refused.value)
    assert said.startswith(SETTING)
    assert "\n" not in said
    assert "BEGIN" not in said


def test_it_is_read_again_when_it_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = Reporter("first"), Reporter("second")
    file = publish(tmp_path / "keys.json", [first])
    reporters = Reporters(file)
    publish(file, [second])
    assert (is_heard(reporters, first), is_heard(reporters, second)) == (False, True)
    with caplog.at_level(logging.WARNING):
        for fault in ("no JSON", json.dumps({"public_keys": []})):
            file.write_text(fault)
            assert is_heard(reporters, second)
        file.unlink()
        assert is_heard(reporters, second)
        other = publish(tmp_path / "other.json", [first, second])
        os.replace(other, file)
        assert (is_heard(reporters, first), is_heard(reporters, second)) == (True, True)
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith(f"{SETTING}the former keys count: must be")
    assert told[-1] == f"{SETTING}read again"


def test_what_is_wrong_is_told_once_a_minute(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reporter = Reporter()
    file = publish(tmp_path / "keys.json", [reporter])
    reporters = Reporters(file)
    file.write_text("no JSON")
    with caplog.at_level(logging.WARNING):
        assert all(is_heard(reporters, reporter) for _ in range(20))
    assert len(caplog.records) == 1
