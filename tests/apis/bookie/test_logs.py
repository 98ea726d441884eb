"""Bookie 1.8: no key and no password in any log line, whatever the request."""

import logging
from typing import Any

import pytest

from accountsapp.domain.accounts import profile
from accountsapp.domain.credentials import api_keys, password_change
from accountsapp.testing.people import PASSWORD, Person
from accountsapp.web.reports import REPORTER
from tests.support.bookie import Bookie

WRONG_KEY, WRONG, NEW = "CanaryKey1", "CanaryWrong1", "CanaryNewPassword1"


def ask_everything(bookie: Bookie, person: Person) -> list[int]:
    good, bad = {"api_key": person.api_key}, {"api_key": WRONG_KEY}
    passwords = {"current_password": WRONG, "new_password": NEW}
    json_body = f'{{"api_key": "{WRONG_KEY}", "new_password": "{NEW}", '.encode()
    answers = [
        bookie("GET", "/alice/account", query=good),
        bookie("GET", "/alice/account", query=bad),
        bookie("GET", "/alice/account", query={**good, "callback": "!"}),
        bookie("GET", "/alice/account", query=f"api_key={WRONG_KEY}&x=%ff"),
        bookie("GET", "/alice/unknown", query=good),
        bookie("DELETE", "/alice/account", query=good),
        bookie("GET", "/alice/api_key", query=good),
        bookie("POST", "/alice/account", form={**good, "email": WRONG}),
        bookie("POST", "/alice/account", form={**good, "name": "\0"}),
        bookie("POST", "/alice/account", body=json_body, content_type="application/json"),
        bookie("POST", "/alice/account", body=json_body, content_type="multipart/form-data; boundary=b"),
        bookie("POST", "/alice/account", body=json_body, content_type="text/plain"),
        bookie("POST", "/alice/password", query=good, form=passwords),
        bookie("POST", "/alice/password", query={**good, **passwords}),
        bookie("POST", "/alice/password", query=good, json={"new_password": [NEW]}),
        bookie("POST", "/alice/password", query=good, form={**passwords, "new_password": NEW * 9}),
        bookie("POST", "/alice/password", query=good, form={**passwords, "current_password": PASSWORD}),
        bookie("POST", "/alice/api_key", json=good),
    ]
    return [answer.status_int for answer in answers]


def test_no_secret_is_logged(
    bookie: Bookie,
    alice: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)

    def fail(*_: object, **given: Any) -> None:
        raise RuntimeError(f"api_key={alice.api_key} password={NEW} {given}")

    statuses = ask_everything(bookie, alice)
    monkeypatch.setattr(api_keys, "reveal", fail)
    monkeypatch.setattr(profile, "update", fail)
    monkeypatch.setattr(password_change, "change", fail)
    statuses += ask_everything(bookie, alice)

    assert {200, 400, 403, 404, 405, 406, 415} <= set(statuses)
    REPORTER.flush()
    lines = [line for record in caplog.records for line in (record.getMessage(), record.exc_text or "")]
    assert any("status=403" in line for line in lines)
    secrets = (alice.api_key, WRONG_KEY, WRONG, NEW, PASSWORD)
    assert [line for line in lines if any(secret in line for secret in secrets)] == []
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_a_fault_is_logged_with_the_request_it_befell(
    bookie: Bookie, alice: Person, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("token=CanaryToken1 went wrong")

    monkeypatch.setattr(api_keys, "reveal", fail)
    answer = bookie("GET", "/alice/api_key", query={"api_key": alice.api_key})
    assert answer.status_int == 500
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert answer.headers["X-Request-Id"] in record.getMessage()
    assert "RuntimeError" in (record.exc_text or "")
    assert "CanaryToken1" not in caplog.text
