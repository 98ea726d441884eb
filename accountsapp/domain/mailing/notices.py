"""Notices: the mails that operations of the domain want sent, as jobs with a sealed text.

Only names and values stand here; the worker renders and delivers (``mail.py``).
"""

import json
import secrets
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from accountsapp.domain import jobs, sealed_jobs
from accountsapp.domain.data.models import Account, Job
from accountsapp.domain.keyring import Keyring

SEND_MAIL = "send_mail"
"""The name of the job."""


class Notice(StrEnum):
    """Which mail; under each, the values it needs.

    ``code`` is that of a one-time link, whose page is known where the mail is rendered; ``expires`` an aware
    datetime until which it works.
    """

    RESET_PASSWORD = "reset_password"  # noqa: S105
    """``username``, ``code``, ``expires``"""
    INVITATION = "invitation"
    """``username`` of the invited, ``inviter`` (a username), ``code``, ``expires``"""
    SET_PASSWORD = "set_password"  # noqa: S105
    """To who has none: ``username``, ``code``, ``expires``"""
    CONFIRM_EMAIL = "confirm_email"
    """To a new address: ``username``, ``code``, ``expires``"""
    CONFIRM_REGISTRATION = "confirm_registration"
    """To the address of somebody who registers: ``username``, ``code``, ``expires``"""
    VERIFY_EMAIL = "verify_email"
    """To an address that the account has already: ``username``, ``code``, ``expires``"""
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    """To the old address: ``username``, ``new_address``"""
    EMAIL_CHANGED = "email_changed"
    """To both addresses: ``username``, ``new_address``"""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    """``username``"""
    API_KEY_RESET = "api_key_reset"
    """``username``"""
    API_KEY_ADDED = "api_key_added"
    """``username``, ``name`` of the key"""
    API_KEY_ROTATED = "api_key_rotated"
    """The same"""
    API_KEY_REPLACED = "api_key_replaced"
    """By its holder: the same"""
    API_KEY_ENDED = "api_key_ended"
    """By its holder: the same"""
    API_KEY_LEAKED = "api_key_leaked"
    """``username``, ``name`` (None for the default key), ``url`` where it was found (may be empty)"""
    API_KEY_EXPIRING = "api_key_expiring"
    """``username``, ``name``, ``expires``"""
    EXPORT_READY = "export_ready"
    """``username``, ``archives`` (a list of objects with ``name`` and ``code``), ``expires``"""
    ACCOUNT_DELETED = "account_deleted"
    """To the former primary address: ``username``"""
    NEW_REVIEW = "new_review"
    """To an author: ``username``, ``addons`` (their slugs, comma-separated)"""


LINK_VALUES = frozenset({"username", "code", "expires"})
KEY_VALUES = frozenset({"username", "name"})
VALUES_OF: dict[Notice, frozenset[str]] = {
    Notice.RESET_PASSWORD: LINK_VALUES,
    Notice.INVITATION: LINK_VALUES | {"inviter"},
    Notice.SET_PASSWORD: LINK_VALUES,
    Notice.CONFIRM_EMAIL: LINK_VALUES,
    Notice.CONFIRM_REGISTRATION: LINK_VALUES,
    Notice.VERIFY_EMAIL: LINK_VALUES,
    Notice.EMAIL_CHANGE_REQUESTED: frozenset({"username", "new_address"}),
    Notice.EMAIL_CHANGED: frozenset({"username", "new_address"}),
    Notice.PASSWORD_CHANGED: frozenset({"username"}),
    Notice.API_KEY_RESET: frozenset({"username"}),
    Notice.API_KEY_ADDED: KEY_VALUES,
    Notice.API_KEY_ROTATED: KEY_VALUES,
    Notice.API_KEY_REPLACED: KEY_VALUES,
    Notice.API_KEY_ENDED: KEY_VALUES,
    Notice.API_KEY_LEAKED: KEY_VALUES | {"url"},
    Notice.API_KEY_EXPIRING: KEY_VALUES | {"expires"},
    Notice.EXPORT_READY: frozenset({"username", "archives", "expires"}),
    Notice.ACCOUNT_DELETED: frozenset({"username"}),
    Notice.NEW_REVIEW: frozenset({"username", "addons"}),
}
KIND_OF = {Notice.NEW_REVIEW: "new_review"}
"""The kind of notification (``rules/notifications.py``) that a mail is of, where one can do without it."""


def queue(
    session: Session,
    keyring: Keyring,
    notice: Notice,
    *,
    to: str,
    account: Account | None,
    language: str | None = None,
    unique_key: str | None = None,
    page: str | None = None,
    **context: Any,
) -> Job:
    """Queue a mail in the session's transaction. Recipient and values are sealed at rest.

    :param to: the address as stored
    :param account: whom it is about: a flushed row, whose ``locale`` the mail is written in
    :param language: the locale that it is written in where the account has none
    :param unique_key: see :func:`jobs.enqueue`
    :param page: the URL where the code is used, with ``{code}`` in it, if it is not the usual one
    :param context: the values that :class:`Notice` names
    :raises TypeError: other values than those
    """
    if context.keys() != VALUES_OF[notice]:
        raise TypeError(f"{notice} needs exactly {', '.join(sorted(VALUES_OF[notice]))}")
    if "expires" in context:
        context["expires"] = context["expires"].isoformat()
    message_id = secrets.token_hex(16)
    contents = json.dumps({"to": to, "context": context})
    return jobs.enqueue(
        session,
        SEND_MAIL,
        {
            "notice": notice,
            "locale": (account.locale if account is not None else None) or language,
            "message_id": message_id,
            **({"page": page} if page is not None else {}),
            **sealed_jobs.seal(keyring, "sealed", _owner(message_id), contents),
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


def reseal(begin: sealed_jobs.Begin, keyring: Keyring) -> int:
    """Seal queued mails anew (:func:`sealed_jobs.reseal`)."""
    return sealed_jobs.reseal(
        begin, keyring, SEND_MAIL, "sealed", lambda payload: _owner(payload["message_id"])
    )


def _owner(message_id: str) -> str:
    return f"mail:{message_id}"
