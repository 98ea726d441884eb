"""Mail: what messages say, what their headers cannot be made to say, and how they are delivered."""

import json
import smtplib
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountsapp import mail, mail_transport
from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, JobState
from accountsapp.domain.jobs import JobError
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import notices, unsubscribing
from accountsapp.domain.mailing.notices import VALUES_OF, Notice
from accountsapp.domain.rules.emails import envelope_of
from accountsapp.mail import Message, compose, render
from accountsapp.settings import Settings
from tests.support.jobs import enqueue, let_time_pass, only_job, process_of, worker_of
from tests.support.mailserver import LOGIN, MailServer, authenticator, certificate

EXPIRES = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "username": "alice",
    "inviter": "bob",
    "code": "C0de-_",
    "expires": EXPIRES,
    "new_address": "new@example.com",
    "addons": "tabs, dark-sky",
    "name": "laptop",
    "url": "paste.example.org/1",
    "archives": [{"name": "all.zip", "code": "C0de-_"}],
}


def has_link(notice: Notice) -> bool:
    """Its own, or that of its one archive."""
    return not VALUES_OF[notice].isdisjoint({"code", "archives"})


def is_about_a_key(notice: Notice) -> bool:
    """And so has a link to the page of all keys."""
    return "name" in VALUES_OF[notice]


def values_of(notice: Notice, **changes: Any) -> dict[str, Any]:
    return {name: changes.get(name, VALUES[name]) for name in VALUES_OF[notice]}


def rendered(notice: Notice, *, locale: str | None = None, **changes: Any) -> Message:
    context = values_of(notice, **changes)
    if "expires" in context:
        context["expires"] = context["expires"].isoformat()
    return render(
        notice, to="alice@example.com", locale=locale, site_url="https://acc.example.org", context=context
    )


def composed(**changes: Any) -> EmailMessage:
    message = Message(**{"to": "alice@example.com", "subject": "s", "text": "t", "html": "h", **changes})
    return compose(message, sender="Site <site@example.org>", message_id="id1", date=EXPIRES)


def queue(
    database: Database, keyring: Keyring, notice: Notice = Notice.RESET_PASSWORD, **options: Any
) -> None:
    to = options.pop("to", "alice@example.com")
    account = options.pop("account", None)
    with database.begin() as session:
        notices.queue(session, keyring, notice, to=to, account=account, **values_of(notice, **options))


def work_off(database: Database, settings: Settings, keyring: Keyring) -> None:
    worker_of(database, settings, keyring).run_until_empty()


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def by_smtp(settings: Settings, smtp: MailServer) -> Settings:
    return sending_to(settings, smtp)


def sending_to(settings: Settings, server: MailServer, **changes: Any) -> Settings:
    here = {"mail_enabled": True, "mail_host": "127.0.0.1", "mail_port": server.port}
    return settings.model_copy(update={**here, **changes})


# What messages say


@pytest.mark.parametrize("notice", Notice)
def test_every_message_names_site_and_account(notice: Notice) -> None:
    message = rendered(notice)
    assert "acc.example.org" in message.subject
    assert message.to == "alice@example.com"
    for part in (message.text, message.html):
        assert "acc.example.org" in part
        assert "alice" in part
        assert "{" not in part
        for value in ("inviter", "new_address"):
            assert (VALUES[value] in part) is (value in VALUES_OF[notice])


def test_every_code_has_its_page() -> None:
    assert mail.PAGES.keys() == {notice for notice in Notice if has_link(notice)}


@pytest.mark.parametrize("notice", Notice)
def test_links_begin_with_the_site_url(notice: Notice) -> None:
    message = rendered(notice)
    if has_link(notice):
        link = f"https://acc.example.org{mail.path_of(notice, VALUES)}"
        assert f"\n{link}\n" in message.text
        assert f'<a href="{link}">' in message.html
        assert "2031-05-06 07:08 UTC" in message.text
    if is_about_a_key(notice):
        assert "\nhttps://acc.example.org/keys\n" in message.text
        assert '<a href="https://acc.example.org/keys">' in message.html
    number = has_link(notice) + is_about_a_key(notice)
    assert message.text.count("http") == number
    assert message.html.count("href=") == number


NOBODY_ELSE_S = {
    *(Notice.SET_PASSWORD, Notice.NEW_REVIEW),
    *(Notice.API_KEY_ENDED, Notice.API_KEY_LEAKED, Notice.API_KEY_EXPIRING),
}
"""Mails of what is over, or harms nobody, whoever caused it."""


