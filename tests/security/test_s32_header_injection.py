"""S32: nothing that people type becomes a header, of an answer or of a mail."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from webtest import TestApp

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.usernames import check_imported
from accountsapp.testing.everywhere import Everywhere
from accountsapp.testing.people import Person
from tests.support.outbox import Outbox

BREAKS = ("\r\n", "\n", "\r", "\0", "\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e")
MAIL_HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),
    "Content-Transfer-Encoding",
}


@pytest.mark.parametrize("break_", BREAKS, ids=ascii)
def test_s32_values(app: TestApp, alice: Person, outbox: Outbox, break_: str) -> None:
    injected = f"x{break_}Bcc: evil@example.com{break_}{break_}body"
    for path, field in (("account", "name"), ("account", "email"), ("invite", "email")):
        for value in (injected, f"a@example.com{break_}Bcc:evil@example.com"):
            given = {"api_key": alice.api_key, field: value}
            for answer in (
                app.post_json(f"/api/v1/alice/{path}", given, expect_errors=True),
                app.post(f"/api/v1/alice/{path}", given, expect_errors=True),
            ):
                assert answer.status_int == 406
    asked = app.post_json("/api/v1/suspend", {"email": injected}, expect_errors=True)
    assert asked.status_int == 406
    assert outbox.take() == []
    with pytest.raises(InvalidValue):
        check_imported(f"alice{break_}Bcc: evil@example.com")


@pytest.mark.parametrize("break_", BREAKS, ids=ascii)
def test_s32_no_answer_has_a_further_header(everywhere: Everywhere, break_: str) -> None:
    injected = quote(f"x{break_}X-Evil: 1{break_}Set-Cookie: evil=1")
    for door in everywhere.doors:
        for query in (
            f"callback={injected}",
            f"next={injected}&redirect_uri={injected}&state={injected}",  # no door knows both
        ):
            answer = everywhere(door, query, headers={"Origin": "http://evil.example"})
            names = {name.lower() for name, _ in answer.headerlist}
            assert "x-evil" not in names
            assert answer.status_int < 500
            assert not [value for _, value in answer.headerlist if "evil" in value]
            assert all(value.isprintable() for _, value in answer.headerlist)


@pytest.mark.parametrize(
    "name",
    [
        'bob" <evil@example.com>, x',
        "bob, evil@example.com",
        "=?utf-8?q?x=0D=0ABcc:evil@example.com?=",
        "bob%0d%0aBcc: evil@example.com",
        "bob\\r\\nBcc: evil@example.com",
        "🦊" * 60,
        "x" * 255,
        "{{7*7}}{% raw %}",
        "<script>alert(1)</script>",
    ],
)
def test_s32_a_name_in_a_mail(
    app: TestApp, register: Callable[..., Person], outbox: Outbox, name: str
) -> None:
    name = name.replace("/", "|")
    register(name, "bob@example.com", name=name)
    app.post("/api/v1/suspend", {"email": "bob@example.com"})
    (message,) = outbox.take()
    assert set(message.keys()) <= MAIL_HEADERS
    assert len(message.keys()) == len(set(message.keys()))
    assert [address.addr_spec for address in message["To"].addresses] == ["bob@example.com"]
    assert len(str(message["Subject"]).splitlines()) == 1
    html = message.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()
    assert "49" not in str(message["Subject"])


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?x=0D=0ABcc=3Aevil=40example.com?=@example.com",
        "=?utf-8?q?x=0D=0A=0D=0Abody?=@example.com",
        "=?utf-8?b?eA0KQmNjOiBldmls?=@example.com",
        "a@=?utf-8?q?example=0D=0ABcc=3Aevil?=",
        "a,evil@example.com",
        "a<evil@example.com>",
        "a(b)@example.com",
        "a:b;c@example.com",
        '"a b"@example.com',
    ],
)
def test_s32_an_address_in_a_mail(
    app: TestApp, register: Callable[..., Person], outbox: Outbox, address: str
) -> None:
    """It is written to as it stands, or not at all."""
    register("bob", address)
    app.post("/api/v1/suspend", {"email": address}, expect_errors=True)
    for message in outbox.take():
        assert set(message.keys()) <= MAIL_HEADERS
        assert str(message["To"]) == address
        assert [found.addr_spec for found in message["To"].addresses] == [address]
