"""What the Bookie calls take, and what they show."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from accountsapp.domain import audit
from accountsapp.domain.accounts import administration
from accountsapp.domain.audit import AuditRow
from accountsapp.domain.clock import now
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import InvalidUsername, InvalidValue
from accountsapp.domain.rules import emails, names, usernames
from accountsapp.domain.unset import UNSET, Unset
from accountsapp.web.bodies import Parameters


class Update(NamedTuple):
    """What call 2 may change; what was not given, or given as JSON null, stays."""

    columns: dict[str, str | None]
    email: str | Unset

    @classmethod
    def load(cls, parameters: Parameters) -> "Update":
        """
        :raises InvalidValue: any value is not acceptable
        """
        name, email = parameters.last("name"), parameters.last("email")
        return cls(
            columns={} if name is None else {"name": names.parse(name)},
            email=UNSET if email is None else emails.parse(email),
        )


class Slice(NamedTuple):
    """Which part of a list."""

    limit: int
    offset: int

    @classmethod
    def load(cls, parameters: Parameters) -> "Slice":
        """
        :raises InvalidValue: ``limit`` is not 1 to 1000, or ``offset`` not 0 or more
        """
        return cls(
            limit=_number(parameters, "limit", 1000, 1, 1000),
            offset=_number(parameters, "offset", 0, 0, 2**31 - 1),
        )


class NewUser(NamedTuple):
    """An account that an administrator adds; both in lower case."""

    username: str
    email: str

    @classmethod
    def load(cls, parameters: Parameters) -> "NewUser":
        """
        :raises InvalidValue: either is missing or not acceptable
        """
        username = parameters.last("username")
        if not isinstance(username, str):
            raise InvalidUsername("The user name is missing")
        return cls(
            username=usernames.check_new(username.strip().lower()),
            email=emails.parse(parameters.last("email")),
        )


class LogQuery(NamedTuple):
    """Which events: of the last ``days``, with that ``status``, with ``message`` in theirs."""

    days: int
    status: str | None
    message: str

    @classmethod
    def load(cls, parameters: Parameters) -> "LogQuery":
        """
        :raises InvalidValue: ``days`` is not 1 to 400
        """
        return cls(
            days=_number(parameters, "days", 1, 1, 400),
            status=parameters.last("status"),
            message=parameters.last("message", ""),
        )

    def matching(self, connection: Connection) -> Iterator[AuditRow]:
        """The events, newest first."""
        since = now() - timedelta(days=self.days)
        for row in audit.listing(connection, since=since):
            shown = show_log(row)
            if self.status in (None, shown["status"]) and self.message in shown["message"]:
                yield row


def parse_order(parameters: Parameters) -> str:
    """By what the list of users is sorted.

    :raises InvalidValue: not one of the listed orders
    """
    order = parameters.last("order", "username")
    if order not in administration.ORDERS:
        raise InvalidValue("order", f"The order must be one of {', '.join(administration.ORDERS)}.")
    return str(order)


def parse_count(digits: str) -> int:
    """A number of invitations, in plain digits.

    :raises InvalidValue: anything else
    """
    return _plain(digits, "count", 0, administration.MOST_INVITES)


def _number(parameters: Parameters, name: str, default: int, least: int, most: int) -> int:
    given = parameters.last(name)
    return default if given is None else _plain(given, name, least, most)


def _plain(digits: Any, name: str, least: int, most: int) -> int:
    if isinstance(digits, str) and digits.isascii() and digits.isdigit() and len(digits) <= 10:
        number = int(digits)
        if least <= number <= most:
            return number
    raise InvalidValue(name, f"{name} must be a number from {least} to {most}.")


class OwnColumns(NamedTuple):
    """What an account shows of itself."""

    name: str | None
    signup: datetime | None
    last_login: datetime | None


class AdminColumns(NamedTuple):
    """What an account shows to administrators."""

    name: str | None
    signup: datetime | None
    last_login: datetime | None
    invite_ct: int
    invited_by: str | None


def show_full(account: AccountRow, profile: AdminColumns) -> dict[str, Any]:
    """What administrators see of an account."""
    return {
        "username": account.username,
        "name": profile.name,
        "email": account.email,
        "activated": account.activated,
        "is_admin": account.is_admin,
        "signup": show_time(profile.signup),
        "last_login": show_time(profile.last_login),
        "invite_ct": profile.invite_ct,
        "invited_by": profile.invited_by,
    }


def show_log(row: AuditRow) -> dict[str, Any]:
    """An event, as clients of the old log read it."""
    failed = row.event in (audit.Event.SIGN_IN_FAILED, audit.Event.REFUSED, audit.Event.PASSWORD_WRONG)
    return {
        "user": row.account,
        "component": "account",
        "status": "1" if failed else "0",
        "message": row.event,
        "payload": row.detail,
        "tstamp": show_time(row.at),
    }


def show_account(account: AccountRow, profile: OwnColumns) -> dict[str, Any]:
    """The six keys that the owner sees."""
    return {
        "username": account.username,
        "name": profile.name,
        "signup": show_time(profile.signup),
        "activated": account.activated,
        "last_login": show_time(profile.last_login),
        "email": account.shown_email,
    }


def show_time(time: datetime | None) -> str | None:
    """``YYYY-MM-DD HH:MM:SS``, UTC."""
    return time.replace(tzinfo=None).isoformat(" ", "seconds") if time is not None else None