def test_the_text_is_for_people() -> None:
    """It says what to do if somebody else was it; each sentence begins as one, each link has its line."""
    for notice in Notice:
        paragraphs = rendered(notice).text.split("\n-- \n")[0].strip().split("\n\n")
        is_said = any("If it was not you" in each or "If you do not want" in each for each in paragraphs)
        assert is_said is (notice not in NOBODY_ELSE_S), notice
        sentences = [each for each in paragraphs[1:] if each[-1] in ".:" and not each.startswith("bob")]
        assert all(each[0].isupper() for each in sentences), (notice, sentences)
        words = [line.split() for each in paragraphs for line in each.splitlines()]
        assert all(len(line) == 1 for line in words if "http" in " ".join(line)), notice


def test_the_reset_mail_names_its_account_in_the_subject() -> None:
    assert "alice" in rendered(Notice.RESET_PASSWORD).subject
    assert "bob" in rendered(Notice.INVITATION).subject


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, _attributes: Any) -> None:
        self.seen.add(tag)


@pytest.mark.parametrize("notice", Notice)
def test_s33_names_are_text_in_html(notice: Notice) -> None:
    tags = Tags()
    script = "<script>alert(1)</script>"
    tags.feed(rendered(notice, username=script, inviter=script, new_address=f"{script}@x").html)
    assert tags.seen <= {"html", "head", "meta", "title", "body", "p", "a", "hr", "small"}


@pytest.mark.parametrize("locale", [None, "de", "pt_BR", "zh-Hant-TW", "../../etc", "x" * 300, "\0"])
def test_a_locale_without_catalogue_is_english(locale: str | None) -> None:
    assert rendered(Notice.RESET_PASSWORD, locale=locale) == rendered(Notice.RESET_PASSWORD)


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(Exception, match="username"):
        render(Notice.API_KEY_RESET, to="a@b", locale=None, site_url="https://a", context={})


# What headers cannot be made to say

INJECTIONS = [
    f"x{end}Bcc: victim@example.com{end}{end}body"
    for end in ("\r\n", "\n", "\r", "\u2028", "\u2029", "\0", "\x0b")
]


