"""Notices: the mails that operations of the domain want sent, as jobs with a sealed text.

Only names and values stand here; the worker renders and delivers (``mail.py``).
"""

import json
import secrets
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain import jobs
from accountsapp.domain.data.models import Account, Job, JobState
from accountsapp.domain.keyring import Keyring, SealError

SEND_MAIL = "send_mail"
"""The name of the job."""


class Notice(StrEnum):
    """Which mail; under each, the values it needs.

    ``path`` is the link without ``site_url``, percent-encoded, beginning with one ``/``; ``expires`` an
    aware datetime until which the link works.
    """

    RESET_PASSWORD = "reset_password"  # noqa: S105
    """``username``, ``path``, ``expires``"""
    INVITATION = "invitation"
    """``username`` of the invited, ``inviter`` (a username), ``path``, ``expires``"""
    CONFIRM_EMAIL = "confirm_email"
    """To a new address: ``username``, ``path``, ``expires``"""
    VERIFY_EMAIL = "verify_email"
    """To an address that the account has already: ``username``, ``path``, ``expires``"""
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    """To the old address: ``username``, ``new_address``"""
    EMAIL_CHANGED = "email_changed"
    """To both addresses: ``username``, ``new_address``"""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    """``username``"""
    API_KEY_RESET = "api_key_reset"
    """``username``"""


LINK = frozenset({"username", "path", "expires"})
CONTEXT: dict[Notice, frozenset[str]] = {
    Notice.RESET_PASSWORD: LINK,
    Notice.INVITATION: LINK | {"inviter"},
    Notice.CONFIRM_EMAIL: LINK,
    Notice.VERIFY_EMAIL: LINK,
    Notice.EMAIL_CHANGE_REQUESTED: frozenset({"username", "new_address"}),
    Notice.EMAIL_CHANGED: frozenset({"username", "new_address"}),
    Notice.PASSWORD_CHANGED: frozenset({"username"}),
    Notice.API_KEY_RESET: frozenset({"username"}),
}


def queue(
    session: Session,
    keyring: Keyring,
    notice: Notice,
    *,
    to: str,
    account: Account | None,
    unique_key: str | None = None,
    **context: Any,
) -> Job:
    """Queue a mail in the session's transaction. Recipient and values are sealed at rest.

    :param to: the address as stored
    :param account: whom it is about: a flushed row, whose ``locale`` the mail is written in
    :param unique_key: see :func:`jobs.enqueue`
    :param context: the values that :class:`Notice` names
    :raises TypeError: other values than those
    :raises ValueError: ``path`` is none
    """
    if context.keys() != CONTEXT[notice]:
        raise TypeError(f"{notice} needs exactly {', '.join(sorted(CONTEXT[notice]))}")
    if "path" in context:
        _check_path(context["path"])
    if "expires" in context:
        context["expires"] = context["expires"].isoformat()
    message_id = secrets.token_hex(16)
    return jobs.enqueue(
        session,
        SEND_MAIL,
        {
            "notice": notice,
            "locale": account.locale if account is not None else None,
            "message_id": message_id,
            **_seal(keyring, message_id, json.dumps({"to": to, "context": context})),
        },
        account_id=account.id if account is not None else None,
        unique_key=unique_key,
    )


def unseal(keyring: Keyring, payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Recipient and values of a queued mail.

    :raises SealError: none of the keyring's secrets sealed it
    """
    contents = json.loads(keyring.unseal(_owner(payload["message_id"]), payload["sealed"]))
    return contents["to"], contents["context"]


def reseal(session: Session, keyring: Keyring) -> int:
    """Seal anew, with the present secret, every mail that an older one sealed.

    One that no given secret opens stays as it is; its job fails and says so.

    :returns: how many
    """
    kept = select(Job).where(Job.name == SEND_MAIL, Job.state != JobState.DONE)
    resealed = 0
    for job in session.scalars(kept.with_for_update()):
        if job.payload["secret_id"] != keyring.secret_id:
            message_id = job.payload["message_id"]
            try:
                contents = keyring.unseal(_owner(message_id), job.payload["sealed"])
            except SealError:
                continue
            job.payload = {**job.payload, **_seal(keyring, message_id, contents)}
            resealed += 1
    return resealed


def _seal(keyring: Keyring, message_id: str, contents: str) -> dict[str, str]:
    return {
        "secret_id": keyring.secret_id,
        "sealed": keyring.seal(_owner(message_id), contents),
    }


def _owner(message_id: str) -> str:
    return f"mail:{message_id}"


def _check_path(path: str) -> None:
    encoded = path.isascii() and path.isprintable() and " " not in path
    if not encoded or not path.startswith("/") or path.startswith("//"):
        raise ValueError("path must be percent-encoded and begin with one slash")
