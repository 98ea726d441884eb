"""Mail: messages as pure functions of a notice, and their delivery.

A message is rendered when it is sent. Its links begin with ``accountsapp.site_url`` and nothing else; its
headers are made by :class:`email.message.EmailMessage` alone.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, Policy
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from unicodedata import category
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from accountsapp import folders, i18n, mail_transport
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import JobError, LeasedJob
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import notices, unsubscribing
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.emails import envelope_of
from accountsapp.domain.rules.text import UNPRINTABLE, has_control_characters
from accountsapp.domain.store import Store

LONGEST_LINE = 998
"""Characters of a line without its end (RFC 5322 2.1.1)."""

UNWRITABLE = "the address cannot be written to"

PAGES = {
    Notice.RESET_PASSWORD: "/recovery/{username}/reset/{code}",
    Notice.INVITATION: "/recovery/{username}/reset/{code}",
    Notice.SET_PASSWORD: "/recovery/{username}/reset/{code}",
    Notice.CONFIRM_EMAIL: "/confirm/email/{code}",
    Notice.CONFIRM_REGISTRATION: "/confirm/registration/{code}",
    Notice.VERIFY_EMAIL: "/confirm/address/{code}",
    Notice.EXPORT_READY: "/exports/{code}",
}
"""Where the code of a mail is used."""

KEYS_PAGE = "/keys"
"""Where people see the named keys of their account."""

UNSUBSCRIBE = "/users/unsubscribe/{token}/{digest}/{kind}/"
"""Where a kind of mail is switched off."""

_MAILABLE = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+@[A-Za-z0-9.\x80-\U0010ffff-]+")
"""Unquoted local part and a domain name (RFC 5322 3.4.1, RFC 6531 3.3); it is read one way only."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", re.ASCII)


@dataclass(frozen=True)
class Message:
    """What somebody is told."""

    to: str
    subject: str
    text: str
    html: str


def render(
    notice: Notice,
    *,
    to: str,
    locale: str | None,
    site_url: str,
    context: dict[str, Any],
    page: str | None = None,
    site_name: str = "",
    colour: str = "#000000",
    unsubscribe: str | None = None,
) -> Message:
    """The message of a notice.

    :param locale: language of the reader, such as ``de`` or ``pt_BR``; English where there is no catalogue
    :param site_url: what links begin with
    :param site_name: what the site is called; without one it is the host of its address
    :param colour: of the line below its name, as ``#rrggbb``
    :param context: the values that :class:`Notice` names
    :param page: the URL where the code is used, with ``{code}`` in it; by default that of :data:`PAGES`
    :param unsubscribe: the link that ends mails of this kind
    """
    environment = _environment(locale if locale and _LOCALE.fullmatch(locale) else "en")
    values = dict(context, site=site_name or urlsplit(site_url).netloc, colour=colour)
    values |= {"language": environment.globals["language"], "unsubscribe": unsubscribe}
    values |= {"keys_page": site_url + KEYS_PAGE, **_links(notice, site_url, context, page)}
    if "expires" in context:
        expires = datetime.fromisoformat(context["expires"]).astimezone(UTC)
        values["expires"] = f"{expires:%Y-%m-%d %H:%M} UTC"
    values["subject"] = _one_line(environment.get_template(f"{notice}.subject.txt").render(values))
    return Message(
        to=to,
        subject=values["subject"],
        text=environment.get_template(f"{notice}.txt").render(values),
        html=environment.get_template(f"{notice}.html").render(values),
    )


def _links(notice: Notice, site_url: str, context: dict[str, Any], page: str | None) -> dict[str, Any]:
    """What a mail says of links: one, or one for each archive."""
    if "archives" in context:
        archives = [{**context, **archive} for archive in context["archives"]]
        return {"archives": [{**item, "link": site_url + path_of(notice, item)} for item in archives]}
    if page is not None:
        return {"link": page.replace("{code}", quote(context["code"], safe=""))}
    return {"link": site_url + path_of(notice, context)} if notice in PAGES else {}


def path_of(notice: Notice, context: Mapping[str, Any]) -> str:
    """The path of the page where the code of a mail is used, percent-encoded.

    :raises ValueError: a mail that an older version queued names its page itself, and that is no path
    """
    if "path" in context:
        return _checked_path(context["path"])
    parts = {name: quote(context[name], safe="") for name in ("username", "code")}
    return PAGES[notice].format(**parts)


def _checked_path(path: str) -> str:
    encoded = path.isascii() and path.isprintable() and " " not in path
    if not encoded or not path.startswith("/") or path.startswith("//"):
        raise ValueError("path must be percent-encoded and begin with one slash")
    return path