@pytest.mark.parametrize("username", INJECTIONS)
def test_s32_a_name_adds_no_header(username: str) -> None:
    message = rendered(Notice.RESET_PASSWORD, username=username)
    assert message.subject.isprintable()
    sent = message_from_bytes(composed(subject=message.subject, text=message.text).as_bytes(), policy=default)
    assert set(sent.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert sent["Subject"] == message.subject


@pytest.mark.parametrize(
    "to",
    [
        *(f"a@example.com{injection[1:]}" for injection in INJECTIONS),
        "a,b@example.com",
        "victim(comment)@example.com",
        "a@example.com,victim@example.com",
        "Victim <victim@example.com>",
        "a@b>,c",
        "a:b@example.com",
        "=?utf-8?q?victim?=@example.com",
        "\ud800@example.com",
        "@example.com",
        "a@",
        '"a,b"@example.com',
        "",
    ],
)
def test_s32_mail_goes_to_the_stored_address_or_nowhere(to: str) -> None:
    with pytest.raises(JobError) as refused:
        composed(to=to)
    assert refused.value.tries == 1
    assert "victim" not in str(refused.value)


@pytest.mark.parametrize(
    "to", ["a@example.com", "o'neil+tag@example.com", "a..b@example.com", "a@localhost", "jürgen@exämple.com"]
)
def test_addresses_are_written_as_they_are(to: str) -> None:
    sent = message_from_bytes(composed(to=to).as_bytes(), policy=default)
    assert sent["To"] == to


@given(st.text("ab.@<>()[],:;\"\\=?_%+-'ü\u200b\n", max_size=40), st.text("ab.-@<>,:;()[]ü\r", max_size=180))
def test_s32_any_address_is_written_as_it_is_or_refused(local: str, domain: str) -> None:
    to = f"{local}@{domain}"
    try:
        email = composed(to=to)
    except JobError:
        return
    assert message_from_bytes(email.as_bytes(), policy=default)["To"] in (to, envelope_of(to))
    assert smtplib.quoteaddr(to) == f"<{to}>"


def test_headers() -> None:
    email = composed()
    assert email["From"] == "Site <site@example.org>"
    assert email["Message-ID"] == "<id1@example.org>"
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["Date"].datetime == EXPIRES
    assert email.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in email.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("text", ["plain\n", "grün\n", "x" * 2000 + "\n"])
def test_no_line_is_longer_than_mail_allows(text: str) -> None:
    raw = composed(text=text, html=text).as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    part = message_from_bytes(raw, policy=default).get_body(("plain",))
    assert part is not None
    assert part.get_content().splitlines() == text.splitlines()


# Queueing


def test_a_notice_takes_exactly_its_values(database: Database, keyring: Keyring) -> None:
    with database.begin() as session:
        for context in ({}, {"username": "a", "code": "x"}):
            with pytest.raises(TypeError):
                notices.queue(session, keyring, Notice.PASSWORD_CHANGED, to="a@b", account=None, **context)


def of_an_older_version(path: str) -> dict[str, Any]:
    """The values of a mail that was queued when it named its page itself."""
    return {"username": "alice", "path": path, "expires": EXPIRES.isoformat()}


@pytest.mark.parametrize("path", ["", "x", "//evil.example", "https://evil.example/", "/a b", "/a\nb", "/ü"])
def test_s27_a_link_is_a_path(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        mail.path_of(Notice.RESET_PASSWORD, of_an_older_version(path))


@pytest.mark.parametrize("username", ["//evil.example", "../../x", "a b", "a\nb", "ü", "{code}", "?x#y"])
def test_s27_what_is_put_into_a_path_stays_one_segment(username: str) -> None:
    for notice in (notice for notice in Notice if "code" in VALUES_OF[notice]):
        path = mail.path_of(notice, {"username": username, "code": "C0de-_"})
        named = mail.path_of(notice, {"username": "alice", "code": "C0de-_"})
        assert path == named.replace("alice", quote(username, safe=""))
        assert path.endswith("/C0de-_")


def test_a_mail_of_an_older_version_keeps_its_link(
    database: Database, settings: Settings, keyring: Keyring
) -> None:
    contents = {"to": "alice@example.com", "context": of_an_older_version("/recovery/alice/reset/C0de-_")}
    payload = {
        "notice": "reset_password",
        "locale": None,
        "message_id": "ab" * 16,
        "secret_id": keyring.secret_id,
        "sealed": keyring.seal("mail:" + "ab" * 16, json.dumps(contents)),
    }
    enqueue(database, "send_mail", payload)
    work_off(database, settings, keyring)
    assert only_job(database).state == JobState.DONE
    (file,) = settings.mail.directory.iterdir()
    text = message_from_bytes(file.read_bytes(), policy=default).get_body(("plain",))
    assert "http://accounts.example.org/recovery/alice/reset/C0de-_" in text.get_content()


def test_s49_a_queued_mail_is_sealed(
    database: Database, keyring: Keyring, settings: Settings, register: Any, stores: Any
) -> None:
    register("carol")
    with database.begin() as session:
        account = session.query(Account).one()
        account.locale = "sv"
        notices.queue(
            session, keyring, Notice.RESET_PASSWORD, to="carol@example.com", account=account,
            **values_of(Notice.RESET_PASSWORD, code="C4NARY"),
        )  # fmt: skip
    job = only_job(database)
    assert (job.account_id, job.payload["locale"]) == (1, "sv")
    assert "C4NARY" not in str(job.payload)
    assert "carol" not in str(job.payload)
    to, context = notices.unseal(keyring, job.payload)
    assert (to, context["code"]) == ("carol@example.com", "C4NARY")
    with pytest.raises(SealError):
        notices.unseal(keyring, {**job.payload, "message_id": "of another mail"})
    work_off(database, settings, keyring)
    assert only_job(database).payload == {}


def test_r22_queued_mail_is_sealed_anew(database: Database, settings: Settings) -> None:
    old, new = "o" * 40, "n" * 40
    queue(database, Keyring((old,)), code="C4NARY")
    queue(database, Keyring((new,)))
    queue(database, Keyring(("of" * 20,)))
    both = Keyring((new, old))
    assert notices.reseal(database.begin, both) == 1
    assert notices.reseal(database.begin, both) == 0
    work_off(database, settings, Keyring((new,)))
    texts = [file.read_text() for file in settings.mail.directory.iterdir()]
    assert len(texts) == 2
    assert "C4NARY" in "".join(texts)


def test_a_mail_whose_secret_is_gone_fails_with_a_reason(database: Database, settings: Settings) -> None:
    queue(database, Keyring(("o" * 40,)))
    work_off(database, settings, Keyring(("n" * 40,)))
    assert only_job(database).last_error == "sealed with a secret that is not given any more"


# Delivery


def test_mail_as_files(database: Database, settings: Settings, keyring: Keyring) -> None:
    queue(database, keyring, Notice.RESET_PASSWORD)
    queue(database, keyring, Notice.PASSWORD_CHANGED, to="jürgen@exämple.com")
    work_off(database, settings, keyring)
    files = sorted(settings.mail.directory.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    first, second = (message_from_bytes(file.read_bytes(), policy=default) for file in files)
    assert (first["To"], second["To"]) == ("alice@example.com", "jürgen@exämple.com")
    text = first.get_body(("plain",))
    assert "http://accounts.example.org/recovery/alice/reset/C0de-_" in text.get_content()


def test_a_mail_written_twice_is_one_file(database: Database, settings: Settings, keyring: Keyring) -> None:
    queue(database, keyring)
    with database.begin() as session:
        job = jobs.lease(session, -1)
    with process_of(database, settings, keyring).transaction() as store:
        mail.send(store, job)
    work_off(database, settings, keyring)
    assert len(list(settings.mail.directory.iterdir())) == 1
    assert only_job(database).state == JobState.DONE


@pytest.mark.parametrize("to", ["x@gone.invalid", "x@INVALID", "x@invalid.", "x@a.b.invalid"])
def test_nothing_is_sent_to_nobody(database: Database, settings: Settings, keyring: Keyring, to: str) -> None:
    queue(database, keyring, to=to)
    work_off(database, settings, keyring)
    assert only_job(database).state == JobState.DONE
    assert not settings.mail.directory.exists()


def test_mail_by_smtp(database: Database, by_smtp: Settings, keyring: Keyring, smtp: MailServer) -> None:
    before = now() - timedelta(seconds=2)
    queue(database, keyring)
    work_off(database, by_smtp, keyring)
    ((recipients, message),) = smtp.received
    assert recipients == ["alice@example.com"]
    assert message["To"] == "alice@example.com"
    assert message["From"] == "accounts@localhost"
    assert before < message["Date"].datetime <= now()
    assert only_job(database).state == JobState.DONE


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


@pytest.fixture
def starttls(trusted: Any) -> Iterator[MailServer]:
    server = MailServer(
        tls_context=trusted, require_starttls=True, auth_required=True, authenticator=authenticator
    ).start()
    yield server
    server.stop()


def test_starttls_and_authentication(
    database: Database, settings: Settings, keyring: Keyring, starttls: MailServer
) -> None:
    queue(database, keyring)
    changes = {"mail_tls": "starttls", "mail_username": LOGIN[0], "mail_password": LOGIN[1]}
    work_off(database, sending_to(settings, starttls, **changes), keyring)
    assert len(starttls.received) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mail_tls": "none"}, "the mail server refused the message: 530"),
        ({"mail_tls": "starttls"}, "the mail server refused the message: 530 5.7.0"),
        (
            {"mail_tls": "starttls", "mail_username": LOGIN[0], "mail_password": "wr0ng-pass"},
            "no connection to the mail server: SMTP",
        ),
        ({"mail_tls": "tls"}, "no connection to the mail server: SSLError"),
    ],
)
def test_what_the_server_does_not_take_is_said(
    database: Database,
    settings: Settings,
    keyring: Keyring,
    starttls: MailServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    reason: str,
) -> None:
    monkeypatch.setattr(mail_transport, "TIMEOUT", 2.0)  # the server falls silent after a wrong password
    queue(database, keyring)
    work_off(database, sending_to(settings, starttls, **changes), keyring)
    assert starttls.received == []
    assert (only_job(database).last_error or "").startswith(reason)
    for secret in (LOGIN[1], "wr0ng-pass", "alice@example.com", "C0de"):
        assert secret not in caplog.text


def test_tls_from_the_start(database: Database, settings: Settings, keyring: Keyring, trusted: Any) -> None:
    server = MailServer(ssl_context=trusted).start()
    try:
        queue(database, keyring)
        work_off(database, sending_to(settings, server, mail_tls="tls"), keyring)
    finally:
        server.stop()
    assert len(server.received) == 1


def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    database: Database, settings: Settings, keyring: Keyring, tmp_path: Path
) -> None:
    server = MailServer(tls_context=certificate(tmp_path)[1]).start()
    try:
        queue(database, keyring)
        work_off(database, sending_to(settings, server, mail_tls="starttls"), keyring)
    finally:
        server.stop()
    assert server.received == []
    assert "SSLCertVerificationError" in (only_job(database).last_error or "")


