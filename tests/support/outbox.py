"""Mail as its recipient has it: the worker delivers, the files are read."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlsplit

from sqlalchemy import func, select

from accountsapp.domain.data.models import Job
from accountsapp.domain.rules.emails import envelope_of
from accountsapp.process import Process
from accountsapp.worker import Worker

LINK = re.compile(r"https?://\S+/(?:recovery|confirm)/\S+")


class Outbox:
    """The mails that the application wants sent."""

    def __init__(self, stores: Process) -> None:
        self._stores = stores
        self._worker = Worker(stores)

    def take(self) -> list[EmailMessage]:
        """Work off all jobs; the mails since the last time, in their order."""
        self._worker.run_until_empty()
        taken = []
        for file in sorted(self._stores.settings.mail.directory.glob("*.eml")):
            message = message_from_bytes(file.read_bytes(), policy=default)
            assert isinstance(message, EmailMessage)
            taken.append(message)
            file.unlink()
        return taken

    def to(self, address: str) -> EmailMessage:
        """The only mail to that address since the last time; others are thrown away."""
        spelled = (address, envelope_of(address))
        (message,) = [message for message in self.take() if message["To"] in spelled]
        return message

    def link_to(self, address: str) -> str:
        """The path of the link in the only mail to that address."""
        return path_in(self.to(address))

    def code_to(self, address: str) -> str:
        """The code at the end of that path."""
        return self.link_to(address).rpartition("/")[2]

    def jobs(self) -> int:
        """How many jobs were ever queued and are kept."""
        with self._stores.database.read_engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(Job)) or 0


def text_of(message: EmailMessage) -> str:
    """The text part."""
    part = message.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content


def links_in(message: EmailMessage) -> list[str]:
    """The links for the reader to open."""
    return LINK.findall(text_of(message))


def path_in(message: EmailMessage) -> str:
    """The path of the only link."""
    (link,) = links_in(message)
    return urlsplit(link).path


def outline(messages: list[EmailMessage]) -> list[tuple[str, str]]:
    """Recipient and subject of each, sorted."""
    return sorted((str(message["To"]), str(message["Subject"])) for message in messages)
