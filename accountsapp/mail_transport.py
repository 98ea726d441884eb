"""How a mail is handed to an SMTP server (RFC 5321), and how long that may take."""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import parseaddr

from accountsapp.domain.jobs import JobError
from accountsapp.domain.rules.emails import envelope_of
from accountsapp.settings import MailSettings

TIMEOUT = 20.0
"""Seconds for each step of a delivery."""

LONGEST_DELIVERY = 60.0
"""Seconds for a whole delivery from the connection on: a server can be in time with every step and never come
to an end.
"""

CUT_AGAIN = 0.1
"""Seconds between two cuts of a connection that is late; it has a new socket at some steps."""

REFUSED_TRIES = 3
"""How often a mail is offered to a server that refuses it for good (5xx, RFC 5321 4.2.1); tries that failed
otherwise do not count."""

_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


def deliver(mail: MailSettings, email: EmailMessage, to: str) -> None:
    """Hand a message to the SMTP server (RFC 5321) of the settings.

    :raises JobError: it was not taken: refused for good (5xx for recipient, message or sender), or not now
    """
    with _connection(mail) as smtp:
        try:
            smtp.send_message(email, envelope_of(parseaddr(mail.sender)[1]), [envelope_of(to)])
        except smtplib.SMTPNotSupportedError:
            raise JobError("the mail server takes no such address (SMTPUTF8)", tries=REFUSED_TRIES) from None
        except smtplib.SMTPRecipientsRefused as error:
            ((code, text),) = error.recipients.values()
            raise _refusal("the recipient", code, text) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal("the message", error.smtp_code, error.smtp_error) from None
        except OSError as error:
            raise JobError(f"the mail server went away: {_name(error)}") from None


def check_server(mail: MailSettings) -> None:
    """Connect to the SMTP server of the settings and take leave of it.

    :raises JobError: it does not answer, or does not let us in
    """
    with _connection(mail):
        pass


@contextmanager
def _connection(mail: MailSettings) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context() if mail.tls != "none" else None
    smtp = (
        smtplib.SMTP_SSL(timeout=TIMEOUT, context=context)
        if mail.tls == "tls"
        else smtplib.SMTP(timeout=TIMEOUT)
    )
    with _cut_when_late(smtp):
        try:
            _connect(smtp, mail, context)
        except OSError as error:
            smtp.close()
            raise JobError(f"no connection to the mail server: {_name(error)}") from None
        try:
            yield smtp
        finally:
            # The server has answered for the message by now; how it says good-bye changes nothing.
            with contextlib.suppress(OSError):
                smtp.quit()
            smtp.close()


def _connect(smtp: smtplib.SMTP, mail: MailSettings, context: ssl.SSLContext | None) -> None:
    # What the certificate must name. Only the constructor sets it, and that one would also connect, before
    # there is an object whose socket could be cut.
    smtp._host = mail.host  # type: ignore[attr-defined]
    code, text = smtp.connect(mail.host, mail.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, text)
    if mail.tls == "starttls":
        smtp.starttls(context=context)
    if mail.username:
        smtp.login(mail.username, mail.password)


@contextmanager
def _cut_when_late(smtp: smtplib.SMTP) -> Iterator[None]:
    """Cuts the connection once the block has taken :data:`LONGEST_DELIVERY`, whatever it is waiting for.

    A TLS handshake has no socket to cut, but its :data:`TIMEOUT` is for the whole of it.
    """
    over = threading.Event()
    watch = threading.Thread(target=_cut, args=(smtp, over), name="mail", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _cut(smtp: smtplib.SMTP, over: threading.Event) -> None:
    pause = LONGEST_DELIVERY
    while not over.wait(pause):
        pause = CUT_AGAIN
        connection = smtp.sock
        if connection is not None:
            with contextlib.suppress(OSError):
                # The plain socket's: that of TLS forgets its encryption first, and what is being sent
                # would go on in clear.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _refusal(what: str, code: int, text: bytes | str) -> JobError:
    said = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    enhanced = _ENHANCED_CODE.match(said)
    words = f"the mail server refused {what}: {code}{f' {enhanced[0]}' if enhanced else ''}"
    return JobError(words, tries=REFUSED_TRIES if 500 <= code < 600 else None)


def _name(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__