def test_a_server_without_starttls_gets_no_mail_in_clear(
    database: Database, by_smtp: Settings, keyring: Keyring, smtp: MailServer
) -> None:
    queue(database, keyring)
    work_off(database, by_smtp.model_copy(update={"mail_tls": "starttls"}), keyring)
    assert smtp.received == []
    assert only_job(database).last_error == "no connection to the mail server: SMTPNotSupportedError"


def test_an_address_in_other_letters(database: Database, settings: Settings, keyring: Keyring) -> None:
    queue(database, keyring, to="jürgen@exämple.com")
    plain = MailServer(enable_SMTPUTF8=False).start()
    international = MailServer().start()
    try:
        work_off(database, sending_to(settings, plain), keyring)
        assert only_job(database).last_error == "the mail server takes no such address (SMTPUTF8)"
        let_time_pass(database)
        work_off(database, sending_to(settings, international), keyring)
    finally:
        plain.stop()
        international.stop()
    assert plain.received == []
    ((recipients, message),) = international.received
    assert recipients == ["jürgen@xn--exmple-cua.com"]
    assert message["To"] == "jürgen@exämple.com"


@pytest.mark.parametrize(
    ("to", "envelope"),
    [
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("Anna+Tag@straße.example", "Anna+Tag@xn--strae-oqa.example"),
        ("a@例え.test", "a@xn--r8jz45g.test"),
    ],
)
def test_a_domain_in_other_letters_needs_no_smtputf8(
    database: Database, settings: Settings, keyring: Keyring, to: str, envelope: str
) -> None:
    queue(database, keyring, to=to)
    plain = MailServer(enable_SMTPUTF8=False).start()
    sending = sending_to(settings, plain)
    sending = sending.model_copy(update={"mail_sender": "Bücher <konten@bücher.example>"})
    try:
        work_off(database, sending, keyring)
    finally:
        plain.stop()
    ((recipients, message),) = plain.received
    assert recipients == [message["To"]] == [envelope]
    assert message["From"] == "Bücher <konten@xn--bcher-kva.example>"


