"""What to do about a mail server that takes no mail."""

from accountsapp.domain.jobs import JobError
from accountsapp.settings import MailSettings

ADVICE = {
    "ConnectionRefusedError": "nobody listens there: see accountsapp.mail.host and accountsapp.mail.port",
    "gaierror": "accountsapp.mail.host is the name of no machine",
    "TimeoutError": "it does not answer: see accountsapp.mail.host and accountsapp.mail.port",
    "SMTPNotSupportedError": "it has no STARTTLS or takes no login: see accountsapp.mail.tls and .username",
    "SMTPAuthenticationError": "see accountsapp.mail.username and accountsapp.mail.password",
    "SSLCertVerificationError": "its certificate is not good for accountsapp.mail.host",
    "SSLError": "it does not speak TLS there: see accountsapp.mail.tls and accountsapp.mail.port",
}
"""What an operator can look at, by the cause that an error names."""


def explain(mail: MailSettings, error: JobError) -> str:
    """The server, what it did, and what to look at."""
    text = f"{mail.host}, port {mail.port}: {error}"
    advice = [words for cause, words in ADVICE.items() if cause in text]
    return f"{text} ({advice[0]})" if advice else text
