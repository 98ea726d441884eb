"""``accountsapp mail``: whether mails arrive."""

import secrets
from html import escape

import click

from accountsapp import mail, mail_transport
from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.errors import Failed
from accountsapp.cli.mail_errors import explain
from accountsapp.cli.output import JSON, print_done
from accountsapp.domain import clock
from accountsapp.domain.jobs import JobError
from accountsapp.domain.rules import emails
from accountsapp.mail import Message


@click.group("mail", cls=Group)
def group() -> None:
    """Mails that people get."""


@group.command(examples=["ada@example.org"])
@click.argument("address")
@JSON
@pass_context
def test(context: Context, address: str, as_json: bool) -> None:
    """Send one mail to ADDRESS at once, by the settings of the ini, and say whether it was taken.

    Where mails are not enabled it is written as a file, as all others are.
    """
    settings = context.settings
    to = emails.parse(address)
    message_id, date = secrets.token_hex(16), clock.now()
    email = mail.compose(
        _message(to, settings.site_name, settings.site_url),
        sender=settings.mail.sender,
        message_id=message_id,
        date=date,
    )
    if not settings.mail.enabled:
        path = mail.path_of_file(settings.mail.directory, date, message_id)
        mail.write(path, email)
        print_done(as_json, f"written into {path}", to=to)
        return
    try:
        mail_transport.deliver(settings.mail, email, to)
    except JobError as error:
        raise Failed(explain(settings.mail, error)) from None
    print_done(as_json, f"taken by {settings.mail.host}", to=to)


def _message(to: str, site_name: str, site_url: str) -> Message:
    text = f"{site_name} ({site_url}) sent this to see whether its mails arrive. Nothing has to be done."
    return Message(to, f"{site_name}: a trial", f"{text}\n", f"<p>{escape(text)}</p>\n")