# Mails that one can do without


def test_a_mail_of_a_kind_has_its_link_in_both_parts_and_no_other_mail_has() -> None:
    link = "https://acc.example.org/users/unsubscribe/YQ==/00ff/new_review/"
    context = values_of(Notice.NEW_REVIEW)
    site = {"to": "a@example.com", "locale": None, "site_url": "https://acc.example.org"}
    message = render(Notice.NEW_REVIEW, **site, context=context, unsubscribe=link)
    assert f"\n{link}\n" in message.text
    assert f'<a href="{link}">' in message.html
    assert "tabs, dark-sky" in message.text
    assert notices.KIND_OF.keys() == {Notice.NEW_REVIEW}


def test_the_header_that_unsubscribes_stays_one_line_as_it_is() -> None:
    link = f"https://acc.example.org/users/unsubscribe/{'Qk' * 170}==/{'0f' * 32}/new_review/"
    message = Message("a@example.com", "s", "t", "h")
    email = compose(message, sender="b@example.org", message_id="i", date=EXPIRES, unsubscribe=link)
    written = email.as_bytes().splitlines()
    assert f"List-Unsubscribe: <{link}>".encode() in written
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in written
    assert "List-Unsubscribe" not in composed()


@pytest.mark.parametrize(("scheme", "has_headers"), [("https", True), ("http", False)])
def test_a_delivered_mail_of_a_kind_can_be_unsubscribed_from(
    database: Database,
    by_smtp: Settings,
    keyring: Keyring,
    smtp: MailServer,
    scheme: str,
    has_headers: bool,
) -> None:
    settings = by_smtp.model_copy(update={"site_url": f"{scheme}://acc.example.org"})
    queue(database, keyring, Notice.NEW_REVIEW, to="Alice@example.com")
    work_off(database, settings, keyring)
    (content,) = smtp.contents
    (email,) = smtp.messages
    token, digest = unsubscribing.make(keyring, "alice@example.com")
    link = f"{scheme}://acc.example.org/users/unsubscribe/{token}/{digest}/new_review/"
    text = email.get_body(("plain",))
    assert text is not None
    assert link in text.get_content()
    assert (f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in content) is has_headers
    assert (b"List-Unsubscribe-Post" in content) is has_headers