@lru_cache(maxsize=32)
def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("accountsapp", "templates/mail"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    catalogue = i18n.translations(locale.replace("-", "_"))
    environment.globals["language"] = catalogue.info().get("language", i18n.ENGLISH).replace("_", "-")
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment


def _one_line(text: str) -> str:
    """The text as a header may have it: one line, and nothing that would be decoded to further ones.

    ``email`` reads ``=?utf-8?q?=0A?=`` in what it is given, although that is what somebody typed.
    """
    line = " ".join("".join(" " if category(c) in UNPRINTABLE else c for c in text).split())
    return line.replace("=?", "= ?")


class _AsItIs(UnstructuredHeader, BaseHeader):
    """A header whose long value stays on its line: ``email`` would make encoded words (RFC 2047) of it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _AsItIs)


def compose(
    message: Message, *, sender: str, message_id: str, date: datetime, unsubscribe: str | None = None
) -> EmailMessage:
    """The message as RFC 5322 wants it, a text and an HTML part.

    SMTPUTF8 (RFC 6531) is for local parts that are not ASCII; domains are written as A-labels without it.

    :param sender: address or ``Name <address>``
    :param message_id: the same at every try, so that who receives it twice can tell
    :param unsubscribe: the link that mail programs use to end mails of this kind (RFC 8058); https
    :raises JobError: the recipient cannot be written as one address
    """
    if not _MAILABLE.fullmatch(message.to) or has_control_characters(message.to):
        raise JobError(UNWRITABLE, tries=1)
    name, address = parseaddr(sender)
    user, _, domain = envelope_of(address).rpartition("@")
    recipient = envelope_of(message.to)
    international = not (recipient + user + domain).isascii()
    to = message.to if international else recipient
    email = EmailMessage(policy=(SMTPUTF8 if international else SMTP).clone(header_factory=_HEADERS))
    email["From"] = Address(name, user, domain)
    email["To"] = to
    if [address.addr_spec for address in email["To"].addresses] != [to]:
        raise JobError(UNWRITABLE, tries=1)
    email["Subject"] = message.subject
    email["Date"] = date
    email["Message-ID"] = f"<{message_id}@{domain if domain.isascii() else 'localhost'}>"
    email["Auto-Submitted"] = "auto-generated"
    if unsubscribe is not None:
        email["List-Unsubscribe"] = f"<{unsubscribe}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email.set_content(message.text, cte=_encoding(message.text))
    email.add_alternative(message.html, subtype="html", cte=_encoding(message.html))
    return email


def _encoding(text: str) -> str:
    short = all(len(line) <= LONGEST_LINE for line in text.splitlines())
    return "7bit" if short and text.isascii() else "quoted-printable"


@handles(notices.SEND_MAIL)
def send(store: Store, job: LeasedJob) -> None:
    """Deliver one queued mail, or write it as a file where mail is not enabled.

    A worker that dies after the server took it and before this is noted sends it again, with the same
    ``Message-ID``. An address under ``.invalid`` (RFC 2606) belongs to nobody: nothing is sent.

    :raises JobError: it was not taken; says why, without address and text
    """
    try:
        to, context = notices.unseal(store.keyring, job.payload)
    except SealError:
        raise JobError("sealed with a secret that is not given any more") from None
    if f".{to.rpartition('@')[2]}".rstrip(".").lower().endswith(".invalid"):
        return
    notice = Notice(job.payload["notice"])
    site_url = store.settings.site_url
    unsubscribe = _unsubscribe_link(notice, store.keyring, site_url, to)
    message = render(
        notice,
        to=to,
        locale=job.payload["locale"],
        site_url=site_url,
        context=context,
        page=job.payload.get("page"),
        site_name=store.settings.site_name,
        colour=store.settings.site_colour,
        unsubscribe=unsubscribe,
    )
    message_id = job.payload["message_id"]
    mail = store.settings.mail
    email = compose(
        message,
        sender=mail.sender,
        message_id=message_id,
        date=job.created,
        unsubscribe=unsubscribe if site_url.startswith("https:") else None,
    )
    if mail.enabled:
        mail_transport.deliver(mail, email, to)
    else:
        write(path_of_file(mail.directory, job.created, message_id), email)


def _unsubscribe_link(notice: Notice, keyring: Keyring, site_url: str, to: str) -> str | None:
    """None for a mail that nobody can do without."""
    if notice not in notices.KIND_OF:
        return None
    token, digest = unsubscribing.make(keyring, to)
    kind = notices.KIND_OF[notice]
    return site_url + UNSUBSCRIBE.format(token=quote(token, safe="="), digest=digest, kind=kind)


def path_of_file(folder: Path, date: datetime, message_id: str) -> Path:
    """Where a message is written in a folder whose files are listed by date."""
    return folder / f"{date:%Y%m%dT%H%M%S.%fZ}-{message_id}.eml"


def write(path: Path, email: EmailMessage) -> None:
    """Write a message as a file that only its owner reads, whole or not at all."""
    folders.make(path.parent)
    unfinished = path.with_suffix(".tmp")
    with open(unfinished, "wb", opener=_private) as file:
        file.write(email.as_bytes())
    unfinished.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
